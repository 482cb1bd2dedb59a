"""What an endpoint sends is bounded in bytes, in tokens and in time, whatever it sends."""

import gzip
import json
import threading
import time
import zlib

import pytest

from agents.engines.protocol import Request
from pixel_env.episode import Stop, Unfinished
from tests.agents.engines.endpoint.server import engine_at, played, said
from tests.agents.engines.single_turns import generated

MEGABYTE = 2**20


def turn_of(endpoint, max_new_tokens=16, **options):
    engine, chat = engine_at(endpoint, retries=0, **options)
    try:
        return generated(engine, Request(0, chat._user_turn("?", []), (), max_new_tokens, 0.0, 0)), chat
    finally:
        engine.close()


def endless(chunk, pause_s=0.0, **headers):
    """A response that never ends by itself."""

    def write(handler):
        handler.begin(**headers)
        while True:
            handler.write(chunk)
            time.sleep(pause_s)

    return write


def test_an_endless_body_is_read_no_further_than_a_reply_may_be(endpoint):
    endpoint.script = lambda body, number: endless(b'{"choices": [' + b" " * 65536)
    response, _ = turn_of(endpoint)
    assert "longer than" in response.error and response.token_ids == ()
    # The rest is what sockets buffer: far less than a server could send in the time.
    assert endpoint.written < 16 * MEGABYTE


def test_a_compressed_body_is_expanded_no_further_either(endpoint):
    bomb = gzip.compress(b" " * (64 * MEGABYTE), 9)

    def write(handler):
        handler.begin(Content_Encoding="gzip")
        handler.write(bomb)

    endpoint.script = lambda body, number: write
    response, _ = turn_of(endpoint)
    assert "longer than" in response.error
    assert endpoint.headers[0]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(("encoding", "packed"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_compressed_reply_of_usual_size_is_read(endpoint, encoding, packed):
    def write(handler):
        handler.begin(Content_Encoding=encoding)
        handler.write(packed(json.dumps(said("seven")).encode()))

    endpoint.script = lambda body, number: write
    response, chat = turn_of(endpoint)
    assert chat.decode(response.token_ids) == "seven"


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_a_body_that_is_not_encoded_as_accepted_is_an_error(endpoint, encoding):
    def write(handler):
        handler.begin(Content_Encoding=encoding)
        handler.write(b"no such encoding")

    endpoint.script = lambda body, number: write
    assert encoding in turn_of(endpoint)[0].error


def test_a_body_that_trickles_ends_with_the_time_and_is_not_generated_again(endpoint):
    endpoint.script = lambda body, number: endless(b" ", pause_s=0.05)
    engine, chat = engine_at(endpoint, timeout_s=1.0)
    response = generated(engine, Request(0, chat._user_turn("?", []), (), 16, 0.0, 0))
    engine.close()
    assert "did not end within 1 s" in response.error and len(endpoint.bodies) == 1


def test_an_error_whose_text_never_ends_is_still_the_error(endpoint):
    def refused(handler):
        handler.begin(status=400)
        while True:
            handler.write(b" " * 4096)

    endpoint.script = lambda body, number: refused
    assert "400" in turn_of(endpoint)[0].error


def test_a_server_that_is_silent_is_asked_again_and_then_fails_the_episode(endpoint):
    is_over = threading.Event()

    def silent(handler):
        is_over.wait(timeout=60)
        handler.begin()

    endpoint.script = lambda body, number: silent if number == 1 else said("\\boxed{7}")
    [trajectory] = played(endpoint, timeout_s=1.5, retries=1)
    is_over.set()
    assert trajectory.stop is Stop.ANSWERED and len(endpoint.bodies) == 2


def test_a_server_that_ignores_the_token_limit_is_cut_and_the_turn_is_unfinished(endpoint):
    endpoint.script = lambda body, number: said("a" * 100_000)
    response, _ = turn_of(endpoint, max_new_tokens=16)
    assert endpoint.bodies[0]["max_tokens"] == 16
    assert not response.ended and response.error is None and 16 <= len(response.token_ids) <= 16 * 64


def test_a_reply_that_keeps_to_the_token_limit_is_never_cut(endpoint):
    text = "antidisestablishmentarianism " * 16
    endpoint.script = lambda body, number: said(text)
    response, chat = turn_of(endpoint, max_new_tokens=16 * 6)
    assert response.ended and chat.decode(response.token_ids) == text


def test_twenty_megabytes_of_text_are_an_error_of_one_episode(endpoint):
    endpoint.script = lambda body, number: said("a" * (20 * MEGABYTE)) if number == 1 else said("\\boxed{7}")
    [bad] = played(endpoint, retries=0)
    [good] = played(endpoint)
    assert bad.stop is Stop.FAILED and "longer than" in bad.error and good.stop is Stop.ANSWERED
    assert endpoint.written < 16 * MEGABYTE


def test_a_turn_that_the_limit_truncated_may_be_continued(endpoint):
    answers = [said("I think", finish_reason="length"), said("\\boxed{7}")]
    endpoint.script = lambda body, number: answers[number - 1]
    [trajectory] = played(endpoint)
    assert isinstance(trajectory.turns[0].text, Unfinished) and trajectory.stop is Stop.ANSWERED
    assert endpoint.bodies[1]["messages"][-1] == {"role": "assistant", "content": "I think"}
