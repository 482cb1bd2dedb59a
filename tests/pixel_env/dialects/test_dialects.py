"""Variants of a dialect: the released code's prompt sets and its pixels while training."""

import numpy as np
import pytest

from pixel_env.actions import parse, system_text, write
from pixel_env.boxes import FULL
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.table import DIALECTS, dialect_named
from pixel_env.dialects.variants import VARIANTS
from pixel_env.env import PixelEnv
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.failures import FailureCode
from pixel_env.operations.arguments import Drawing
from pixel_env.operations.coordinates import Coordinates
from pixel_env.operations.crop_image import CropImage
from pixel_env.testing import PixelSource, tiny_task, tiny_video_task
from pixel_env.types import Answer, Malformed, Stop

JSON_DIALECTS = [name for name, dialect in DIALECTS.items() if isinstance(dialect.calls, JsonCalls)]
CALL = write(CropImage(0, FULL), dialect_named("released"))


def opening(dialect):
    env = PixelEnv([tiny_task()], dialect=dialect)
    env.reset(seed=0)
    return env.trajectory.prompt


END = {
    False: lambda dialect: "within \\boxed{}.",
    True: lambda dialect: f"between {dialect.answer_marker} and {dialect.answer_closing}.",
}


@pytest.mark.parametrize("name", JSON_DIALECTS)
def test_a_variant_changes_what_it_is_about_and_leaves_the_wire_format_as_it_is(name):
    operation = DIALECTS[name].offered[0].draw(Drawing(np.random.default_rng(0)))
    sizes = [(560, 560)], [(1120, 1120)]
    for variant in ("vcot", "train-pixels", "vcot:train-pixels"):
        derived = dialect_named(f"{name}:{variant}")
        assert derived.name == f"{name}:{variant}"
        assert write(operation, derived, *sizes) == write(operation, DIALECTS[name], *sizes)
        assert parse(write(Answer("7"), derived), derived) == Answer("7")


@pytest.mark.parametrize("name", JSON_DIALECTS)
def test_the_prompt_set_vcot_names_the_operations_as_the_dialect_calls_them(name):
    prompt, dialect = opening(f"{name}:vcot"), DIALECTS[name]
    assert "<tools>" in prompt.system
    assert all(f"`{dialect.name_of(operation)}`" in prompt.question for operation in dialect.offered)
    assert prompt.question.endswith(END[bool(dialect.answer_closing)](dialect))


@pytest.mark.parametrize("name", JSON_DIALECTS)
def test_the_prompt_set_notool_says_nothing_of_tools(name):
    prompt, dialect = opening(f"{name}:notool"), DIALECTS[name]
    assert prompt.system == dialect.system
    words = ("tool", *map(dialect.name_of, dialect.offered), dialect.calls.opening)
    assert not any(word in prompt.text for word in words)
    assert prompt.question.endswith(END[bool(dialect.answer_closing)](dialect))


def test_without_tools_a_call_is_refused_and_the_episode_continues():
    env = PixelEnv([tiny_task()], dialect="released:notool")
    env.reset(seed=0)
    observation, reward, terminated, truncated, info = env.step(CALL + "\\boxed{7}")
    assert isinstance(info["action"], Malformed) and info["failure"].code is FailureCode.UNKNOWN_OPERATION
    assert (observation["images"], reward, terminated, truncated) == ((), 0.0, False, False)
    assert "answer" in observation["text"] and "crop" not in observation["text"]
    assert env.step("It is \\boxed{7}")[1:3] == (1.0, True)
    assert env.trajectory.stop is Stop.ANSWERED and env.trajectory.valid_operations == 0


def test_without_tools_a_call_cannot_be_written():
    with pytest.raises(ValueError, match="no calls"):
        write(CropImage(0, FULL), dialect_named("released:notool"))


def test_without_tools_a_turn_that_says_nothing_is_answered_with_a_request_for_an_answer_only():
    env = PixelEnv([tiny_task()], dialect="default:notool")
    env.reset(seed=0)
    assert env.step("Let me think.")[0]["text"] == "Put the final answer within \\boxed{}."


@pytest.mark.parametrize(("name", "factor"), [("released", 28), ("qwen3-vl", 32)])
def test_pixels_while_training_are_2000_1000_512_and_400_tokens_of_the_dialects_own_size(name, factor):
    env = PixelEnv([tiny_task(sources=(PixelSource(2800, 2000),))], dialect=f"{name}:train-pixels")
    budgets = env.budgets
    kinds = (budgets.original, budgets.crop, budgets.video_frame, budgets.selected_frame)
    assert [budget.max_pixels / factor**2 for budget in kinds] == [2000, 1000, 512, 400]
    assert {budget.factor for budget in kinds} == {factor}
    height, width, _ = env.reset(seed=0)[0]["images"][0].shape
    assert 1900 <= (height // factor) * (width // factor) <= 2000


def test_of_two_prompt_sets_the_last_one_counts():
    assert opening("released:notool:vcot") == opening("released:vcot")
    assert opening("released:vcot:notool") == opening("released:notool")


def test_a_misspelt_variant_gets_a_suggestion_and_an_unknown_dialect_the_list_of_variants():
    with pytest.raises(UnknownNameError, match=r"Did you mean 'notool'\?.*'released:no-tool'"):
        dialect_named("released:no-tool")
    with pytest.raises(UnknownNameError, match=", ".join(VARIANTS)):
        dialect_named("relased:notool")


def test_a_dialect_whose_calls_are_not_json_has_no_variants():
    with pytest.raises(ConfigError, match="'tiny' has no variants"):
        dialect_named("tiny:notool")


def test_a_dialect_that_shows_tools_and_refuses_their_calls_is_refused_itself():
    with pytest.raises(ValueError, match="shows_tools"):
        Dialect("mine", JsonCalls(), Coordinates("fraction"), DIALECTS["default"].budgets, offers_calls=False)


def test_sixteen_frames_and_eight_selected_ones_are_shown_in_the_pixels_of_training():
    env = PixelEnv([tiny_video_task()], dialect="released:vcot:train-pixels")
    observation, _ = env.reset(seed=0)
    assert len(observation["images"]) == 16
    call = '<tool_call>{"name": "select_frames", "arguments": {"target_frames": [1, 2, 3, 4, 5, 6, 7, 16]}}</tool_call>'
    assert len(env.step(call)[0]["images"]) == 8


def test_the_prompt_says_how_many_calls_a_turn_may_have():
    for name, dialect in DIALECTS.items():
        several = f"up to {dialect.max_calls} functions per turn" in system_text(dialect)
        assert several == (dialect.several_calls == "all"), name
