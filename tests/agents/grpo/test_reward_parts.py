"""A reward with parts of its own, from a file outside of the package to the log and the table of completions."""

import json
import sys

import numpy as np
import pandas
import pytest
from rich.text import Text

from agents.engines.protocol import Response
from agents.engines.scripted import ScriptedEngine, in_turn
from agents.grpo.config import PixelGRPOConfig
from agents.grpo.metrics import part_metrics
from agents.grpo.rewards import GroupShaping, completion_columns
from agents.grpo.trainer import PixelGRPOTrainer
from pixel_env.episode import Stop
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.task import Task
from pixel_env.tasks import load_tasks
from pixel_env.types import Prompt, Trajectory
from rewards.shaping import RewardPart

ROWS, GROUP = 8, 4
HOSTILE = "<b>[/red] & 'quoted' " + "x" * 300
OWN_REWARD = f"""
import numpy as np
from rewards.shaping import RewardPart, paper


def four_parts(group):
    cropped_G = np.array([trajectory.valid_operations > 0 for trajectory in group])
    turns_G = np.array([len(trajectory.turns) for trajectory in group])
    return {{
        "grade": np.array([trajectory.reward for trajectory in group]),
        "cropped": RewardPart(cropped_G, weight=0.5),
        "turns": RewardPart(turns_G, weight=-0.1),
        {HOSTILE!r}: RewardPart(np.arange(len(group)), weight=0),
    }}


def parts_by_task(group):
    return {{"grade": np.zeros(len(group)), group[0].task.task_id: np.ones(len(group))}}
"""


@pytest.fixture
def own_reward(tmp_path, monkeypatch):
    """The working folder of a user with a reward in a file; the module's name is new for each test."""
    module = f"own_reward_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{module}.py").write_text(OWN_REWARD, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return module


def config(folder, **options):
    sizes = {"max_turns": 2, "max_turn_tokens": 8, "max_completion_length": 32, "num_generations": GROUP}
    steps = {"per_device_train_batch_size": ROWS, "max_steps": 2, "logging_steps": 1, "save_strategy": "no"}
    plain = {"gradient_checkpointing": False, "disable_tqdm": True, "use_cpu": True, "dialect": "tiny"}
    return PixelGRPOConfig(output_dir=str(folder / "run"), **(sizes | steps | plain | options))


class Scripted(PixelGRPOTrainer):
    """The trainer with scripts in the place of the policy: every second rollout of a group crops first."""

    breaks = False

    def _engine(self, policy):
        crops, guesses = in_turn("<crop> 0 0 4 4", "<answer>7"), in_turn("<answer>7")
        breaks = self.breaks

        class Engine(ScriptedEngine):
            def poll(self):
                return [
                    Response(r.request_id, (), (), ended=True, error="lost")
                    if breaks and not r.request_id % ROWS
                    else r
                    for r in super().poll()
                ]

        return Engine(lambda c: (crops if c.request.request_id % 2 else guesses)(c), self.chat)


def trained(checkpoint, args, count=8):
    trainer = Scripted(str(checkpoint), load_tasks("sample:vstar-tiny", split="train", count=count), args)
    trainer.train()
    return [row for row in trainer.state.log_history if "reward" in row]


def table(folder, step):
    return pandas.read_parquet(folder / "run" / "completions" / f"completions_{step:05d}.parquet")


def test_four_parts_of_a_reward_outside_the_package_are_logged_and_tabled_at_both_steps(
    tiny_checkpoint, own_reward, tmp_path
):
    rows = trained(tiny_checkpoint, config(tmp_path, group_reward=f"{own_reward}:four_parts", log_completions=True))
    assert [row["step"] for row in rows] == [1, 2]
    for row in rows:
        assert row["rewards/grade"] == row["accuracy"]
        assert (row["rewards/cropped"], row["rewards/turns"], row[f"rewards/{HOSTILE}"]) == (0.5, 1.5, 1.5)
        assert row["reward"] == pytest.approx(row["rewards/grade"] + 0.5 * 0.5 - 0.1 * 1.5)
        assert {name for name in row if name.startswith("rewards/")} == {
            *(f"rewards/{part}" for part in ("grade", "cropped", "turns", HOSTILE)),
            *("rewards/group_reward/mean", "rewards/group_reward/std"),  # TRL's own, of the total
        }
        of_each = table(tmp_path, row["step"])
        assert of_each["rewards/cropped"].tolist() == [0.0, 1.0] * (ROWS // 2)
        total = of_each["rewards/grade"] + 0.5 * of_each["rewards/cropped"] - 0.1 * of_each["rewards/turns"]
        assert total.tolist() == pytest.approx(of_each["group_reward"].tolist())
        assert [column.startswith("rewards/<b>") for column in of_each.columns].count(True) == 1
    json.dumps(rows)


def test_an_episode_that_failed_has_no_part_and_does_not_count_in_their_means(tiny_checkpoint, own_reward, tmp_path):
    Scripted.breaks = True
    try:
        args = config(tmp_path, group_reward=f"{own_reward}:four_parts", log_completions=True, max_steps=1)
        [row] = trained(tiny_checkpoint, args)
    finally:
        Scripted.breaks = False
    assert row["rewards/cropped"] == pytest.approx(4 / 7) and row["rewards/turns"] == pytest.approx(11 / 7)
    assert table(tmp_path, 1)["rewards/cropped"].isna().tolist() == [True] + [False] * (ROWS - 1)


def test_the_same_parts_are_logged_of_held_out_rollouts(tiny_checkpoint, own_reward, tmp_path):
    args = config(tmp_path, group_reward=f"{own_reward}:four_parts", per_device_eval_batch_size=GROUP, max_steps=1)
    tasks = load_tasks("sample:vstar-tiny", split="train", count=2)
    figures = Scripted(str(tiny_checkpoint), tasks, args, eval_tasks=tasks).evaluate()
    assert (figures["eval_rewards/cropped"], figures["eval_rewards/turns"]) == (0.5, 1.5)


def test_parts_that_change_from_question_to_question_end_the_first_step_and_say_why(
    tiny_checkpoint, own_reward, tmp_path
):
    with pytest.raises(ConfigError, match=rf"{own_reward}:parts_by_task.*same parts for every group"):
        trained(tiny_checkpoint, config(tmp_path, group_reward=f"{own_reward}:parts_by_task"))


def test_a_misspelt_own_reward_is_answered_before_the_model_is_loaded(own_reward, tmp_path):
    tasks = load_tasks("sample:vstar-tiny", split="train", count=2)
    for name, error in ((f"{own_reward}:four_part", ConfigError), ("papre", UnknownNameError)):
        with pytest.raises(error, match=f"Did you mean '({own_reward}:four_parts|paper)'"):
            PixelGRPOTrainer(str(tmp_path / "no checkpoint"), tasks, config(tmp_path, group_reward=name))


# ------------------------------------------------------------------------------------------------------- batches


def rollouts(*names, stop=Stop.ANSWERED):
    return [Trajectory(Task(name, "?", ("7",)), Prompt("", "?"), (), stop=stop, reward=1.0) for name in names]


def test_a_group_of_failed_episodes_is_left_out_wherever_it_stands():
    shaping = GroupShaping(lambda group: {"a": np.arange(len(group)), "b": RewardPart(np.ones(len(group)), 2)})
    failed, played = rollouts("x", "x", stop=Stop.FAILED), rollouts("y", "y")
    for batch, kept in ((failed + played, slice(2, 4)), (played + failed, slice(0, 2))):
        totals_B, parts = shaping.of(batch, 2)
        assert totals_B[kept].tolist() == [2.0, 3.0] and np.isnan(totals_B).sum() == 2
        assert part_metrics(parts) == {"rewards/a": 0.5, "rewards/b": 1.0}
    assert part_metrics(shaping.of(failed, 2)[1]) == {}


def test_parts_that_change_from_batch_to_batch_are_refused():
    batches = iter(["a", "b"])
    shaping = GroupShaping(lambda group: {next(batches): np.zeros(len(group))})
    shaping.of(rollouts("x", "x"), 2)
    with pytest.raises(ConfigError, match=r"'a' for one group and 'b' for another"):
        shaping.of(rollouts("x", "x"), 2)


def test_a_process_writes_the_columns_of_its_own_rows_and_no_markup():
    parts = {"a": np.arange(4.0), "[/red][0]": np.zeros(4)}
    columns = completion_columns(parts, slice(2, 4))
    assert columns == {"rewards/a": [2.0, 3.0], "rewards/\\[/red][0]": [0.0, 0.0]}
    assert [Text.from_markup(title).plain for title in columns] == ["rewards/a", "rewards/[/red][0]"]
