"""An endpoint that cannot serve stops the rollout at once; one request that it cannot serve costs one episode."""

import asyncio
import socket

import pytest

from agents.engines.address import checked_address
from agents.engines.choice import EngineArguments, EngineChoice
from agents.engines.endpoint.connection import Connection, DeadError
from agents.engines.secret import Secret
from pixel_env.episode import Stop
from pixel_env.errors import ConfigError
from pixel_env.testing import tiny_task
from tests.agents.engines.endpoint.server import engine_at, played, said

TASKS = [tiny_task(f"{index}") for index in range(6)]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.parametrize(
    ("status", "way_out"),
    [
        (401, "OPENAI_API_KEY"),
        (402, "credit"),
        (403, "another --model"),
        (404, "--model and the URL in --base_url"),
        (405, "/v1"),
    ],
)
def test_what_every_request_would_meet_stops_the_rollout_at_once(endpoint, status, way_out):
    endpoint.script = lambda body, number: (status, "The model `m` does not exist")
    with pytest.raises(ConfigError, match=rf"serves no request: .*{status}.*`m` does not exist.*{way_out}"):
        played(endpoint, TASKS, concurrency=1)
    assert len(endpoint.bodies) <= 2  # the one, and one that was on its way


def test_an_endpoint_that_dies_between_two_episodes_stops_the_rollout(endpoint):
    endpoint.script = lambda body, number: said("\\boxed{7}") if number < 3 else 401
    with pytest.raises(ConfigError, match="401"):
        played(endpoint, TASKS, concurrency=1)


def test_a_port_where_nothing_listens_stops_the_rollout_without_a_repetition(endpoint):
    with pytest.raises(ConfigError, match=r"127.0.0.1:\d+/v1 serves no request: ConnectError.*running and reachable"):
        played(endpoint, TASKS, base_url=f"http://127.0.0.1:{free_port()}/v1")


def test_a_server_that_has_answered_before_is_given_time_to_return(monkeypatch):
    waits_s = []

    async def wait(seconds):
        waits_s.append(seconds)

    async def asked(url, **options):
        connection = Connection(url, Secret("none"), retries=1, timeout_s=5, concurrency=1, **options)
        with pytest.raises(DeadError, match="running and reachable"):
            await connection.post(b"{}", bytes, max_bytes=100)
        await connection.close()

    url = f"http://127.0.0.1:{free_port()}/v1"
    monkeypatch.setattr(asyncio, "sleep", wait)
    asyncio.run(asked(url))
    assert waits_s == []
    asyncio.run(asked(url, has_answered=True))
    assert len(waits_s) == 1 and waits_s[0] >= 0.5


def test_a_redirect_is_not_followed_and_takes_the_key_nowhere(endpoint):
    def moved(handler):
        handler.begin(status=307, Location="http://127.0.0.1:1/elsewhere")

    endpoint.script = lambda body, number: moved
    with pytest.raises(ConfigError, match=r"redirects to 'http://127.0.0.1:1/elsewhere'.*not followed"):
        played(endpoint, api_key="sk-SECRET-123")
    assert len(endpoint.bodies) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_may_pass_is_repeated_and_then_costs_one_episode(endpoint, status):
    endpoint.script = lambda body, number: status if "hopeless" in str(body) else said("\\boxed{7}")
    bad, good = played(endpoint, [tiny_task("a", question="hopeless"), tiny_task("b")], retries=2)
    assert bad.stop is Stop.FAILED and f"failed 3 times: Error code: {status}" in bad.error
    assert good.stop is Stop.ANSWERED and len(endpoint.bodies) == 4


@pytest.mark.parametrize(
    "body", [b"", b"<html>gateway</html>", b"[]", b'{"choices": []}', b"[" * 100_000, b'{"choices": null}']
)
def test_a_response_that_is_no_completion_is_asked_for_again(endpoint, body):
    endpoint.script = lambda _, number: body if number == 1 else said("\\boxed{7}")
    [trajectory] = played(endpoint)
    assert trajectory.stop is Stop.ANSWERED and len(endpoint.bodies) == 2


def test_a_request_that_is_refused_is_not_repeated(endpoint):
    endpoint.script = lambda body, number: (400, "images of this kind are not accepted")
    [trajectory] = played(endpoint)
    assert trajectory.stop is Stop.FAILED and "of this kind" in trajectory.error and len(endpoint.bodies) == 1


def test_a_conversation_that_does_not_fit_the_context_ends_as_truncated_by_tokens(endpoint):
    endpoint.script = lambda body, number: (400, "This model's maximum context length is 4096 tokens")
    [trajectory] = played(endpoint)
    assert trajectory.stop is Stop.TOKENS and trajectory.error is None
    assert ["max_tokens" in body for body in endpoint.bodies] == [True, False]


def test_a_turn_that_may_get_longer_than_the_rest_of_the_context_is_given_that_rest(endpoint):
    endpoint.script = lambda body, number: (
        (400, "maximum context length is 4096 tokens") if "max_tokens" in body else said("\\boxed{7}")
    )
    [trajectory] = played(endpoint)
    assert trajectory.stop is Stop.ANSWERED and len(endpoint.bodies) == 2


def test_fields_that_an_endpoint_does_not_know_are_renamed_or_left_out_and_that_is_remembered(endpoint):
    def script(body, number):
        if "seed" in body:
            return 422, "extra field: seed"
        if "max_tokens" in body:
            return 400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        return said("\\boxed{7}")

    endpoint.script = script
    assert all(one.stop is Stop.ANSWERED for one in played(endpoint, TASKS[:2], concurrency=1))
    assert len(endpoint.bodies) == 4 and endpoint.bodies[-1]["max_completion_tokens"] == 256


# ------------------------------------------------------------------------------------------------------- secrets


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_key_that_the_endpoint_repeats_is_in_no_error(endpoint, status):
    endpoint.script = lambda body, number: (status, "x" * 390 + f" {endpoint.headers[-1]['Authorization']}")
    try:
        shown = repr(played(endpoint, api_key="sk-SECRET-123", retries=0))
    except ConfigError as error:
        shown = str(error)
    assert str(status) in shown and "sk-" not in shown


@pytest.mark.parametrize("answer", [lambda key: said(f"It is {key}."), lambda key: said(f"\\boxed{{{key}}}")])
def test_a_key_that_the_endpoint_repeats_is_in_no_turn(endpoint, answer):
    endpoint.script = lambda body, number: answer("sk-SECRET-123")
    [trajectory] = played(endpoint, api_key="sk-SECRET-123")
    assert "(the key)" in repr(trajectory) and "SECRET" not in repr(trajectory)


def test_a_key_that_is_a_word_of_a_reply_changes_no_turn(endpoint):
    endpoint.script = lambda body, number: said("\\boxed{7}")
    [trajectory] = played(endpoint, api_key="7")
    assert trajectory.answer == "7"


@pytest.mark.parametrize(
    "address", ["http://ann:PASS@host/v1", "http://PASS@host/v1", "https://ann:PASS@[::1]:8000/v1"]
)
@pytest.mark.parametrize("engine", ["endpoint", "server", "transformers"])
def test_an_address_with_a_password_is_refused_unseen_before_anything_is_recorded(address, engine):
    with pytest.raises(ConfigError, match=r"user name or a password.*OPENAI_API_KEY") as refused:
        EngineArguments(engine=engine, base_url=address)
    assert "PASS" not in str(refused.value)


@pytest.mark.parametrize(
    "address", ["ann:PASS@host/v1", "//ann:PASS@host", "http://ann:PASS@[::1/v1", "ann:PASS@host:80000"]
)
def test_what_may_be_a_password_in_an_address_that_is_none_is_not_shown(address):
    with pytest.raises(ConfigError) as refused:
        checked_address(address, "--base_url")
    assert "PASS" not in str(refused.value)


@pytest.mark.parametrize(
    "address", ["", "127.0.0.1:8000/v1", "localhost", "ftp://host/v1", "http://", "http://host:99999/v1"]
)
def test_an_address_without_a_scheme_or_a_host_is_refused(endpoint, address):
    with pytest.raises(ConfigError, match=r"--base_url must be the URL of a server, as in http://127.0.0.1:8000/v1"):
        EngineArguments(engine="endpoint", base_url=address)
    with pytest.raises(ConfigError, match="must be the URL"):
        engine_at(endpoint, base_url=address)


def test_several_addresses_of_replicas_are_each_checked():
    EngineArguments(engine="server", base_url="http://a:1, http://b:2/v1")
    with pytest.raises(ConfigError, match="user name"):
        EngineArguments(engine="server", base_url="http://a:1,http://u:p@b:2")


# ------------------------------------------------------------------------------------------------------- choices


def test_native_calls_are_refused_by_engines_without_them_and_by_capability(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with pytest.raises(ConfigError, match=r"--engine scripted has none.*give an --engine that has one: endpoint"):
        EngineChoice("scripted", model="oracle", tool_calls="native")
    with pytest.raises(ConfigError, match=r"--tool_images user concerns .* --tool_calls native"):
        EngineChoice("endpoint", "http://h/v1", tool_images="user", model="m")
    EngineChoice("endpoint", "http://h/v1", tool_calls="native", tool_images="user", model="m")
