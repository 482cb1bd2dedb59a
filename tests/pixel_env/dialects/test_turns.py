"""What a turn does: thoughts are nothing, several calls are refused or taken, an answer that was cut is none."""

import json
from dataclasses import replace

import pytest

from pixel_env.actions import parse, parse_all, without_thought, write
from pixel_env.boxes import Box
from pixel_env.dialects import DIALECTS, JsonCalls, PhraseCalls, XmlCalls
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.operations.crop_image import CropImage
from pixel_env.types import Answer, Malformed, Text, Unfinished

DEFAULT, RELEASED, TINY = DIALECTS["default"], DIALECTS["released"], DIALECTS["tiny"]
QUARTER = Box(0.5, 0.5, 1.0, 1.0)


def call(image=1, box=(0.5, 0.5, 1, 1)):
    arguments = {"bbox_2d": list(box), "target_image": image}
    return f"<tool_call>{json.dumps({'name': 'crop_image', 'arguments': arguments})}</tool_call>"


TAGGED = replace(DEFAULT, answer_rule="marker", answer_closing="</answer>")
ANY = replace(DEFAULT, answer_rule="any", answer_closing="</answer>", text_continues=False)

# ---------------------------------------------------------------------------------------------------------- thoughts


@pytest.mark.parametrize(
    ("text", "action"),
    [
        # A mentioned mark, a draft plus a call, a draft plus an answer, a boxed number: all in the thought.
        ("<think>I may write <tool_call> to look.</think>" + call(), CropImage(0, QUARTER)),
        (f"<think>First {call(2)}, no.</think>{call()}", CropImage(0, QUARTER)),
        (f"<think>First {call(2)}, no.</think>\\boxed{{7}}", Answer("7")),
        ("<think>Say \\boxed{3}? Let me look.</think>" + call(), CropImage(0, QUARTER)),
        ("<think>\\boxed{3}</think>Let me think again.", Text("<think>\\boxed{3}</think>Let me think again.")),
        ("<think>a</think> \\boxed{3} <think>no</think> \\boxed{4}", Answer("4")),
        # A template that opens the thought writes "<think>" into the prompt: the turn has the closing mark alone.
        (f"It may be {call(2)}\n</think>\n\n\\boxed{{7}}", Answer("7")),
        ("\\boxed{a</think>b}", Text("\\boxed{a</think>b}")),
    ],
)
def test_what_stands_up_to_the_last_closing_mark_is_neither_call_nor_answer(text, action):
    assert parse(text, DEFAULT) == action


def test_the_answer_of_a_turn_that_is_the_answer_is_what_follows_the_thought():
    assert parse("<think>It is blue? \\boxed{blue}</think>\nred", RELEASED) == Answer("red")
    assert parse("<think>hm</think>\nIt is \\boxed{red}.", RELEASED) == Answer("red")
    assert without_thought("<think>a</think>b</think>c", DEFAULT) == "c"


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize(
    "text",
    ["<think>Maybe \\boxed{3}", "<think>Maybe <answer>3</answer>", "<think>I may use <tool_call>", "<think>" + call()],
)
def test_a_thought_that_was_cut_is_continued(name, text):
    assert parse(Unfinished(text), DIALECTS[name]) == Text(text)


def test_a_dialect_may_have_no_thoughts():
    plain = replace(DEFAULT, thought_closing="")
    assert parse("\\boxed{3}</think>Let me see.", plain) == Answer("3")
    own = replace(DEFAULT, thought_closing="</reason>")
    assert parse("<reason>\\boxed{3}</reason>\\boxed{4}</think>", own) == Answer("4")
    assert parse(Unfinished("<reason>" + call()), own) == Text("<reason>" + call())


# ----------------------------------------------------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<answer>7</answer>", "7"),
        ("<answer> (B) red </answer> That is all.", "(B) red"),
        ("<answer>It is \\boxed{7}.</answer>", "7"),
        ("<answer>7", "7"),
        ("<answer>3</answer> or <answer>7</answer>", "7"),
        ("<answer>7</answer> I wrote it into <answer> tags", "7"),
        ("I write <answer> at the end. <answer>7</answer>", "7"),
        ("</answer><answer>7", "7"),
        ("<think><answer>3</answer></think><answer>7</answer>", "7"),
        ("<answer></answer>", ""),
    ],
)
def test_a_marked_answer_is_what_the_last_closed_marks_hold(text, answer):
    assert parse(text, TAGGED) == Answer(answer)
    assert parse(text, ANY) == Answer(answer)


@pytest.mark.parametrize("text", ["7", "\\boxed{7}", "7</answer>", "<think><answer>3</answer></think>so"])
def test_without_a_marker_there_is_no_answer_unless_any_text_is_one(text):
    assert parse(text, TAGGED) == Text(text)
    assert isinstance(parse(text, ANY), Answer)


def test_a_marker_without_a_closing_mark_takes_the_rest_as_it_is():
    assert parse("<answer>It is \\boxed{7}", TINY) == Answer("It is \\boxed{7}")
    assert write(Answer("7"), TAGGED) == write(Answer("7"), ANY) == "<answer>7</answer>"
    for text in ("7</answer>", "<tool_call>", "a</think>b"):
        with pytest.raises(ValueError, match="reads otherwise"):
            write(Answer(text), TAGGED)


@pytest.mark.parametrize("name", [*DIALECTS, "tagged", "any"])
@pytest.mark.parametrize("text", ["It is red. The glove", "\\boxed{7}", "<answer>7</answer>", "</think><answer>B"])
def test_an_answer_that_was_cut_is_not_one_in_any_dialect(name, text):
    dialect = {"tagged": TAGGED, "any": ANY, **DIALECTS}[name]
    assert parse(Unfinished(text), dialect) == Text(text)


def test_the_answer_may_be_an_action_of_its_own():
    calls = PhraseCalls((("select_frames", "choose frames {target_frames}"),))
    frames = replace(
        DEFAULT, calls=calls, answer_rule="marker", answer_marker="<action>output answer:", answer_closing="</action>"
    )
    assert parse("<action>output answer: B</action>", frames) == Answer("B")
    assert parse("<action>choose frames [1]</action>", frames) != Answer("B")
    assert isinstance(parse("<action>output answer: B</action><action>choose frames [1]</action>", frames), Malformed)
    assert write(Answer("B"), frames) == "<action>output answer:B</action>"


# ----------------------------------------------------------------------------------------------------- several calls

THREE = f"First {call(1)} then {call(2)} and {call(3)} done"


def images(dialect, text=THREE):
    return [getattr(action, "image", action) for action in parse_all(text, dialect)]


def several(rule, **fields):
    return replace(DEFAULT, several_calls=rule, **fields)


def test_of_several_calls_none_the_first_the_last_or_all_are_read():
    assert [action.code for action in parse_all(THREE, DEFAULT)] == ["two_calls"]
    assert images(several("first")) == [0]
    assert images(several("last")) == [2]
    assert images(several("all")) == [0, 1, 2]
    assert parse(THREE, several("all")) == CropImage(0, QUARTER)


def test_more_calls_than_are_allowed_are_refused_together():
    assert images(several("all", max_calls=3)) == [0, 1, 2]
    [refused] = parse_all(THREE, several("all", max_calls=2))
    assert refused == Malformed("two_calls", "At most 2 calls per turn are allowed; nothing was executed.")


def test_each_of_several_calls_is_read_on_its_own():
    mixed = f"{call(1)}<tool_call>so</tool_call>{call(3)}<tool_call>{{"
    actions = parse_all(mixed, several("all"))
    assert [getattr(action, "code", "ok") for action in actions] == ["ok", "broken_json", "ok", "cut_off"]
    assert [getattr(action, "code", "ok") for action in parse_all(mixed, several("first"))] == ["ok"]
    assert [action.code for action in parse_all(mixed, several("last"))] == ["cut_off"]


def test_a_draft_in_a_thought_is_none_of_several_calls():
    assert images(several("first"), f"<think>{call(3)}</think>{call(1)}{call(2)}") == [0]
    assert images(several("all"), f"<think>{call(3)}</think>{call(1)}{call(2)}") == [0, 1]


def test_calls_of_other_syntaxes_are_separated_in_the_same_way():
    xml = several("all", calls=XmlCalls())
    written = "\n".join(write(CropImage(image, QUARTER), xml) for image in (0, 1))
    assert images(xml, written) == [0, 1]
    bare = several("all", calls=JsonCalls("<zoom>", "</zoom>", bare="crop_image"), default_image=0)
    assert images(bare, '<zoom>{"bbox_2d": [0, 0, 1, 1]}</zoom>' * 2) == [0, 0]


def test_a_rule_that_does_not_exist_is_refused():
    with pytest.raises(UnknownNameError, match="first"):
        several("firts")
    with pytest.raises(ConfigError, match="max_calls 0"):
        several("all", max_calls=0)
