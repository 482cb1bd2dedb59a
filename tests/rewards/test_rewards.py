import numpy as np
import pytest

from pixel_env.boxes import FULL
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.failures import Failure, FailureCode
from pixel_env.operations.crop_image import CropImage
from pixel_env.task import Task
from pixel_env.types import Answer, Malformed, Prompt, Trajectory, Turn
from rewards.advantages import informative, without_rounding
from rewards.curiosity import curiosity_bonus
from rewards.penalty import efficiency_penalty
from rewards.shaping import RewardParts, group_reward_named, reward_parts

TASK = Task("t", "Which digit?", ("7",))
CALL = Turn("call", CropImage(0, FULL), None, "")
BAD_CALL = Turn(
    "call", Malformed(FailureCode.BROKEN_JSON, "broken"), Failure(FailureCode.BROKEN_JSON, "broken"), "Error"
)
ANSWER = Turn("7", Answer("7"), None, "")


def episode(*turns, reward=0.0):
    return Trajectory(TASK, Prompt("", TASK.question), (), turns=turns, reward=reward)


def test_one_caller_among_eight_is_paid_what_is_missing_to_the_threshold():
    bonus = curiosity_bonus(np.array([True] + [False] * 7))
    assert bonus[0] == pytest.approx(0.5 * (0.3 - 1 / 8))
    assert not bonus[1:].any()


def test_from_the_threshold_on_there_is_no_bonus():
    assert curiosity_bonus(np.array([True] * 2 + [False] * 6)).tolist() == pytest.approx([0.025] * 2 + [0.0] * 6)
    for valid in ([True] * 3 + [False] * 5, [True] * 3 + [False] * 7, [True] * 8):  # above it, exactly at it, all
        assert not curiosity_bonus(np.array(valid)).any()


def test_a_group_without_a_valid_operation_gets_no_bonus():
    assert group_reward_named("paper")([episode(BAD_CALL, ANSWER)] * 8).curiosity_G.tolist() == [0.0] * 8


def test_the_first_operation_is_free_and_each_further_one_costs():
    assert efficiency_penalty(np.array([0, 1, 2, 4])).tolist() == pytest.approx([0.0, 0.0, -0.05, -0.15])


def test_an_invalid_call_earns_no_bonus_does_not_count_in_rapr_but_is_penalised():
    group = [episode(BAD_CALL, BAD_CALL, ANSWER), episode(CALL, ANSWER)] + [episode(ANSWER)] * 6
    parts = group_reward_named("paper")(group)
    assert parts.curiosity_G.tolist() == pytest.approx([0.0, 0.0875] + [0.0] * 6)
    assert parts.penalty_G.tolist() == pytest.approx([-0.05] + [0.0] * 7)


def test_the_total_is_the_sum_of_the_parts():
    group = [episode(CALL, CALL, ANSWER, reward=1.0)] + [episode(ANSWER)] * 7
    assert group_reward_named("paper")(group).total_G[0] == pytest.approx(1.0 + 0.0875 - 0.05)


def test_the_correctness_preset_sees_neither_calls_nor_spam():
    group = [episode(BAD_CALL, BAD_CALL, ANSWER, reward=1.0), episode(CALL, CALL, ANSWER), episode(ANSWER, reward=0.5)]
    assert group_reward_named("correctness")(group).total_G.tolist() == [1.0, 0.0, 0.5]


@pytest.mark.parametrize("constant", [0.0, 0.1, 100.1, -7e9, 3e-9])
def test_a_group_of_equal_rewards_is_not_informative_despite_rounding_whatever_their_size(constant):
    rewards = np.array([constant] * 6, dtype=np.float32)
    advantages = rewards - rewards.mean(dtype=np.float32)
    for scaled in (advantages, advantages / (advantages.std() + 1e-9)):
        assert not informative(without_rounding(scaled, rewards, 6)).any()


@pytest.mark.parametrize("scale", [1.0, 1e-9, 1e9])
def test_rewards_that_differ_are_informative_whatever_their_size(scale):
    rewards = np.array([0.0, 0.05, 0.1, 100.1, 100.1, 100.1]) * scale
    advantages = rewards - np.repeat(rewards.reshape(2, 3).mean(1), 3)
    assert informative(without_rounding(advantages, rewards, 3)).tolist() == [True, False, True, False, False, False]


def test_a_failed_episode_does_not_make_a_group_informative_nor_hide_one_that_is():
    rewards = np.array([1.0, np.nan, 1.0, np.nan, np.nan, np.nan, 1.0, np.nan, 0.0])
    advantages = np.array([1e-8, 0.0, -1e-8, 0.0, 0.0, 0.0, 0.5, 0.0, -0.5])
    assert informative(without_rounding(advantages, rewards, 3)).tolist() == [False] * 6 + [True, False, True]


def test_advantages_relative_to_the_batch_are_rounding_only_if_all_groups_are_flat():
    rewards, advantages = np.array([1.0, 1.0, 0.0, 2.0]), np.array([-0.1, -0.1, -0.9, 1.1])
    assert without_rounding(advantages, rewards, 2, are_batch_centred=True).tolist() == advantages.tolist()
    flat = np.array([1.0, 1.0, 3.0, 3.0])
    assert not without_rounding(advantages * 1e-6, flat, 2, are_batch_centred=True).any()


def test_an_unknown_preset_names_the_close_one_and_the_way_to_an_own_reward():
    with pytest.raises(UnknownNameError, match=r"'paper'.*module:function"):
        group_reward_named("papper")


def test_an_own_group_reward_is_imported_by_module_and_function(tmp_path, monkeypatch):
    (tmp_path / "own_group_reward.py").write_text(
        "from rewards.shaping import correctness_only as mine\n", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(__import__("sys").path))
    assert group_reward_named("own_group_reward:mine")([episode(ANSWER, reward=1.0)]).total_G.tolist() == [1.0]
    with pytest.raises(ConfigError, match="Check both names"):
        group_reward_named("own_group_reward:absent")


def test_a_group_reward_of_the_wrong_length_is_refused_by_the_name_of_its_part():
    def short(group):
        return RewardParts(np.zeros(len(group)), np.zeros(1), np.zeros(len(group)))

    with pytest.raises(ConfigError, match="'curiosity' part"):
        reward_parts(short, [episode(ANSWER)] * 3)
