"""Episodes that an error ended: in no figure, counted, and the first of a step is named."""

import pytest

from agents.engines.scripted import ScriptedEngine, in_turn
from agents.grpo.failures import FailureReport
from agents.grpo.metrics import trajectory_metrics
from agents.grpo.trainer import PixelGRPOTrainer
from pixel_env.episode import Prompt, Stop, Trajectory
from pixel_env.errors import TaskError
from pixel_env.media.sources import FileSource
from pixel_env.task import Task, TaskSet
from pixel_env.testing import tiny_task
from tests.agents.grpo.test_small_sets import config


def trajectory(task_id, reward=0.0, stop=Stop.ANSWERED):
    error = "FileNotFoundError: a.png" if stop is Stop.FAILED else None
    task = Task(task_id, "?", ("7",), category="c")
    return Trajectory(task, Prompt("", "?"), (), stop=stop, reward=reward, error=error)


def test_the_figures_of_a_step_are_those_of_its_played_episodes():
    rows = [trajectory("a", 1.0), trajectory("b")]
    alone, together = trajectory_metrics(rows), trajectory_metrics([*rows, trajectory("x", stop=Stop.FAILED)] * 2)
    assert (together.pop("failed_episodes"), alone.pop("failed_episodes")) == (2.0, 0.0)
    assert together.pop("stops/failed") == pytest.approx(1 / 3) and together.pop("stops/answered") < 1
    assert together == {name: value for name, value in alone.items() if name in together} and together["accuracy/c"]


def test_a_step_in_which_all_failed_has_no_accuracy():
    assert "accuracy" not in trajectory_metrics([trajectory("x", stop=Stop.FAILED)])


def test_the_first_error_is_printed_once_a_step_by_the_main_process(capsys):
    report, rows = FailureReport(), [trajectory("a"), trajectory("x", stop=Stop.FAILED)]
    for step in (1, 1, 2):
        report.of(rows, "train", step, is_main=True)
        report.of(rows, "train", step, is_main=False)
    report.of(rows[:1], "train", 3, is_main=True)
    report.of([trajectory("y", stop=Stop.FAILED)], "eval", 3, is_main=True)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3 and told[0].startswith("step 1: 1 of 2 episodes failed") and "'x': FileNotFound" in told[0]
    assert told[2].startswith("evaluation at step 3: 1 of 1 episodes failed") and "'y'" in told[2]
    with pytest.raises(TaskError, match="all 1 episodes"):
        report.of([trajectory("y", stop=Stop.FAILED)], "train", 4, is_main=True)


def test_a_missing_file_lowers_no_accuracy_of_an_evaluation(tiny_checkpoint, tasks, tmp_path, capsys):
    class Scripted(PixelGRPOTrainer):
        def _engine(self, policy):
            return ScriptedEngine(in_turn("<answer>7"), self.chat)

    sevens = [tiny_task(f"seven-{number}", answers=("7",)) for number in range(2)]
    lost = tiny_task("lost", sources=(FileSource(tmp_path / "lost.png"),), evidence=())
    held_out = TaskSet("mixed", [*sevens, lost], budgets=tasks.budgets)
    args = config(tmp_path, per_device_eval_batch_size=2, metric_for_best_model="accuracy")
    figures = Scripted(str(tiny_checkpoint), tasks, args, eval_tasks=held_out).evaluate()
    assert (figures["eval_accuracy"], figures["eval_accuracy_n"], figures["eval_failed_episodes"]) == (1.0, 2, 2)
    assert "evaluation at step 0: 2 of 2 episodes failed" in capsys.readouterr().err
    only = TaskSet("lost", [lost], budgets=tasks.budgets)
    with pytest.raises(TaskError, match=r"all 2 held-out episodes failed.*'lost'"):
        Scripted(str(tiny_checkpoint), tasks, args, eval_tasks=only).evaluate()
