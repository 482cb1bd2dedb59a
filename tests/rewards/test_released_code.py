"""The reward of the authors' code: every number here is worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from pixel_env.boxes import FULL
from pixel_env.failures import Failure, FailureCode
from pixel_env.operations.crop_image import CropImage
from pixel_env.task import Task
from pixel_env.types import Answer, Malformed, Prompt, Text, Trajectory, Turn
from rewards.curiosity import released_curiosity_bonus
from rewards.shaping import group_reward_named

IMAGE = Task("t", "Which digit?", ("7",))
VIDEO = replace(IMAGE, media="video")
TOO_SMALL = Failure(FailureCode.CROP_TOO_SMALL, "too small")
BROKEN = Failure(FailureCode.BROKEN_JSON, "broken")
CALL = Turn("call", CropImage(0, FULL), None, "")
REFUSED = Turn("call", CropImage(0, FULL), TOO_SMALL, "Error")
UNREADABLE = Turn("call", Malformed(BROKEN.code, BROKEN.message), BROKEN, "Error")
THOUGHT = Turn("hm", Text("hm"), None, "Go on.")
ANSWER = Turn("7", Answer("7"), None, "")


def episode(*turns, reward=0.0, task=IMAGE):
    return Trajectory(task, Prompt("", task.question), (), turns=turns, reward=reward)


def parts_of(group):
    return group_reward_named("released-code")(group)


@pytest.mark.parametrize(
    ("users", "size", "image", "video"),
    [
        (1, 8, 0.175, 7 / 30),  # 0.175 = 0.25 * (0.3 - 0.125) / (2 * 0.125); a video's is 2 / 1.5 times as large
        (2, 8, 0.025, 1 / 30),
        (3, 8, 0.0, 0.0),
        (3, 10, 0.0, 0.0),  # exactly at the threshold
        (8, 8, 0.0, 0.0),
        (1, 16, 0.475, 19 / 30),
        (0, 8, 0.0, 0.0),
    ],
)
def test_the_bonus_is_a_budget_of_the_group_which_its_callers_share(users, size, image, video):
    used = np.array([True] * users + [False] * (size - users))
    for is_video, bonus in ((False, image), (True, video)):
        expected = [bonus] * users + [0.0] * (size - users)
        assert released_curiosity_bonus(used, is_video=is_video).tolist() == pytest.approx(expected)


def test_the_query_decides_whether_it_is_a_videos_bonus():
    rest = [episode(ANSWER)] * 7
    assert parts_of([episode(CALL, ANSWER), *rest]).curiosity_G[0] == pytest.approx(0.175)
    of_video = [replace(row, task=VIDEO) for row in [episode(CALL, ANSWER), *rest]]
    assert parts_of(of_video).curiosity_G[0] == pytest.approx(7 / 30)


def test_a_refused_call_earns_the_bonus_counts_in_rapr_and_is_penalised():
    group = [episode(UNREADABLE, UNREADABLE, ANSWER), episode(CALL, ANSWER)] + [episode(ANSWER)] * 6
    parts = parts_of(group)
    assert parts.curiosity_G.tolist() == pytest.approx([0.025, 0.025] + [0.0] * 6)  # the paper: 0.0 and 0.0875
    assert parts.penalty_G.tolist() == pytest.approx([-0.05] + [0.0] * 7)


def test_a_right_answer_after_a_refused_call_is_worth_nothing_unless_a_later_call_mends_it():
    group = [
        episode(REFUSED, ANSWER, reward=1.0),
        episode(REFUSED, THOUGHT, ANSWER, reward=1.0),
        episode(REFUSED, CALL, ANSWER, reward=1.0),
        episode(CALL, REFUSED, ANSWER, reward=1.0),
        episode(ANSWER, reward=1.0),
        episode(UNREADABLE, ANSWER, reward=0.4),
    ]
    assert parts_of(group).correctness_G.tolist() == [0.0, 0.0, 1.0, 0.0, 1.0, 0.0]


def test_a_refused_call_costs_its_own_rollout_the_answer_whatever_the_first_query_of_the_batch_did():
    first = [episode(REFUSED, ANSWER, reward=1.0)] + [episode(ANSWER, reward=1.0)] * 7
    second = [episode(CALL, ANSWER, reward=1.0)] + [episode(REFUSED, ANSWER, reward=1.0)] * 7
    assert parts_of(first).correctness_G.tolist() == [0.0] + [1.0] * 7
    assert parts_of(second).correctness_G.tolist() == [1.0] + [0.0] * 7


def test_a_wrong_answer_is_worth_nothing_and_never_less():
    assert parts_of([episode(ANSWER)] * 8).total_G.tolist() == [0.0] * 8


def test_the_total_of_a_whole_group_is_the_sum_of_its_parts():
    group = [episode(CALL, CALL, ANSWER, reward=1.0), episode(REFUSED, ANSWER, reward=1.0)]
    group += [episode(ANSWER, reward=1.0)] * 3 + [episode(ANSWER)] * 3
    # 2 of 8 call: 0.025 each; the first pays 0.05 for its second call, the second loses its answer.
    assert parts_of(group).total_G.tolist() == pytest.approx([0.975, 0.025, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
