"""A reply of a teacher is parsed, or refused with a reason that the teacher can act on."""

import json

import pytest

from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.table import DIALECTS
from synth.teachers.expert.cache import Reply
from synth.teachers.expert.reply import MAX_CHARACTERS, ParsedReply, Unusable, parse_reply

GOOD = "The card in the crop shows a clear red digit."


def said(text, suffices=True, finish_reason="stop"):
    return parse_reply(Reply(json.dumps({"text": text, "suffices": suffices}), finish_reason, 1, 1))


def test_a_good_text_is_taken_without_the_space_around_it():
    assert said(f" {GOOD}\n") == ParsedReply(GOOD, True)


@pytest.mark.parametrize(
    "text",
    [
        '{"text": "%s", "suffices": false}',
        'Sure!\n```json\n{"text": "%s", "suffices": false, "more": 1}\n```',
        '<think>Maybe {"text": "no"}.</think>{"text": "%s", "suffices": false}',
        'As {a, b} is asked: {"suffices": false, "text": "%s"}',
    ],
)
def test_json_is_found_wherever_it_stands(text):
    assert parse_reply(Reply(text % GOOD, "stop", 1, 1)) == ParsedReply(GOOD, False)


def test_line_breaks_inside_of_a_string_are_read():
    text = '{"text": "First I look.\nThen I see the digit.", "suffices": true}'
    assert parse_reply(Reply(text, "stop", 1, 1)) == ParsedReply("First I look.\nThen I see the digit.", True)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("I see a card.", "not_json"),
        ('{"text": "cut off in the mid', "not_json"),
        ("[" * 5000 + "{" * 5000, "not_json"),
        ('{"text": "A long enough text."}', "wrong_schema"),
        ('{"text": 5, "suffices": true}', "wrong_schema"),
        ('{"text": "A long enough text.", "suffices": "true"}', "wrong_schema"),
        ('{"text": "Short.", "suffices": true}', "too_short"),
        ('{"text": "A text with a lone \\ud800 in it.", "suffices": true}', "control_characters"),
        ('{"text": "A text that turns \u202earound in it.", "suffices": true}', "control_characters"),
        ('{"text": "A text with no\u200bthing in it.", "suffices": true}', "control_characters"),
        ('{"text": "A text with a bell \\u0007 in it.", "suffices": true}', "control_characters"),
    ],
)
def test_a_reply_that_is_none_is_refused_by_its_code(text, code):
    unusable = parse_reply(Reply(text, "stop", 1, 1))
    assert isinstance(unusable, Unusable) and unusable.code == code


def test_a_reply_that_was_cut_is_refused_even_if_it_reads_well():
    assert said(GOOD, finish_reason="length").code == "cut_off"


def test_an_endless_text_is_refused():
    assert said("word " * MAX_CHARACTERS).code == "too_long"


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda dialect: dialect.name)
def test_no_text_may_hold_what_a_dialect_reads_as_a_call_or_an_answer(dialect):
    marks = [dialect.calls.opening, dialect.answer_marker, r"\boxed{7}", "<|im_end|>", "<|image_pad|>"]
    marks += [dialect.calls.closing] if isinstance(dialect.calls, JsonCalls) else []
    for mark in marks:
        assert said(f"{GOOD} {mark} {GOOD}").code == "markup"


def test_signs_that_only_resemble_markup_are_left_alone():
    assert isinstance(said("As 3 < 4 and 5 > 4, |x| is at most 4, so {x} has one element."), ParsedReply)


@pytest.mark.parametrize("words", ["the ground truth", "the given answer", "I was told the answer", "the annotation"])
def test_a_text_that_tells_of_its_prompt_is_refused(words):
    assert said(f"According to {words}, the card is red.").code == "tells_of_prompt"
