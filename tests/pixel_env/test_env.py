"""The dynamics of an episode: what comes back, what it costs and when it ends."""

import dataclasses
import warnings

import gymnasium as gym
import numpy as np
import pytest

from pixel_env.actions import write
from pixel_env.boxes import FULL, Box
from pixel_env.dialects.dialect import view_budgets
from pixel_env.dialects.table import DIALECTS
from pixel_env.edges import Edges
from pixel_env.env import PixelEnv
from pixel_env.errors import ConfigError, MediaError, TaskError, UnknownNameError
from pixel_env.failures import FailureCode
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import TaskSet
from pixel_env.testing import BrokenSource, PixelSource, tiny_task, tiny_task_set, tiny_video_task
from pixel_env.types import Answer, Limits, Stop, Unfinished
from pixel_env.views import View, ViewKind

DEFAULT, RELEASED = DIALECTS["default"], DIALECTS["released"]
QUARTER = write(CropImage(0, Box(0.5, 0.5, 1.0, 1.0)), DEFAULT)


def opened(task=None, **options):
    env = PixelEnv([task or tiny_task()], **options)
    env.reset(seed=0)
    return env


# ------------------------------------------------------------------------------------------------- the opening


def test_reset_gives_what_the_dialect_sends_and_the_images_at_their_shown_size():
    env = PixelEnv([tiny_task(options=("red", "blue"))])
    observation, info = env.reset(seed=0)
    assert (
        "<tools>" in observation["text"] and "Which digit is on the red card?\n(A) red\n(B) blue" in observation["text"]
    )
    assert [image.shape for image in observation["images"]] == [(448, 448, 3)]
    assert info == {"task_id": "tiny-0", "action": None, "failure": None, "stop": None, "notice": ""}
    assert observation in env.observation_space


def test_the_task_sets_notice_is_given_on_reset_and_on_every_step():
    env = PixelEnv(tiny_task_set(notice="embedded"))
    assert env.reset()[1]["notice"] == "embedded"
    assert env.step(QUARTER)[4]["notice"] == "embedded"


def test_a_task_is_chosen_by_its_id_and_the_draw_follows_the_seed():
    env = PixelEnv(tiny_task_set(50))
    assert env.reset(options={"task_id": "tiny-31"})[1]["task_id"] == "tiny-31"
    drawn = [env.reset(seed=5)[1]["task_id"], env.reset()[1]["task_id"], env.reset()[1]["task_id"]]
    again = [env.reset(seed=5)[1]["task_id"], env.reset()[1]["task_id"], env.reset()[1]["task_id"]]
    assert drawn == again and len(set(drawn)) > 1


def test_an_unknown_task_or_option_is_an_error_with_a_suggestion():
    env = PixelEnv(tiny_task_set(3))
    with pytest.raises(UnknownNameError, match=r"Did you mean 'tiny-2'"):
        env.reset(options={"task_id": "tinny-2"})
    with pytest.raises(UnknownNameError, match=r"Did you mean 'task_id'"):
        env.reset(options={"task": "tiny-2"})


def test_two_tasks_of_one_id_cannot_be_chosen_between():
    with pytest.raises(TaskError, match="two tasks have the id 'tiny-0'"):
        PixelEnv([tiny_task(), tiny_task()]).reset(options={"task_id": "tiny-0"})


def test_an_image_that_cannot_be_read_is_the_users_error():
    with pytest.raises(MediaError, match=r"broken\.png"):
        PixelEnv([tiny_task(sources=(BrokenSource(),))]).reset()


def test_a_question_without_images_is_an_episode_too():
    env = PixelEnv([tiny_task(sources=(), media="text", evidence=())])
    assert env.reset()[0]["images"] == ()
    assert "there are no images" in env.step(QUARTER)[0]["text"]
    assert env.step("\\boxed{7}")[1] == 1.0


# ------------------------------------------------------------------------------------------------ looking closer


def test_a_crop_brings_an_image_and_says_its_number():
    observation, reward, terminated, truncated, info = opened().step(QUARTER)
    assert observation["text"] == "Here is the cropped image (image 2, 224x224 pixels):"
    assert observation["images"][0].shape == (224, 224, 3)
    assert (reward, terminated, truncated, info["failure"], info["stop"]) == (0.0, False, False, None, None)
    assert info["action"] == CropImage(0, Box(0.5, 0.5, 1.0, 1.0))


@pytest.mark.parametrize("dialect", ["default", "qwen2.5-vl", "qwen3-vl"])
def test_a_crop_of_a_crop_shows_the_sources_own_pixels(dialect):
    # The overview shows 2,800 px at a tenth; two crops later one pixel of the source is one pixel of the observation.
    tight = view_budgets((1, 280 * 280), (1, 280 * 280), (1, 1000), (1, 1000), factor=1)
    env = opened(tiny_task(sources=(PixelSource(2800, 2800),)), dialect=dialect, budgets=tight)
    env.step(write(CropImage(0, Box(0.5, 0.5, 1.0, 1.0)), env.dialect, [(280, 280)]))
    observation, *_ = env.step(write(CropImage(1, Box(0.5, 0.0, 0.7, 0.2)), env.dialect, [(280, 280)] * 2))
    image = observation["images"][0]
    rows, columns = np.mgrid[1400:1680, 2100:2380]
    assert image.shape == (280, 280, 3)
    assert np.array_equal(image[..., 0], columns % 256) and np.array_equal(image[..., 1], rows % 256)


def test_a_dialect_that_crops_what_was_shown_sees_no_more_than_that():
    tight = view_budgets((1, 280 * 280), (1, 280 * 280), (1, 1000), (1, 1000), factor=1)
    env = opened(tiny_task(sources=(PixelSource(2800, 2800),)), dialect="released", budgets=tight)
    observation, *_ = env.step(write(CropImage(0, Box(0.4, 0.4, 0.6, 0.6)), RELEASED))
    assert observation["images"][0].shape == (112, 112, 3)  # 0.1 of padding on each side, of 280 shown pixels


def test_images_are_numbered_through_the_episode_and_several_sources_stay_apart():
    env = opened(tiny_task(sources=(PixelSource(shade=10), PixelSource(shade=20))))
    assert env.step(write(CropImage(1, FULL), DEFAULT))[0]["images"][0][0, 0, 2] == 20
    observation, *_ = env.step(write(CropImage(2, Box(0, 0, 0.5, 0.5)), DEFAULT))
    assert observation["images"][0][0, 0, 2] == 20 and "image 4" in observation["text"]


def test_frames_are_shown_larger_and_numbered():
    env = opened(tiny_video_task(16))
    assert len(env.trajectory.prompt_views) == 16
    observation, *_ = env.step(write(SelectFrames((3, 5)), DEFAULT))
    assert [int(image[0, 0, 2]) for image in observation["images"]] == [3, 5]
    assert "(images 17 to 18)" in observation["text"]


# ---------------------------------------------------------------------------------------------------- mistakes

MISTAKES = {
    "broken_json": "<tool_call>{</tool_call>",
    "cut_off": "<tool_call>{",
    "two_calls": QUARTER + QUARTER,
    "unknown_operation": QUARTER.replace("crop_image", "zoom"),
    "bad_arguments": QUARTER.replace("target_image", "image"),
    "box_length": QUARTER.replace("[0.5, 0.5, 1.0, 1.0]", "[0.5]"),
    "box_not_finite": QUARTER.replace("[0.5, 0.5, 1.0, 1.0]", "[0, 0, NaN, 1]"),
    "box_empty": QUARTER.replace("[0.5, 0.5, 1.0, 1.0]", "[0.5, 0.5, 0.5, 1]"),
    "box_inverted": QUARTER.replace("[0.5, 0.5, 1.0, 1.0]", "[0.5, 0.5, 0.2, 1]"),
    "box_outside": QUARTER.replace("[0.5, 0.5, 1.0, 1.0]", "[5, 5, 100, 100]"),
    "no_such_image": QUARTER.replace('"target_image": 1', '"target_image": 7'),
    "crop_too_small": QUARTER.replace("[0.5, 0.5, 1.0, 1.0]", "[0.5, 0.5, 0.51, 0.51]"),
    "not_a_video": write(SelectFrames((0,)), DEFAULT),
}
VIDEO_MISTAKES = {
    "no_frames": write(SelectFrames(()), DEFAULT),
    "no_such_frame": write(SelectFrames((99,)), DEFAULT),
    "too_many_frames": write(SelectFrames((0,) * 9), DEFAULT),
}


def assert_told(env, text, code):
    before = env.trajectory.views
    observation, reward, terminated, truncated, info = env.step(text)
    assert info["failure"].code == code
    assert observation == {"text": f"Error ({code}): {info['failure'].message}", "images": ()}
    assert (reward, terminated, truncated) == (0.0, False, False)
    assert env.trajectory.views == before and env.trajectory.operations == 1 and env.trajectory.valid_operations == 0
    assert env.step("\\boxed{7}")[1] == 1.0  # the episode goes on


@pytest.mark.parametrize("code", MISTAKES)
def test_a_mistake_is_reported_to_the_model_and_the_episode_continues(code):
    assert_told(opened(), MISTAKES[code], code)


@pytest.mark.parametrize("code", VIDEO_MISTAKES)
def test_a_mistake_with_frames_is_reported_to_the_model_and_the_episode_continues(code):
    assert_told(opened(tiny_video_task(16)), VIDEO_MISTAKES[code], code)


def test_a_crop_that_is_too_long_is_reported():
    budgets = view_budgets(*[(1, 10**6)] * 4, factor=1)
    env = opened(
        tiny_task(sources=(PixelSource(28, 5600),)),
        budgets=budgets,
        dialect=dataclasses.replace(DEFAULT, edges=Edges(min_side=1)),
    )
    assert_told(env, write(CropImage(0, Box(0.0, 0.0, 0.03, 1.0)), DEFAULT), "crop_too_long")


def test_an_image_that_can_no_longer_be_read_is_reported():
    class Vanishing(PixelSource):
        key = "vanishing"
        decode = BrokenSource.decode

    env = opened()
    view = View(Vanishing(), ViewKind.ORIGINAL)
    env._trajectory = dataclasses.replace(env.trajectory, prompt_views=(view,))
    assert_told(env, QUARTER, "unreadable_source")


def test_every_failure_code_is_covered_by_the_tests_above():
    assert {*MISTAKES, *VIDEO_MISTAKES, "crop_too_long", "unreadable_source"} == {code.value for code in FailureCode}


def test_thin_boxes_inside_of_thin_boxes_never_raise():
    env = opened(limits=Limits(max_turns=10), dialect=dataclasses.replace(DEFAULT, edges=Edges(min_side=1)))
    for image in range(4):
        call = write(CropImage(image, FULL), DEFAULT).replace("[0.0, 0.0, 1.0, 1.0]", "[0.5, 0.5, 0.50001, 0.50001]")
        assert env.step(call)[4]["failure"] is None


# ------------------------------------------------------------------------------------------------- how it ends


def test_a_right_answer_is_the_only_thing_that_is_rewarded():
    env = opened()
    assert env.step(QUARTER)[1] == 0.0
    observation, reward, terminated, truncated, info = env.step("It is \\boxed{7}.")
    assert (observation["images"], reward, terminated, truncated) == ((), 1.0, True, False)
    assert info["action"] == Answer("7") and info["stop"] is Stop.ANSWERED
    assert (env.trajectory.answer, env.trajectory.reward) == ("7", 1.0)


def test_a_wrong_answer_ends_the_episode_with_nothing():
    assert opened().step("\\boxed{8}")[1:4] == (0.0, True, False)


def test_the_last_turns_call_is_executed_and_then_the_episode_is_truncated():
    env = opened(limits=Limits(max_turns=2))
    assert env.step(QUARTER)[3] is False
    observation, reward, terminated, truncated, info = env.step(QUARTER)
    assert len(observation["images"]) == 1 and (reward, terminated, truncated) == (0.0, False, True)
    assert info["stop"] is Stop.TURNS and env.trajectory.valid_operations == 2


def test_an_answer_in_the_last_turn_counts():
    assert opened(limits=Limits(max_turns=1)).step("\\boxed{7}")[1:4] == (1.0, True, False)


def test_an_image_beyond_the_image_budget_is_not_added_and_a_person_reads_why():
    env = opened(limits=Limits(max_images=2))
    env.step(QUARTER)
    observation, reward, terminated, truncated, info = env.step(QUARTER)
    assert observation["images"] == () and "at most 2 images" in observation["text"]
    assert (reward, terminated, truncated, info["stop"]) == (0.0, False, True, Stop.IMAGES)
    assert len(env.trajectory.views) == 2
    assert (env.trajectory.operations, env.trajectory.valid_operations) == (2, 1)
    assert env.trajectory.executed == (True, False)


def test_only_calls_that_brought_something_count_as_executed():
    env = opened(limits=Limits(max_turns=5))
    for text in (QUARTER, "Let me think.", "<tool_call>", QUARTER.replace("0.5", "7"), "\\boxed{7}"):
        env.step(text)
    assert env.trajectory.executed == (True, False, False, False, False)
    assert (env.trajectory.operations, env.trajectory.valid_operations) == (3, 1)


def test_a_video_counts_as_one_image():
    env = opened(tiny_video_task(16), limits=Limits(max_images=3))
    assert env.step(write(SelectFrames((0, 1)), DEFAULT))[4]["stop"] is None
    assert env.step(write(SelectFrames((0,)), DEFAULT))[4]["stop"] is Stop.IMAGES


def count_words(text, sizes):
    return len(text.split()) + 100 * len(sizes)


def test_tokens_are_counted_over_the_whole_conversation_before_an_observation_is_added():
    task = tiny_task(question="q")
    used = count_words(opened(task).trajectory.prompt.text, [1])
    reply = count_words("Here is the cropped image (image 2, 224x224 pixels):", [1])
    enough = used + count_words(QUARTER, []) + reply
    env = opened(task, limits=Limits(max_tokens=enough), count_tokens=count_words)
    assert env.step(QUARTER)[4]["stop"] is None
    env = opened(task, limits=Limits(max_tokens=enough - 1), count_tokens=count_words)
    observation, _, terminated, truncated, info = env.step(QUARTER)
    assert (observation["images"], terminated, truncated, info["stop"]) == ((), False, True, Stop.TOKENS)
    assert f"at most {enough - 1} tokens" in observation["text"] and env.trajectory.turns[-1].views == ()


def test_without_a_counter_tokens_are_estimated():
    env = opened(limits=Limits(max_tokens=100_000))
    assert env.step("x" * 500_000)[4]["stop"] is Stop.TOKENS


def test_a_prompt_that_alone_exceeds_a_budget_is_the_users_error():
    with pytest.raises(TaskError, match=r"limits\.max_images; raise the limit"):
        opened(tiny_task(sources=(PixelSource(), PixelSource())), limits=Limits(max_images=1))
    with pytest.raises(TaskError, match=r"limits\.max_tokens; raise the limit"):
        opened(limits=Limits(max_tokens=1))


def test_a_turn_after_the_end_or_before_the_start_is_refused():
    env = opened()
    env.step("\\boxed{7}")
    with pytest.raises(gym.error.ResetNeeded, match=r"answered.*reset"):
        env.step(QUARTER)
    with pytest.raises(gym.error.ResetNeeded, match="reset"):
        PixelEnv([tiny_task()]).step(QUARTER)


def test_an_action_that_is_no_text_is_refused():
    with pytest.raises(TypeError, match="got a int"):
        opened().step(3)


# ------------------------------------------------------------------------------------- turns without call or answer


def test_a_finished_turn_without_call_or_answer_is_answered_with_what_is_expected():
    observation, _, terminated, truncated, _ = opened().step("Hm.")
    assert observation["text"] == "Call a tool, or give the final answer within \\boxed{}."
    assert (terminated, truncated) == (False, False)


def test_a_turn_that_was_truncated_is_continued_without_a_word_between():
    env = opened()
    observation, *_ = env.step(Unfinished("Let me think"))
    assert observation == {"text": "", "images": ()}
    assert len(env.trajectory.turns) == 1  # it cost a turn


@pytest.mark.parametrize(
    ("chunks", "action"),
    [
        (["so \\box", "ed{7}"], Answer("7")),
        (["so ", "\\boxed{", "7}"], Answer("7")),
        (["<tool", QUARTER.removeprefix("<tool")], CropImage(0, Box(0.5, 0.5, 1.0, 1.0))),
    ],
)
def test_what_begins_in_one_chunk_may_end_in_the_next(chunks, action):
    env = opened()
    for chunk in chunks[:-1]:
        env.step(Unfinished(chunk))
    assert env.step(chunks[-1])[4]["action"] == action
    assert [turn.text for turn in env.trajectory.turns] == chunks


def test_a_message_that_was_ended_is_not_continued_by_the_next():
    env = opened()
    env.step(Unfinished("so \\box"))
    env.step("ed")
    observation, *_ = env.step("{7}")
    assert "Call a tool" in observation["text"]


def test_a_call_that_was_truncated_is_reported_as_such():
    assert opened().step(Unfinished(QUARTER[:-5]))[4]["failure"].code == "cut_off"


def test_the_released_dialect_takes_any_turn_without_a_call_as_the_answer():
    assert opened(dialect="released").step("7")[1:3] == (1.0, True)
    assert opened(dialect="released").step("I see \\boxed{7}")[1:3] == (1.0, True)


def test_the_tiny_dialect_plays_with_few_words():
    env = PixelEnv([tiny_task()], dialect="tiny")
    assert env.reset()[0]["text"] == "Which digit is on the red card?"
    observation, *_ = env.step("<crop> 8 8 16 16")
    assert observation["text"] == "" and observation["images"][0].shape == (128, 128, 3)
    assert env.step("<crop> 8 8")[0]["text"].startswith("A box has 4 numbers")
    assert env.step("<answer>7")[1] == 1.0


# --------------------------------------------------------------------------------------------------- configuration


def set_with_budgets():
    return TaskSet("declared", [tiny_task()], "", view_budgets(*[(28 * 28, 100 * 28 * 28)] * 4, factor=28))


def test_budgets_come_from_the_argument_then_the_task_set_then_the_dialect():
    own = view_budgets(*[(28 * 28, 50 * 28 * 28)] * 4, factor=28)
    assert PixelEnv(set_with_budgets(), budgets=own).budgets == own
    assert PixelEnv(set_with_budgets()).budgets == set_with_budgets().budgets
    assert PixelEnv([tiny_task()]).budgets == DEFAULT.budgets


def test_a_task_sets_pixels_are_shown_in_the_multiples_of_the_dialects_model():
    env = PixelEnv(set_with_budgets(), dialect="qwen3-vl")
    assert env.budgets.original.factor == 32 and env.budgets.original.max_pixels == 100 * 28 * 28


def test_a_larger_budget_than_the_task_sets_draws_a_warning():
    with pytest.warns(UserWarning, match="may be readable without a crop") as caught:
        PixelEnv(set_with_budgets(), budgets=DEFAULT.budgets)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PixelEnv(set_with_budgets(), budgets=set_with_budgets().budgets)
        PixelEnv([tiny_task()], budgets=DEFAULT.budgets)


@pytest.mark.parametrize(
    "limits",
    [
        {"max_turns": 0},
        {"max_turn": 3},
        {"max_images": -1},
        {"max_tokens": 0},
        {"max_turns": None},
        {"max_images": 2.5},
    ],
)
def test_limits_that_make_no_sense_are_refused(limits):
    with pytest.raises(ConfigError, match="max_turns, max_images, max_tokens"):
        PixelEnv([tiny_task()], limits=limits)


def test_budgets_that_make_no_sense_are_refused():
    with pytest.raises(ConfigError, match="original, crop, video_frame, selected_frame"):
        PixelEnv([tiny_task()], budgets={"original": {"min_pixels": 1}})


def test_an_unknown_render_mode_is_refused():
    with pytest.raises(ConfigError, match="rgb_array"):
        PixelEnv([tiny_task()], render_mode="human")


def test_an_image_is_decoded_once_per_episode():
    class Counting(PixelSource):
        calls = 0

        def decode(self):
            Counting.calls += 1
            return super().decode()

    env = opened(tiny_task(sources=(Counting(281, 281),)))
    env.step(QUARTER)
    env.step(QUARTER)
    assert Counting.calls == 1


def test_braces_in_a_question_are_kept():
    assert "What is {x}?" in opened(tiny_task(question="What is {x}?")).trajectory.prompt.question
