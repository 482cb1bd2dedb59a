"""An endpoint that fails in every way: nothing is lost, no request is sent without need, nothing is final too soon."""

import json
import threading
import time
from collections import Counter

import pytest

from pixel_env.errors import ConfigError
from pixel_env.testing import BrokenSource
from synth.plans.plan import Narration, Refusal
from tests.synth.expert_plans import REQUESTS_OF_A_ROUND, narrated, plans_of_all_kinds, single
from tests.synth.scripted_server import CUT, completion, thought


def trouble(body, number):
    """Every way to fail that there is, each several times among good replies."""
    bad = {
        1: 429, 2: 500, 3: CUT, 4: b"<html>gateway</html>", 5: b'{"error": {"message": "overloaded"}, "choices": null}',
        6: "this is no JSON", 7: '{"text": 5}', 8: "", 9: 503, 10: '{"text": "I call <tool_call> now and see it."}',
    }  # fmt: skip
    return bad.get(number % 17) or thought(body["messages"])


def test_an_endpoint_that_fails_in_every_way_loses_nothing(server, teacher):
    plans = plans_of_all_kinds(3)
    server.script = trouble
    said = narrated(teacher(max_attempts=6), plans)
    assert Counter(type(one) for one in said) == {Narration: len(plans)}
    assert len(server.bodies) > 1.5 * 3 * REQUESTS_OF_A_ROUND


@pytest.mark.parametrize("taken", ["json_object", None])
def test_an_endpoint_without_schemas_is_asked_in_the_format_that_it_takes_and_once_only(server, teacher, taken):
    def script(body, number):
        given = body.get("response_format", {}).get("type")
        return thought(body["messages"]) if given == taken else (400, f"{given} is not supported")

    server.script = script
    said = narrated(teacher(concurrency=1), plans_of_all_kinds())
    assert all(isinstance(one, Narration) for one in said)
    refused = 1 if taken else 2
    assert len(server.bodies) == REQUESTS_OF_A_ROUND + refused


def test_fields_that_an_endpoint_does_not_know_are_replaced_or_left_out(server, teacher):
    def script(body, number):
        if "seed" in body:
            return 422, "extra field: seed"
        if "max_tokens" in body:
            return 400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
        return thought(body["messages"])

    server.script = script
    assert isinstance(narrated(teacher(), [single()])[0], Narration)
    assert server.bodies[-1]["max_completion_tokens"] == 1024 and "response_format" in server.bodies[-1]


def test_one_request_that_the_endpoint_refuses_costs_one_plan(server, teacher):
    server.script = lambda body, number: (400, "too long") if "hopeless" in str(body) else thought(body["messages"])
    bad, good = narrated(teacher(), [single("a", question="hopeless"), single("b")])
    assert bad.code == "endpoint_refused" and "too long" in bad.message and isinstance(good, Narration)


def test_one_request_that_breaks_the_endpoint_costs_one_plan(server, teacher):
    server.script = lambda body, number: 500 if "hopeless" in str(body) else thought(body["messages"])
    bad, good = narrated(teacher(retries=2), [single("a", question="hopeless"), single("b")])
    assert bad.code == "endpoint_failed" and isinstance(good, Narration)


def test_an_endpoint_that_only_fails_stops_the_run_instead_of_refusing_every_plan(server, teacher):
    server.script = lambda body, number: 500
    refused = []
    with pytest.raises(ConfigError, match="the same command resumes"):
        for _, said in teacher(retries=0).narrate(plans_of_all_kinds(8), seed=0):
            refused.append(said)
    assert not refused and len(server.bodies) < 20


def test_an_endpoint_that_breaks_for_a_while_loses_no_plan_even_where_repeating_did_not_help(server, teacher):
    server.script = lambda body, number: 500 if 5 <= number < 10 else thought(body["messages"])
    said = narrated(teacher(retries=0, concurrency=2), plans_of_all_kinds(2))
    assert all(isinstance(one, Narration) for one in said)


def test_many_plans_that_the_endpoint_refuses_stop_nothing_as_long_as_it_serves_others(server, teacher):
    server.script = lambda body, number: (400, "too long") if "hopeless" in str(body) else thought(body["messages"])
    plans = [single(f"{i}", question="hopeless" if i % 2 else f"{i}?") for i in range(24)]
    said = narrated(teacher(), plans)
    assert Counter(type(one) for one in said) == {Narration: 12, Refusal: 12}


def test_what_was_learned_of_an_endpoint_holds_for_the_next_plans_too(server, teacher):
    server.script = lambda body, number: 400 if "response_format" in body else thought(body["messages"])
    teacher = teacher(concurrency=1)
    narrated(teacher, [single("a", question="One?")])
    narrated(teacher, [single("b", question="Two?")])
    assert ["response_format" in body for body in server.bodies] == [True, True, False, False, False, False]


@pytest.mark.parametrize(
    ("status", "way_out"),
    [(401, "OPENAI_API_KEY"), (403, "another key"), (404, "/v1"), (405, "/v1"), (429, "--requests_per_minute")],
)
def test_what_concerns_every_request_stops_at_once_says_the_way_out_and_keeps_the_replies(
    server, teacher, status, way_out
):
    server.script = lambda body, number: thought(body["messages"]) if number <= 6 else status
    with pytest.raises(ConfigError, match=way_out):
        list(teacher(concurrency=1, retries=0).narrate(plans_of_all_kinds(2), seed=0))
    assert len(server.bodies) == 7
    server.script = lambda body, number: thought(body["messages"])
    again = teacher()
    narrated(again, plans_of_all_kinds(2))
    assert (again.usage.from_cache, again.usage.requests) == (6, 2 * REQUESTS_OF_A_ROUND - 6)


def test_an_endpoint_that_is_not_there_is_named(teacher):
    with pytest.raises(ConfigError, match=r"http://127.0.0.1:9/v1.*reachable"):
        narrated(teacher(base_url="http://127.0.0.1:9/v1", retries=0), [single()])


def test_an_endpoint_that_is_silent_too_long_is_requested_again(server, teacher):
    def script(body, number):
        time.sleep(4.0 if number == 1 else 0.0)
        return thought(body["messages"])

    server.script = script
    assert isinstance(narrated(teacher(timeout_s=1.5), [single()])[0], Narration)


# ------------------------------------------------------------------------------------------------------------ pace


def test_no_more_requests_than_the_concurrency_are_under_way_and_as_many_are_used(server, teacher):
    all_are_used = threading.Barrier(3)

    def script(body, number):
        if number <= 3:
            all_are_used.wait(timeout=300)
        time.sleep(0.03)  # enough for one too many to arrive
        return thought(body["messages"])

    server.script = script
    narrated(teacher(concurrency=3), plans_of_all_kinds(3))
    assert server.peak == 3


def test_no_more_requests_a_minute_are_sent_than_allowed_repeated_ones_included(server, teacher):
    server.script = lambda body, number: 500 if number % 3 == 1 else thought(body["messages"])
    start = time.monotonic()
    narrated(teacher(requests_per_minute=60 / 0.05), plans_of_all_kinds())
    assert len(server.times) > REQUESTS_OF_A_ROUND
    assert server.times[-1] - start >= 0.05 * (len(server.times) - 1) * 0.9


def test_no_more_tokens_a_minute_are_spent_than_allowed(server, teacher):
    teacher = teacher(tokens_per_minute=110 / 0.03 * 60, max_tokens=16, max_pixels=28 * 28 * 16)
    start = time.monotonic()
    narrated(teacher, plans_of_all_kinds())
    assert time.monotonic() - start >= 0.03 * (REQUESTS_OF_A_ROUND - 1) * 0.9


def test_tokens_that_a_reply_might_have_had_and_had_not_are_not_waited_for(server, teacher):
    start = time.monotonic()
    narrated(teacher(tokens_per_minute=60e6, max_tokens=5_000_000, concurrency=1), plans_of_all_kinds())
    assert time.monotonic() - start < 5 * (REQUESTS_OF_A_ROUND - 1)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_endpoint_is_left_alone_by_all_for_as_long_as_it_asks(server, teacher, status):
    server.headers = {"Retry-After": "0.6"}
    server.script = lambda body, number: status if number == 1 else thought(body["messages"])
    narrated(teacher(concurrency=1), [single()])
    assert server.times[1] - server.times[0] >= 0.55


# ------------------------------------------------------------------------------------- replies that cannot be read


UNREADABLE = {
    "cut_off": json.dumps(completion("{", finish_reason="length")).encode(),
    "not_json": "I would rather not.",
    "empty": "",
    "wrong_schema": '{"texts": 5}',
}


@pytest.mark.parametrize("code", UNREADABLE)
def test_an_endpoint_that_says_nothing_that_can_be_read_stops_the_run_and_costs_no_plan(server, teacher, code):
    server.script = lambda body, number: UNREADABLE[code]
    plans, refused = plans_of_all_kinds(8), []
    with pytest.raises(ConfigError, match="the same command resumes"):
        refused += teacher().narrate(plans, seed=0)
    assert not refused and len(server.bodies) <= 3 * (8 + 4)
    server.script = lambda body, number: thought(body["messages"])
    assert all(isinstance(said, Narration) for said in narrated(teacher(), plans))


def test_cut_off_replies_name_the_flag_that_gives_them_room(server, teacher):
    server.script = lambda body, number: UNREADABLE["cut_off"]
    with pytest.raises(ConfigError, match="--teacher_max_tokens"):
        list(teacher().narrate(plans_of_all_kinds(2), seed=0))


def test_few_plans_of_which_no_reply_can_be_read_are_not_given_up_for_good(server, teacher):
    server.script = lambda body, number: UNREADABLE["cut_off"]
    plans = plans_of_all_kinds()
    said = narrated(teacher(), plans)
    assert all(one.code == "cut_off" and not one.is_final for one in said)
    server.script = lambda body, number: thought(body["messages"])
    assert all(isinstance(one, Narration) for one in narrated(teacher(), plans))


def test_a_plan_that_was_never_sent_does_not_show_that_the_endpoint_is_well(server, teacher):
    server.script = lambda body, number: UNREADABLE["cut_off"]
    _, unread = narrated(teacher(), [single(sources=(BrokenSource(),)), single("good")])
    assert unread.code == "cut_off" and not unread.is_final


def test_small_rounds_of_plans_of_which_no_reply_can_be_read_stop_the_run_together(server, teacher):
    server.script = lambda body, number: UNREADABLE["empty"]
    teacher = teacher()
    narrated(teacher, [single(f"{i}", question=f"{i}?") for i in range(5)])
    with pytest.raises(ConfigError, match="the same command resumes"):
        narrated(teacher, [single(f"{i}", question=f"{i}?") for i in range(5, 10)])


def test_one_plan_of_which_no_reply_can_be_read_is_given_up_once_others_were_narrated(server, teacher):
    server.script = lambda body, number: "No." if "hopeless" in str(body) else thought(body["messages"])
    bad, good = narrated(teacher(), [single("a", question="hopeless"), single("b")])
    assert bad.code == "not_json" and bad.is_final and isinstance(good, Narration)


# ---------------------------------------------------------------------------------------------- faults of one plan


def hopeless_only(fault):
    """A script that fails at one plan, always."""
    return lambda body, number: fault() if "hopeless" in str(body) else thought(body["messages"])


def silence():
    time.sleep(4.0)
    return "too late"


PROVIDER_ERROR = json.dumps(completion("", finish_reason="error")).encode()


@pytest.mark.parametrize(
    "fault",
    [lambda: CUT, silence, lambda: PROVIDER_ERROR, lambda: b"[" * 200_000],
    ids=["cut", "slow", "error", "deep"],
)
def test_one_plan_at_which_the_endpoint_always_fails_costs_one_plan(server, teacher, fault):
    server.script = hopeless_only(fault)
    bad, good = narrated(teacher(retries=0, timeout_s=1.5), [single("a", question="hopeless"), single("b")])
    assert bad.code == "endpoint_failed" and not bad.is_final and isinstance(good, Narration)


def test_a_provider_that_fails_behind_the_endpoint_is_requested_again(server, teacher):
    server.script = lambda body, number: PROVIDER_ERROR if number == 1 else thought(body["messages"])
    teacher = teacher()
    assert isinstance(narrated(teacher, [single()])[0], Narration) and teacher.usage.requests == 2


def test_a_provider_that_only_fails_stops_the_run(server, teacher):
    server.script = lambda body, number: PROVIDER_ERROR
    with pytest.raises(ConfigError, match=r"not chat completions \(the URL in \S+ usually ends in /v1\)"):
        list(teacher(retries=0).narrate(plans_of_all_kinds(8), seed=0))


def test_an_endpoint_that_has_moved_is_not_followed_and_says_where_to(server, teacher):
    server.headers = {"Location": "/v2/chat/completions"}
    server.script = lambda body, number: 301
    with pytest.raises(ConfigError, match=r"redirects to '/v2/chat/completions'.*--teacher"):
        narrated(teacher(), [single()])
    assert len(server.bodies) == 1


def test_a_run_that_stops_knows_what_was_paid(server, teacher):
    server.script = lambda body, number: thought(body["messages"]) if number <= 6 else 401
    asked = teacher(concurrency=1)
    with pytest.raises(ConfigError, match="401"):
        list(asked.narrate(plans_of_all_kinds(2), seed=0))
    assert str(asked.usage).startswith("600 + 60 tokens in 6 requests")


@pytest.mark.parametrize("content", ["a" * 20_000_000, " " * 20_000_000])
def test_a_reply_that_is_far_too_long_is_not_held_and_costs_one_plan(server, teacher, content):
    server.script = hopeless_only(lambda: json.dumps(completion(content)).encode())
    bad, good = narrated(teacher(retries=0), [single("a", question="hopeless"), single("b")])
    assert bad.code == "endpoint_failed" and "longer than" in bad.message and isinstance(good, Narration)
