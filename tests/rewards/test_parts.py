"""Named parts of a group's reward: any number of them, weighted, checked at the first group."""

import functools
import re
import subprocess
import sys

import numpy as np
import pytest

from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.task import Task
from pixel_env.types import Answer, Prompt, Trajectory, Turn
from rewards.parts import GroupRewards, check_same_names
from rewards.shaping import PRESETS, RewardPart, RewardParts, group_reward_named, paper, reward_parts

TASK = Task("t", "Which digit?", ("7",))
ANSWER = Turn("7", Answer("7"), None, "")
GROUP = [Trajectory(TASK, Prompt("", TASK.question), (), turns=(ANSWER,), reward=reward) for reward in (1.0, 0.0, 0.5)]


def returning(value):
    def own_reward(group):
        return value

    return own_reward


def refused(value):
    """The message with which what a group reward returned is refused."""
    with pytest.raises(ConfigError) as caught:
        reward_parts(returning(value), GROUP)
    message = str(caught.value)
    assert f"'{__name__}:returning.<locals>.own_reward'" in message
    return message


def test_the_total_is_the_weighted_sum_of_any_number_of_parts():
    values = {
        "correctness": np.array([1.0, 0.0, 0.5]),
        "brevity": RewardPart(np.array([-2, -4, 0]), weight=0.25),
        "format": RewardPart(np.array([True, False, True])),
        "watched only": RewardPart(np.array([9.0, 9.0, 9.0], dtype=np.float32), weight=0),
    }
    rewards = reward_parts(returning(values), GROUP)
    assert rewards.total_G.tolist() == [1.5, -1.0, 1.5] and rewards.total_G.dtype == np.float64
    assert list(rewards.named()) == ["correctness", "brevity", "format", "watched only"]
    assert rewards.named()["brevity"].tolist() == [-2.0, -4.0, 0.0]  # as returned: the weight counts in the total


def test_a_single_part_is_a_reward():
    assert reward_parts(returning({"grade": np.array([1.0, 2.0, 3.0])}), GROUP).total_G.tolist() == [1.0, 2.0, 3.0]


def test_the_three_parts_of_the_method_are_still_made_by_name_and_by_position():
    arrays = np.array([0.1, 0.2, 0.3]), np.array([0.7, 0.0, 0.1]), np.array([-0.05, 0.0, -0.15])
    by_name = RewardParts(correctness_G=arrays[0], curiosity_G=arrays[1], penalty_G=arrays[2])
    total = arrays[0] + arrays[1] + arrays[2]
    for parts in (by_name, RewardParts(*arrays)):
        assert np.array_equal(parts.total_G, total) and len(parts) == 3
        checked = reward_parts(returning(parts), GROUP)
        assert np.array_equal(checked.total_G, total)  # to the bit, rounding included
        assert list(checked.named()) == list(parts.named()) == ["correctness", "curiosity", "penalty"]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_gives_the_same_bits_checked_and_unchecked(name):
    preset = group_reward_named(name)
    assert reward_parts(preset, GROUP).total_G.tobytes() == preset(GROUP).total_G.tobytes()


def test_a_preset_is_extended_by_a_part_and_one_of_its_parts_is_weighted_anew():
    def own(group):
        parts = paper(group)
        return {**parts, "correctness": RewardPart(parts.correctness_G, weight=2), "length": np.ones(len(group))}

    assert reward_parts(own, GROUP).total_G.tolist() == [3.0, 1.0, 2.0]


def test_an_array_that_the_function_fills_again_does_not_change_the_group_before():
    shared = np.zeros(3)

    def filling(group):
        shared[:] += 1
        return {"count": shared}

    first, second = reward_parts(filling, GROUP), reward_parts(filling, GROUP)
    assert (first.total_G.tolist(), second.total_G.tolist()) == ([1.0] * 3, [2.0] * 3)


# ------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (np.zeros(2), "shape (2,)"),
        (np.zeros((3, 1)), "shape (3, 1)"),
        (np.float64(1.0), "a float64"),
        (np.zeros(()), "shape ()"),
        ([0.0, 0.0, 0.0], "a list"),
        (1.0, "a float"),
        (None, "None"),
        (np.array(["a", "b", "c"]), "an array of <U1"),
        (np.array([None, 1, 2]), "an array of object"),
        (np.array([1j, 0, 0]), "an array of complex128"),
        (np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]), "a MaskedArray"),
        (np.array([0.0, np.nan, 0.0]), "nan for rollout 1"),
        (np.array([0.0, 0.0, -np.inf]), "-inf for rollout 2"),
    ],
)
def test_a_part_without_one_finite_number_per_rollout_is_refused_by_its_name(value, got):
    for part in (value, RewardPart(value, weight=0.5)):
        message = refused({"correctness": np.zeros(3), "brevity": part})
        assert "'brevity' part" in message and got in message and "wanted" in message


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), "0.5", None, np.ones(3)])
def test_a_weight_that_is_no_finite_number_is_refused(weight):
    assert (
        "'brevity' part" in (message := refused({"brevity": RewardPart(np.zeros(3), weight)})) and "weight" in message
    )


def test_a_total_that_overflows_is_refused():
    assert "weighted sum" in refused({"a": np.full(3, 1e308), "b": RewardPart(np.full(3, 1e308), weight=10)})


@pytest.mark.parametrize("value", [None, np.zeros(3), [("a", np.zeros(3))], 1.0, (np.zeros(3), np.zeros(3)), {}])
def test_a_function_that_returns_no_named_parts_is_refused_with_what_to_return(value):
    assert "Return a mapping from name to array" in refused(value)


@pytest.mark.parametrize("name", ["", "  ", 3, None, (), b"bytes"])
def test_a_part_without_a_name_is_refused(name):
    assert "Give it a name" in refused({name: np.zeros(3)})


@pytest.mark.parametrize("name", [" edge", "edge ", "two\nlines", "tab\t", "\ud800", "zero\u200bwidth", "\u202eturned"])
def test_a_name_that_cannot_be_read_in_a_log_is_refused(name):
    assert "printable" in refused({name: np.zeros(3)})


@pytest.mark.parametrize("name", ["group_reward/mean", "brevity/std", "/mean"])
def test_a_name_that_trl_logs_itself_is_refused(name):
    assert "TRL" in refused({"mean": np.zeros(3), "std": np.zeros(3), name: np.zeros(3)})


@pytest.mark.parametrize("twin", ["brevity", "ＢＲＥＶＩＴＹ", "BREVITY"])
def test_two_parts_whose_names_read_the_same_are_refused(twin):
    class Twice(dict):
        """A mapping that lists a name twice."""

        def __iter__(self):
            return iter(["Brevity", twin])

        def __len__(self):
            return 2

    assert "with the same name" in refused(Twice({"Brevity": np.zeros(3), twin: np.zeros(3)}))


@pytest.mark.parametrize(
    "name", ["<img src=x onerror=alert(1)>", "x" * 20_000, "[/red]", "a/b", "名前", "__proto__", "1"]
)
def test_an_odd_name_that_can_be_read_is_taken(name):
    assert list(reward_parts(returning({name: np.zeros(3)}), GROUP).parts) == [name]


def test_parts_that_differ_between_groups_are_refused_with_both_lists():
    rewards = GroupRewards({"a": RewardPart(np.zeros(3))})
    check_same_names(rewards, ["a"], paper)
    for expected in (["a", "b"], ["b"], []):
        with pytest.raises(ConfigError, match=r"'rewards.shaping:paper'.*same parts for every group"):
            check_same_names(rewards, expected, paper)


def test_an_object_and_a_partial_function_are_named_in_the_message():
    class Own:
        def __call__(self, group, scale=1.0):
            return {"a": np.zeros(1)}

    for given, name in ((Own(), "Own'"), (functools.partial(Own(), scale=2.0), "Own'"), (Own().__call__, "__call__'")):
        with pytest.raises(ConfigError, match=re.escape(name)):
            reward_parts(given, GROUP)


# ------------------------------------------------------------------------------------------------ names of rewards


def test_every_preset_has_one_line_of_description():
    for name, preset in PRESETS.items():
        assert 10 < len(preset.description) < 100 and "\n" not in preset.description
        assert group_reward_named(name) is preset.reward


def test_presets_are_listed_without_the_training_libraries():
    code = "import sys; from rewards.shaping import PRESETS; print(*PRESETS, {'torch', 'trl'} & set(sys.modules))"
    listed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert listed.split() == [*PRESETS, "set()"]


@pytest.mark.parametrize(
    ("given", "hint"), [("Paper", "paper"), ("released_code", "released-code"), ("corectness", "correctness")]
)
def test_a_misspelt_preset_is_answered_by_the_close_one(given, hint):
    with pytest.raises(UnknownNameError, match=f"Did you mean '{hint}'"):
        group_reward_named(given)


def test_a_misspelt_function_is_answered_by_the_close_one_and_a_value_is_refused(tmp_path, monkeypatch):
    (tmp_path / "own_parts_reward.py").write_text("WEIGHT = 0.5\ndef brevity_pays(group):\n    return {}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(sys.path))
    with pytest.raises(ConfigError, match="Did you mean 'own_parts_reward:brevity_pays'"):
        group_reward_named("own_parts_reward:brevity_pay")
    with pytest.raises(ConfigError, match=r"is a float\. Wanted: a function"):
        group_reward_named("own_parts_reward:WEIGHT")
    with pytest.raises(ConfigError, match="Check both names"):
        group_reward_named("own_parts_rewards:brevity_pays")
