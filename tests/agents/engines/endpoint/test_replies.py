"""Replies as servers write them: parts, halves of characters, finish reasons, stop texts; and how sampling is sent."""

import pytest

from agents.engines.protocol import Request, Truncation
from pixel_env.dialects.table import dialect_named
from pixel_env.episode import Stop
from tests.agents.engines.endpoint.server import crop, engine_at, played, said
from tests.agents.engines.single_turns import generated

CALL = '<tool_call>{"name": "crop_image", "arguments": {"bbox_2d": [0, 0, 1, 1], "target_image": 1}}'
CLOSING = "</tool_call>"


def turn_of(endpoint, answer, dialect="default", request=(), **options):
    """The text of one turn, and whether it ended."""
    endpoint.script = lambda body, number: answer
    engine, chat = engine_at(endpoint, dialect, **options)
    try:
        asked = {"max_new_tokens": 64, "temperature": 0.0, "seed": 3, **dict(request)}
        response = generated(engine, Request(0, chat._user_turn("?", []), (), **asked))
    finally:
        engine.close()
    assert response.error is None
    assert (response.token_ids[-1:] == (chat.end_id,)) == response.ended
    return chat.decode(response.token_ids), response.ended


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, ""),
        ("", ""),
        ([], ""),
        ([{"type": "text", "text": "It is "}, {"type": "text", "text": "7."}], "It is 7."),
        (["It is ", {"type": "output_text", "text": "7."}, {"type": "image_url", "image_url": {}}], "It is 7."),
        ([{"type": "text", "text": None}], ""),
        ([{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "7"}],
         "<think>Hm.</think>7"),
        ("half \ud83d of a sign", "half \ufffd of a sign"),
        ([{"type": "text", "text": "a \ud83d"}, {"type": "text", "text": "\ude00"}], "a \U0001f600"),
        ("nul \0 and \u2028", "nul \0 and \u2028"),
    ],
)  # fmt: skip
def test_content_is_read_in_every_form(endpoint, content, text):
    assert turn_of(endpoint, said(content)) == (text, True)


def test_a_refusal_of_the_model_is_its_turn(endpoint):
    assert turn_of(endpoint, said(None, refusal="I cannot help.")) == ("I cannot help.", True)


@pytest.mark.parametrize(
    ("finish_reason", "ended"),
    [
        ("stop", True),
        ("length", False),
        ("tool_calls", True),
        ("function_call", True),
        ("eos", True),
        ("max_tokens", False),
    ],
)
def test_finish_reasons_say_whether_the_turn_ended(endpoint, finish_reason, ended):
    assert turn_of(endpoint, said("Seven", finish_reason=finish_reason)) == ("Seven", ended)


def test_a_finish_reason_may_be_absent(endpoint):
    answer = said("Seven")
    del answer["choices"][0]["finish_reason"]
    assert turn_of(endpoint, answer) == ("Seven", True)


def test_a_reply_that_a_filter_withheld_is_no_turn_of_the_model(endpoint):
    endpoint.script = lambda body, number: said("Sev", finish_reason="content_filter")
    [trajectory] = played(endpoint)
    assert trajectory.stop is Stop.FAILED and "content filter" in trajectory.error and len(endpoint.bodies) == 1


def test_a_provider_that_failed_behind_the_endpoint_is_asked_again(endpoint):
    endpoint.script = lambda body, number: said("", finish_reason="error") if number == 1 else said("\\boxed{7}")
    assert played(endpoint)[0].stop is Stop.ANSWERED


def test_a_thought_in_a_field_is_kept_where_calls_are_text_too(endpoint):
    answers = [said("Let me see.", reasoning_content="Hm."), said("\\boxed{7}")]
    endpoint.script = lambda body, number: answers[number - 1]
    [trajectory] = played(endpoint)
    assert trajectory.turns[0].text == "<think>Hm.</think>Let me see."
    sent = endpoint.bodies[1]["messages"][-2]
    assert sent == {"role": "assistant", "content": "Let me see.", "reasoning_content": "Hm."}


def test_a_thought_that_the_model_writes_into_its_text_is_returned_in_its_text(endpoint):
    answers = [said("<think>Hm.</think>Let me see."), said("\\boxed{7}")]
    endpoint.script = lambda body, number: answers[number - 1]
    played(endpoint)
    assert endpoint.bodies[1]["messages"][-2] == {"role": "assistant", "content": "<think>Hm.</think>Let me see."}


# ---------------------------------------------------------------------------------------------------- stop texts


def test_a_call_that_ended_at_its_closing_mark_gets_it_back(endpoint):
    text, ended = turn_of(endpoint, said("See. " + CALL), request={"stop": (CLOSING,)})
    assert (text, ended) == ("See. " + CALL + CLOSING, True)
    assert endpoint.bodies[0]["stop"] == [CLOSING]


def test_the_stop_text_that_the_server_names_is_appended(endpoint):
    answer = said("<answer>7")
    answer["choices"][0]["stop_reason"] = "</answer>"
    assert turn_of(endpoint, answer, request={"stop": (CLOSING, "</answer>")}) == ("<answer>7</answer>", True)


@pytest.mark.parametrize("content", ["Just words.", CALL + CLOSING])
def test_nothing_is_appended_to_a_turn_that_ended_by_itself(endpoint, content):
    assert turn_of(endpoint, said(content), request={"stop": (CLOSING,)}) == (content, True)


def test_nothing_is_appended_to_a_call_that_the_token_limit_cut(endpoint):
    assert turn_of(endpoint, said(CALL, finish_reason="length"), request={"stop": (CLOSING,)}) == (CALL, False)


def test_a_server_that_does_not_stop_is_cut_after_the_stop_text(endpoint):
    answer = said(CALL + CLOSING + " and I imagine the result", finish_reason="length")
    assert turn_of(endpoint, answer, request={"stop": (CLOSING,)}) == (CALL + CLOSING, True)


def test_no_more_stop_texts_are_sent_than_the_api_takes_and_all_are_kept_to(endpoint):
    stop = tuple(f"<{index}>" for index in range(6))
    assert turn_of(endpoint, said("a<5>b"), request={"stop": stop}) == ("a<5>", True)
    assert endpoint.bodies[0]["stop"] == list(stop[:4])


def test_a_server_that_reads_native_calls_is_not_stopped_inside_them(endpoint):
    text, _ = turn_of(endpoint, said(calls=[crop()]), request={"stop": (CLOSING, "</answer>")}, are_calls_native=True)
    assert text.endswith(CLOSING) and endpoint.bodies[0]["stop"] == ["</answer>"]


# ------------------------------------------------------------------------------------------------------ sampling


def test_neutral_sampling_sends_only_fields_that_every_server_knows(endpoint):
    turn_of(endpoint, said("x"))
    assert set(endpoint.bodies[0]) == {"model", "messages", "temperature", "max_tokens", "seed"}


def test_truncated_sampling_and_penalties_are_sent(endpoint):
    truncation = Truncation(top_p=0.8, top_k=20, presence_penalty=1.5, repetition_penalty=1.05)
    turn_of(endpoint, said("x"), request={"truncation": truncation, "temperature": 0.7})
    sent = {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "presence_penalty": 1.5, "repetition_penalty": 1.05}
    assert {name: endpoint.bodies[0][name] for name in sent} == sent and "stop" not in endpoint.bodies[0]


def test_a_conversation_of_the_smallest_dialect_is_text(endpoint):
    assert turn_of(endpoint, said("<crop> 0 0 8 8"), dialect_named("tiny")) == ("<crop> 0 0 8 8", True)
