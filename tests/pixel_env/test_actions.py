"""The grammar: every dialect's texts become typed actions, and what cannot be read says why."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_env.actions import parse, system_text, tool_schemas, write
from pixel_env.boxes import Box
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.integer_calls import IntegerCalls
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.table import DIALECTS, dialect_named
from pixel_env.errors import UnknownNameError
from pixel_env.grading.boxed import last_boxed
from pixel_env.operations.coordinates import Coordinates
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.types import Answer, Malformed, Text, Unfinished
from tests.cpu_time import NOT_QUADRATIC, growth

DEFAULT, TINY, RELEASED = DIALECTS["default"], DIALECTS["tiny"], DIALECTS["released"]
QUARTER = [0.5, 0.5, 1, 1]
SIZES = [(800, 600), (400, 400)]
CROPPING = sorted(name for name, dialect in DIALECTS.items() if "crop_image" in dialect.operations)


def call(arguments, name="crop_image"):
    return f"<tool_call>{json.dumps({'name': name, 'arguments': arguments})}</tool_call>"


def crop_call(box, image=1, **more):
    return call({"bbox_2d": box, "target_image": image, **more})


# ------------------------------------------------------------------------------------------------ what is read


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("default", crop_call([0.5, 0.5, 1, 1])),
        ("qwen2.5-vl", crop_call([400, 300, 800, 600])),
        ("qwen3-vl", crop_call([500, 500, 1000, 1000])),
        ("released", crop_call([0.5, 0.5, 1, 1]).replace("crop_image", "crop_image_normalized")),
        ("tiny", "<crop> 8 8 16 16"),
    ],
)
def test_each_dialect_says_the_lower_right_quarter_in_its_own_unit(name, text):
    assert parse(text, DIALECTS[name], SIZES) == CropImage(0, Box(0.5, 0.5, 1.0, 1.0))


@pytest.mark.parametrize("name", ["qwen2.5-vl", "qwen3-vl"])
def test_fractions_are_not_guessed_in_a_dialect_of_other_units(name):
    action = parse(crop_call(QUARTER), DIALECTS[name], [(28, 28)])
    assert not (isinstance(action, CropImage) and action.box.area > 0.1)


def test_a_call_may_stand_after_reasoning_and_its_whole_number_may_be_written_as_a_float():
    assert parse("Let me look. " + crop_call(QUARTER, 2.0), DEFAULT) == CropImage(1, Box(0.5, 0.5, 1.0, 1.0))


def test_frames_are_read_from_the_first_index_on():
    assert parse(call({"target_frames": [1, 16]}, "select_frames"), DEFAULT) == SelectFrames((0, 15))


def test_a_call_wins_over_an_answer_in_the_same_turn():
    assert isinstance(parse("\\boxed{7} " + crop_call(QUARTER), DEFAULT), CropImage)
    assert isinstance(parse("<answer>7 <crop> 0 0 4 4", TINY), CropImage)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("So it is \\boxed{7}.", "7"),
        ("\\boxed{1} no, \\boxed{ two words }", "two words"),
        ("\\boxed{\\frac{1}{2}}", "\\frac{1}{2}"),
        ("\\boxed{\\boxed{3}}", "3"),
        ("} \\boxed{4} \\boxed{cut", "4"),
        ("\\boxed {}", ""),
    ],
)
def test_the_last_complete_box_is_the_answer(text, answer):
    assert parse(text, DEFAULT) == Answer(answer)


@pytest.mark.parametrize("text", ["thinking", "\\boxed{cut", "boxed{7}", ""])
def test_a_turn_without_call_and_answer_is_text(text):
    assert parse(text, DEFAULT) == Text(text)


def test_a_model_that_repeats_an_open_box_does_not_cost_quadratic_time():
    assert last_boxed("\\boxed{" * 50_000) is None
    assert growth(lambda times: last_boxed("\\boxed{" * times), 5_000) < NOT_QUADRATIC


def test_a_marked_answer_that_was_truncated_is_not_one_yet():
    assert parse("<answer>7", TINY) == Answer("7")
    assert isinstance(parse(Unfinished("<answer>7"), TINY), Text)


def test_in_the_released_dialect_a_turn_without_a_call_is_the_answer():
    assert parse("It is red.", RELEASED) == Answer("It is red.")
    assert parse("It is \\boxed{red}.", RELEASED) == Answer("red")


# ------------------------------------------------------------------------------------------ what cannot be read


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("<tool_call>{'name': 1}</tool_call>", "broken_json", '{"name": ..., "arguments": {...}}'),
        ("<tool_call>" + "[" * 100_000 + "</tool_call>", "broken_json", "valid JSON"),
        ("<tool_call>" + "1" * 5_000 + "</tool_call>", "broken_json", "valid JSON"),
        ('<tool_call>{"name": "crop_image"', "cut_off", "must end with </tool_call>"),
        (crop_call(QUARTER) * 2, "two_calls", "one call per turn"),
        (call({}, "zoom"), "unknown_operation", "there are crop_image and select_frames"),
        ("<tool_call>[1]</tool_call>", "bad_arguments", '"name" and "arguments"'),
        ("<tool_call>{}</tool_call>", "bad_arguments", '"name" and "arguments"'),
        (call(None), "bad_arguments", "bbox_2d (a list of 4 numbers) and target_image (a whole number)"),
        (call({"bbox_2d": QUARTER}), "bad_arguments", "target_image"),
        (crop_call(QUARTER, label="card"), "bad_arguments", "bbox_2d"),
        (crop_call(["a", 0, 1, 1]), "bad_arguments", "bbox_2d"),
        (crop_call([True, 0, 1, 1]), "bad_arguments", "bbox_2d"),
        (crop_call("0.5"), "bad_arguments", "bbox_2d"),
        (crop_call(QUARTER, True), "bad_arguments", "whole number"),
        (crop_call(QUARTER, 1.5), "bad_arguments", "whole number"),
        (crop_call(QUARTER, float("nan")), "bad_arguments", "whole number"),
        (crop_call([0, 0, 1]), "box_length", "4 numbers"),
        (crop_call([0, 0, float("nan"), 1]), "box_not_finite", "finite"),
        (crop_call([0, 0, 10**400, 1]), "box_not_finite", "finite"),
        (crop_call([0.5, 0, 0.5, 1]), "box_empty", "fractions from 0 to 1"),
        (crop_call([0.5, 0, 0.2, 1]), "box_inverted", "fractions from 0 to 1"),
        (crop_call([0, 0, 2, 1]), "box_outside", "2% of the side. Coordinates are fractions from 0 to 1"),
        (call({"target_frames": 3}, "select_frames"), "bad_arguments", "target_frames (a list of whole numbers)"),
        (call({"target_frames": [1.5]}, "select_frames"), "bad_arguments", "whole numbers"),
        (call({}, "select_frames"), "bad_arguments", "target_frames"),
    ],
)
def test_what_cannot_be_read_says_what_is_allowed(text, code, said):
    action = parse(text, DEFAULT)
    assert isinstance(action, Malformed)
    assert action.code == code and said in action.reason


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("<crop> 1 2 3", "box_length", "4 numbers"),
        ("<crop>", "box_length", "4 numbers"),
        ("<crop> 1 2 3 x", "bad_arguments", "4 whole numbers"),
        ("<crop> 1 2 3 ٤", "bad_arguments", "4 whole numbers"),
        ("<crop> 1 2 3 99999999999", "bad_arguments", "4 whole numbers"),
        ("<crop> 0 0 17 4", "box_outside", "run from 0 to 16"),
        ("<crop> 4 0 2 4", "box_inverted", "run from 0 to 16"),
        ("<crop> 0 0 4 4 <crop> 0 0 4 4", "two_calls", "one call per turn"),
        (Unfinished("<crop> 0 0 4 4"), "cut_off", "cut off"),
    ],
)
def test_what_cannot_be_read_in_integers_says_what_is_allowed(text, code, said):
    action = parse(text, TINY)
    assert isinstance(action, Malformed)
    assert action.code == code and said in action.reason


@pytest.mark.parametrize("image", [0, 3, 10**400, -(10**400)])
def test_a_dialect_in_pixels_needs_an_image_that_exists(image):
    action = parse(crop_call([0, 0, 100, 100], image), DIALECTS["qwen2.5-vl"], SIZES)
    assert isinstance(action, Malformed)
    assert action.code == "no_such_image" and "numbered 1 to 2" in action.reason


def test_without_any_image_the_message_says_so():
    action = parse(crop_call([0, 0, 100, 100]), DIALECTS["qwen2.5-vl"], [])
    assert isinstance(action, Malformed) and "there are no images" in action.reason


@given(st.text(), st.sampled_from(sorted(DIALECTS)), st.booleans())
def test_any_text_is_read_as_some_action(text, name, is_unfinished):
    parse(Unfinished(text) if is_unfinished else text, DIALECTS[name], SIZES)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(["default", "qwen2.5-vl", "qwen3-vl"]),
    st.sampled_from(["crop_image", "select_frames"]),
    st.fixed_dictionaries({"bbox_2d": JSON, "target_image": JSON})
    | st.fixed_dictionaries({"target_frames": JSON})
    | JSON,
)
def test_any_json_is_read_as_some_action(name, operation, arguments):
    parse(call(arguments, operation), DIALECTS[name], SIZES)


# -------------------------------------------------------------------------------------------------- what is written


@pytest.mark.parametrize("name", CROPPING)
@given(left=st.integers(0, 15), top=st.integers(0, 15), right=st.integers(1, 16), bottom=st.integers(1, 16))
def test_what_is_written_is_read_back(name, left, top, right, bottom):
    if left >= right or top >= bottom:
        return
    action = CropImage(0, Box(left / 16, top / 16, right / 16, bottom / 16))
    sizes = [(1600, 800)]
    again = parse(write(action, DIALECTS[name], sizes, sizes), DIALECTS[name], sizes, sizes)
    assert isinstance(again, CropImage) and again.image == 0
    assert again.box.corners == pytest.approx(action.box.corners, abs=0.001)


@pytest.mark.parametrize("name", CROPPING)
@pytest.mark.parametrize("corner", [0.0, 0.49, 0.99999])
def test_a_box_that_rounding_would_empty_is_one_unit_wide(name, corner):
    thin = CropImage(0, Box(corner, corner, corner + 0.000005, corner + 0.000005))
    written = write(thin, DIALECTS[name], SIZES, SIZES)
    assert isinstance(parse(written, DIALECTS[name], SIZES, SIZES), CropImage)


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_answers_are_read_back_in_every_dialect(name):
    assert parse(write(Answer("two words"), DIALECTS[name]), DIALECTS[name]) == Answer("two words")


def test_what_a_dialect_cannot_say_is_an_error():
    with pytest.raises(ValueError, match="cannot select frames"):
        write(SelectFrames((0,)), TINY)
    with pytest.raises(ValueError, match="only crop the first image"):
        write(CropImage(1, Box(0, 0, 1, 1)), TINY)
    with pytest.raises(ValueError, match="cannot write the answer"):
        write(Answer("open {"), DEFAULT)
    with pytest.raises(ValueError, match="Malformed"):
        write(parse("<tool_call>", DEFAULT), DEFAULT)


def test_frames_are_written_as_they_are_read():
    assert parse(write(SelectFrames((0, 3)), DEFAULT), DEFAULT) == SelectFrames((0, 3))


# ------------------------------------------------------------------------------------------------ schemas and table


def test_the_schemas_name_exactly_the_arguments_that_are_read():
    crop, frames = (schema["function"] for schema in tool_schemas(DEFAULT))
    assert set(crop["parameters"]["properties"]) == {"bbox_2d", "target_image"}
    assert set(frames["parameters"]["required"]) == {"target_frames"}
    assert tool_schemas(TINY) == []


def test_the_system_text_shows_the_tools_where_the_dialect_does():
    assert "<tools>" in system_text(DEFAULT) and '"crop_image"' in system_text(DEFAULT)
    assert system_text(TINY) == ""


def test_a_misspelt_dialect_gets_a_suggestion():
    with pytest.raises(UnknownNameError, match=r"Did you mean 'qwen3-vl'\?"):
        dialect_named("qwen3vl")


def test_a_dialect_that_contradicts_itself_is_refused():
    with pytest.raises(ValueError, match="text_continues"):
        Dialect("mine", JsonCalls(), Coordinates("fraction"), DEFAULT.budgets, text_continues=False)
    assert Dialect("mine", IntegerCalls(), Coordinates("grid", 8), DEFAULT.budgets).name == "mine"
