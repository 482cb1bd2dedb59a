"""Call syntaxes: what is written is read back, what cannot be read says the form, and no text costs quadratic time."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.actions import parse, system_text, write
from pixel_env.boxes import FULL, Box
from pixel_env.dialects import (
    DIALECTS,
    ArgumentCalls,
    Call,
    Coordinates,
    ImageNames,
    IntegerCalls,
    JsonCalls,
    PhraseCalls,
    XmlCalls,
)
from pixel_env.errors import ConfigError
from pixel_env.failures import Failure
from pixel_env.operations.arguments import Drawing
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.registry import OPERATIONS
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.types import Malformed
from tests.cpu_time import NOT_QUADRATIC, growth

DEFAULT = DIALECTS["default"]
SIZES = [(512, 512), (1024, 256)]
QUARTER = CropImage(0, Box(0.5, 0.5, 1.0, 1.0))
SHIPPED = ("crop_image", "select_frames", "rotate", "flip", "resize", "point_zoom", "enhance")

PHRASES = PhraseCalls(
    (
        ("crop_image", "zoom into {bbox_2d} of image {target_image}"),
        ("select_frames", "choose frames {target_frames}"),
    )
)
SYNTAXES = {
    "json": JsonCalls(),
    "json, other tags": JsonCalls("<act>", "</act>"),
    "json, parameters": JsonCalls(arguments_key="parameters"),
    "json, on lines": JsonCalls(break_lines=True),
    "xml": XmlCalls(),
    "xml, other tags": XmlCalls("<call>", "</call>"),
    "arguments": ArgumentCalls(),
}
MARKED = {**SYNTAXES, "bare": JsonCalls("<grounding>", "</grounding>", bare="crop_image"), "phrases": PHRASES}


def dialect(calls, **fields):
    return replace(DEFAULT, calls=calls, **fields)


# ------------------------------------------------------------------------------------------- written and read back


@pytest.mark.parametrize(
    ("calls", "text"),
    [
        (
            JsonCalls("<act>", "</act>", arguments_key="parameters"),
            '<act>{"name": "crop_image", "parameters": {"bbox_2d": [0.5, 0.5, 1.0, 1.0], "target_image": 1}}</act>',
        ),
        (
            JsonCalls("<grounding>", "</grounding>", bare="crop_image"),
            '<grounding>{"bbox_2d": [0.5, 0.5, 1.0, 1.0], "target_image": 1}</grounding>',
        ),
        (
            JsonCalls(break_lines=True),
            '<tool_call>\n{"name": "crop_image", "arguments": {"bbox_2d": [0.5, 0.5, 1.0, 1.0], "target_image": 1}}\n'
            "</tool_call>",
        ),
        (
            XmlCalls(),
            "<tool_call>\n<function=crop_image>\n<parameter=bbox_2d>\n[0.5, 0.5, 1.0, 1.0]\n</parameter>\n"
            "<parameter=target_image>\n1\n</parameter>\n</function>\n</tool_call>",
        ),
        (
            ArgumentCalls(),
            "<tool_call>crop_image\n<arg_key>bbox_2d</arg_key>\n<arg_value>[0.5, 0.5, 1.0, 1.0]</arg_value>\n"
            "<arg_key>target_image</arg_key>\n<arg_value>1</arg_value>\n</tool_call>",
        ),
        (PHRASES, "<action>zoom into [0.5, 0.5, 1.0, 1.0] of image 1</action>"),
    ],
)
def test_the_lower_right_quarter_in_every_syntax(calls, text):
    assert write(QUARTER, dialect(calls)) == text
    assert parse(f"It is small.\n{text} Let me see.", dialect(calls)) == QUARTER


@pytest.mark.parametrize("unit", [Coordinates("fraction"), Coordinates("pixel"), Coordinates("grid", 1024)])
@pytest.mark.parametrize("calls", SYNTAXES)
@given(seed=st.integers(0, 2**32 - 1), operation=st.sampled_from(SHIPPED))
def test_every_operation_that_ships_is_read_back(calls, unit, seed, operation):
    names = ImageNames("img_{number}") if seed % 2 else None
    ours = dialect(SYNTAXES[calls], coordinates=unit, operations=SHIPPED, image_names=names, keys={"box": "region"})
    drawn = OPERATIONS[operation].draw(Drawing(np.random.default_rng(seed), images=2, frames=16))
    written = write(drawn, ours, SIZES, SIZES)
    assert parse(written, ours, SIZES, SIZES) == drawn
    assert ours.calls.without_call(f"before {written} after") == "before   after"
    assert parse(f"before {written}", ours, SIZES, SIZES) == drawn


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("ab 1\n\t[]{}\"',.:é數truefalsnN-"),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text("abc", min_size=1), values, max_size=3),
    max_leaves=5,
)  # fmt: skip


@pytest.mark.parametrize("name", ["json", "json, on lines", "xml", "arguments"])
@given(arguments=st.dictionaries(st.text("abc_", min_size=1), JSON_VALUES, max_size=4))
def test_any_json_value_comes_back_under_its_key(name, arguments):
    calls = SYNTAXES[name]
    assert calls.parse(calls.write(Call("zoom", arguments)), ["zoom"], is_unfinished=False) == Call("zoom", arguments)


@given(start=JSON_VALUES, end=JSON_VALUES)
def test_any_json_value_comes_back_from_the_gap_of_a_phrase(start, end):
    calls = PhraseCalls((("choose", "choose frames between {start} and {end}"),))
    call = Call("choose", {"start": start, "end": end})
    assert calls.parse(calls.write(call), ["choose"], is_unfinished=False) == call


# --------------------------------------------------------------------------------------------------------- phrases


def test_a_text_that_would_end_its_gap_is_not_written():
    calls = PhraseCalls((("choose", "choose frames between {start} and {end}"),))
    with pytest.raises(ValueError, match="reads as the same arguments"):
        calls.write(Call("choose", {"start": "a and b", "end": 1}))


@pytest.mark.parametrize(
    "body",
    ["choose frames [3, 5]", " Choose  FRAMES\n[3, 5] ", "choose frames\t[3,5]"],
)
def test_case_and_blanks_of_a_phrase_do_not_matter(body):
    assert parse(f"<action>{body}</action>", dialect(PHRASES)) == SelectFrames((2, 4))


@pytest.mark.parametrize(
    "body",
    ["choose frames", "choose frames ", "choose frames[3]", "please choose frames [3]", "zoom into  of image 1", ""],
)
def test_another_phrase_is_refused_with_those_that_there_are(body):
    action = parse(f"<action>{body}</action>", dialect(PHRASES))
    assert isinstance(action, Malformed) and action.code == "bad_arguments"
    assert '"choose frames {target_frames}"' in action.reason


def test_of_two_phrases_of_one_operation_the_one_with_the_same_arguments_is_written():
    calls = PhraseCalls((("go", "go to {end}"), ("go", "go from {start} to {end}"), ("stay", "stay here")))
    assert calls.write(Call("go", {"start": 1, "end": 2})) == "<action>go from 1 to 2</action>"
    assert calls.write(Call("stay", {})) == "<action>stay here</action>"
    for text, call in [
        ("go to 7", Call("go", {"end": 7})),
        ("go from 1 to 2", Call("go", {"start": 1, "end": 2})),
        ("stay here", Call("stay", {})),
    ]:
        assert calls.parse(f"<action>{text}</action>", ["go"], is_unfinished=False) == call
    with pytest.raises(ValueError, match="has no phrase for go with start"):
        calls.write(Call("go", {"start": 1}))


@pytest.mark.parametrize("phrase", ["{start}", " {start} ", "from {start}{end}", ""])
def test_a_phrase_without_words_between_its_gaps_is_refused(phrase):
    with pytest.raises(ConfigError, match="words with gaps between them"):
        PhraseCalls((("go", phrase),))


# ------------------------------------------------------------------------------------- what can be said and called


def test_a_syntax_without_names_offers_its_one_operation():
    bare = dialect(JsonCalls("<grounding>", "</grounding>", bare="crop_image"))
    assert [operation.name for operation in bare.offered] == ["crop_image"]
    assert bare.can_say(QUARTER) and not bare.can_say(SelectFrames((0,)))
    with pytest.raises(ValueError, match="cannot select frames"):
        write(SelectFrames((0,)), bare)
    assert dialect(PHRASES, operations=SHIPPED).offered == (CropImage, SelectFrames)


@pytest.mark.parametrize("calls", MARKED)
def test_the_system_text_has_the_marks_and_every_operation(calls):
    text = system_text(dialect(MARKED[calls]))
    assert MARKED[calls].opening in text and MARKED[calls].closing in text
    assert "Zoom in on a region of an image." in text
    assert ("parameters" in MARKED["json, parameters"].tool_text([])) and '"name"' not in MARKED["bare"].tool_text([])


def test_text_around_a_call_is_kept_and_a_text_without_one_is_itself():
    for calls in MARKED.values():
        assert calls.without_call("no call here") == "no call here"
    assert IntegerCalls().without_call("look <crop> 1 2 3 4") == "look"


# ----------------------------------------------------------------------------------------------- what cannot be read


@pytest.mark.parametrize(
    ("name", "body", "code", "said"),
    [
        ("json", "crop", "broken_json", '<tool_call>{"name": ..., "arguments": {...}}</tool_call>'),
        ("json, parameters", "crop", "broken_json", '"parameters": {...}'),
        ("bare", "crop", "broken_json", "<grounding>{...}</grounding>"),
        ("bare", "[1, 2]", "bad_arguments", "crop_image takes bbox_2d"),
        ("bare", '{"name": "crop_image", "arguments": {}}', "bad_arguments", "It has no 'name'."),
        ("json, parameters", '{"name": "crop_image", "arguments": {}}', "bad_arguments", "crop_image takes bbox_2d"),
        ("json", '{"name": "zoom", "arguments": {}}', "unknown_operation", "crop_image and select_frames"),
        ("json", '{"name": ["crop_image"], "arguments": {}}', "bad_arguments", '"name" and "arguments"'),
        ("json", '{"name": "crop_image", "arguments": "{}"}', "bad_arguments", "crop_image takes"),
        ("xml", '{"name": "crop_image", "arguments": {}}', "bad_arguments", "<function=NAME>"),
        ("xml", "<function=crop_image>so", "bad_arguments", "<function=NAME>"),
        ("xml", "<function=crop_image><parameter=bbox_2d>[1]</function>", "bad_arguments", "<function=NAME>"),
        ("xml", "<function=zoom></function>", "unknown_operation", "crop_image and select_frames"),
        ("xml", "<function=crop_image></function>", "bad_arguments", "crop_image takes"),
        ("xml", "<function=crop_image><parameter=bbox_2d>here</parameter><parameter=target_image>1</parameter>",
         "bad_arguments", "a list of 4 numbers"),
        ("arguments", '{"name": "crop_image", "arguments": {}}', "unknown_operation", "crop_image and select_frames"),
        ("arguments", "", "bad_arguments", "the function's name"),
        ("arguments", "<arg_key>a</arg_key>", "bad_arguments", "the function's name"),
        ("arguments", "crop_image<arg_key>a</arg_key>", "bad_arguments", "<arg_value>VALUE"),
        ("arguments", "crop_image<arg_key>a</arg_key>x<arg_value>1</arg_value>", "bad_arguments", "<arg_key>KEY"),
        ("arguments", "crop_image<arg_key>a</arg_key><arg_value>1</arg_value>x", "bad_arguments", "<arg_key>KEY"),
        ("arguments", "crop_image\n<arg_key>zoom</arg_key><arg_value>1</arg_value>", "bad_arguments", "no 'zoom'"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_says_what_can(name, body, code, said):
    calls = MARKED[name]
    action = parse(calls.opening + body + calls.closing, dialect(calls))
    assert isinstance(action, Malformed) and action.code == code
    assert said in action.reason


@pytest.mark.parametrize("name", MARKED)
def test_a_call_without_its_closing_mark_and_two_calls_are_refused(name):
    calls = MARKED[name]
    written = write(QUARTER, dialect(calls))
    cut = parse(written.removesuffix(calls.closing), dialect(calls))
    assert cut == Malformed("cut_off", f"The call was cut off: it must end with {calls.closing}.")
    assert parse(written + written, dialect(calls)).code == "two_calls"


def test_a_function_without_its_own_closing_mark_is_read():
    """Qwen3-Coder leaves `</function>` out now and then; vLLM's parser reads it, too."""
    text = write(QUARTER, dialect(XmlCalls())).replace("</function>\n", "")
    assert parse(text, dialect(XmlCalls())) == QUARTER


HOSTILE = {
    "xml": [("<function=a>", " ", "x"), ("<function=a>", "<parameter=a>", ""), ("", "<function=", ""),
            ("<function=a>", "<parameter=a>1</parameter>", ""), ("", "</function>", "")],
    "arguments": [("a<arg_key>", " ", ""), ("a", "<arg_key>b</arg_key>", ""), ("a<arg_key>", "</arg_key> ", "")],
    "phrases": [("choose frames", " ", "x"), ("zoom into ", "of image ", "\n"), ("zoom into", " of", "")],
    "json": [("", "[", ""), ("", '{"name":', ""), ("", "1", "")],
}  # fmt: skip
"""By the name of a syntax: what a body begins with, what it repeats, and what it ends with."""


@pytest.mark.parametrize(("name", "body"), [(name, body) for name, bodies in HOSTILE.items() for body in bodies])
def test_no_body_costs_quadratic_time(name, body):
    calls, (start, piece, end) = MARKED[name], body

    def read(times):
        text = calls.opening + start + piece * times + end + calls.closing
        return calls.parse(text, ["crop_image"], is_unfinished=False)

    assert growth(read, 4_000) < NOT_QUADRATIC


@given(st.text("<>/=ab \n{}[]\"'1,_toolcfunin", max_size=60), st.sampled_from(sorted(MARKED)))
def test_any_body_is_a_call_or_a_failure(body, name):
    calls = MARKED[name]
    read = calls.parse(calls.opening + body + calls.closing, ["crop_image"], is_unfinished=False)
    assert isinstance(read, Call | Failure)


def test_a_nested_value_stays_json_and_a_text_that_reads_as_json_is_quoted():
    calls = XmlCalls()
    written = calls.write(Call("zoom", {"text": "7", "list": ["7"], "word": "red car"}))
    assert '"7"' in written and json.dumps(["7"]) in written and "\nred car\n" in written
    assert parse(write(CropImage(0, FULL), dialect(calls)), dialect(calls)) == CropImage(0, FULL)
