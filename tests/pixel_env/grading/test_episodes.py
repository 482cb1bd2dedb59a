"""What of an episode is graded: the final answer of the final turn, and nothing else of it."""

from dataclasses import replace

import pytest

from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.dialects.table import DIALECTS, dialect_named
from pixel_env.env import PixelEnv
from pixel_env.operations.crop_image import CropImage
from pixel_env.testing import tiny_task
from pixel_env.types import Answer, Limits, Unfinished

CROP = CropImage(0, Box(0.0, 0.0, 0.5, 0.5))
CROPPING = sorted(name for name, dialect in DIALECTS.items() if "crop_image" in dialect.operations)
SIZES = [(280, 280)]  # of the image, as shown and as it is stored
RIGHT = r"The answer is 7: \boxed{7} <answer>7</answer>"


def talkative(name):
    """A dialect whose every observation says the right answer."""
    dialect = dialect_named(name)
    said = RIGHT.replace("{", "{{").replace("}", "}}")
    wording = replace(dialect.wording, observations={"crop_image": said}, failure=said, expected=said)
    return replace(dialect, wording=wording)


def reward_of(turns, dialect, **limits):
    """The rewards of playing `turns`; the answer is 7."""
    env = PixelEnv([tiny_task(answers=("7",), grader="number")], dialect=dialect, limits=Limits(**limits))
    env.reset(seed=0)
    rewards, texts = [], []
    for turn in turns:
        observation, reward, terminated, truncated, _ = env.step(turn)
        rewards.append(reward)
        texts.append(observation["text"])
        if terminated or truncated:
            break
    return rewards, texts


@pytest.mark.parametrize("name", CROPPING)
def test_an_observation_that_says_the_right_answer_earns_nothing(name):
    dialect = talkative(name)
    call, wrong = write(CROP, dialect, SIZES, SIZES), write(Answer("8"), dialect)
    rewards, texts = reward_of([call, wrong], dialect)
    assert "7" in texts[0] and rewards == [0.0, 0.0]


@pytest.mark.parametrize("name", CROPPING)
def test_an_episode_without_an_answer_earns_nothing_whatever_was_observed(name):
    dialect = talkative(name)
    rewards, texts = reward_of([write(CROP, dialect, SIZES, SIZES)] * 2, dialect, max_turns=2)
    assert "7" in texts[-1] and rewards == [0.0, 0.0]


@pytest.mark.parametrize("name", CROPPING)
def test_a_right_answer_after_an_observation_with_a_wrong_one_earns_its_grade(name):
    dialect = dialect_named(name)
    wording = replace(dialect.wording, observations={"crop_image": r"\boxed{{8}} <answer>8</answer>"})
    dialect = replace(dialect, wording=wording)
    rewards, _ = reward_of([write(CROP, dialect, SIZES, SIZES), write(Answer("7"), dialect)], dialect)
    assert rewards == [0.0, 1.0]


def test_an_answer_beside_a_call_is_not_the_final_one():
    dialect = dialect_named("default")
    call = write(CROP, dialect, SIZES, SIZES)
    rewards, _ = reward_of([rf"\boxed{{7}} {call}", r"\boxed{8}"], dialect)
    assert rewards == [0.0, 0.0]


def test_what_an_earlier_turn_says_without_a_box_is_not_graded():
    dialect = dialect_named("default")
    rewards, _ = reward_of(["It must be 7.", r"\boxed{8}"], dialect)
    assert rewards == [0.0, 0.0]
    rewards, _ = reward_of(["It must be 8.", r"\boxed{7}"], dialect)
    assert rewards == [0.0, 1.0]


def test_of_several_answers_in_the_final_turn_the_last_one_is_graded():
    dialect = dialect_named("default")
    assert reward_of([r"\boxed{7}, no: \boxed{8}"], dialect)[0] == [0.0]
    assert reward_of([r"\boxed{8}, no: \boxed{7}"], dialect)[0] == [1.0]


def test_a_box_that_its_token_limit_truncated_is_graded_once_it_is_closed():
    dialect = dialect_named("default")
    assert reward_of([Unfinished(r"so \boxed{"), "7}"], dialect)[0] == [0.0, 1.0]
