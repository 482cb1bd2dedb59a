"""Responses of an endpoint are read, whatever is in them."""

import json

import pytest

from synth.teachers.expert.cache import Reply
from synth.teachers.expert.wire import reply_in
from tests.synth.scripted_server import completion

BODY = json.dumps(completion("Hello."))


def test_a_chat_completion_is_a_reply():
    assert reply_in(BODY.encode()) == Reply("Hello.", "stop", 100, 10)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", BODY[:-7].encode(), b"[" * 200_000, b"[]", b'{"choices": []}', b"\xff", b'{"choices": [5]}',
     json.dumps(completion("", finish_reason="error")).encode()],
)  # fmt: skip
def test_a_body_that_is_no_completion_holds_no_reply(body):
    assert reply_in(body) is None


@pytest.mark.parametrize("count", ["1e999", "99999999999999999999", "-5", "NaN", '"many"', "null", "[]", "9" * 400])
def test_a_number_of_tokens_that_is_none_counts_as_0(count):
    reply = reply_in(BODY.replace('"prompt_tokens": 100', f'"prompt_tokens": {count}').encode())
    assert reply == Reply("Hello.", "stop", 0, 10)


def test_half_a_character_is_replaced_wherever_it_stands():
    reply = reply_in(BODY.replace('"stop"', r'"\ud800"').replace("Hello", r"\ud800").encode())
    assert reply == Reply("?.", "?", 100, 10)


def test_content_in_parts_is_read():
    body = json.dumps(completion([{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo."}]))
    assert reply_in(body.encode()) == Reply("Hello.", "stop", 100, 10)
