import json
from types import SimpleNamespace

import pytest

from agents.grpo.held_out import HeldOut, made_at, write_summary
from agents.grpo.training import tasks_of_both
from agents.metrics.statistics import wilson
from agents.run_folder.folder import SUMMARY
from pixel_env.episode import Stop
from pixel_env.errors import TaskError, UnknownNameError
from pixel_env.task import Task, TaskSet
from pixel_env.types import Prompt, Trajectory


def played(task_id, reward):
    return Trajectory(Task(task_id, "?", ("7",)), Prompt("", "?"), (), reward=reward)


def test_rows_that_only_fill_a_batch_up_are_not_counted_twice():
    held_out = HeldOut(samples=2)
    held_out.add([played("a", 1.0), played("a", 0.0), played("b", 1.0), played("b", 1.0)])
    held_out.add([played("c", 0.0), played("c", 0.0), played("a", 1.0), played("a", 0.0)])
    figures = held_out.figures()
    expected = wilson(1.5, 3)  # the rollouts of a task are one trial
    assert figures["accuracy"] == 0.5 and figures["accuracy_n"] == 3 and figures["rapr"] == 0.0
    assert (figures["accuracy_low"], figures["accuracy_high"]) == (expected.low, expected.high)


def test_held_out_tasks_that_share_an_image_have_a_clustered_interval():
    held_out = HeldOut(samples=1)
    rows = [(f"{n}", float(n < 8), f"image {n // 4}") for n in range(16)]
    held_out.add([Trajectory(Task(i, "?", ("7",), cluster=c), Prompt("", "?"), (), reward=r) for i, r, c in rows])
    figures, independent = held_out.figures(), wilson(8, 16)
    assert (figures["accuracy"], figures["accuracy_n"], figures["accuracy_clusters"]) == (0.5, 16, 4)
    assert figures["accuracy_low"] < independent.low and figures["accuracy_high"] > independent.high
    assert "accuracy_clusters" not in evaluated_alone(rows)


def evaluated_alone(rows):
    held_out = HeldOut(samples=1)
    held_out.add([played(task_id, reward) for task_id, reward, _ in rows])
    return held_out.figures()


def failed(task_id):
    return Trajectory(Task(task_id, "?", ("7",)), Prompt("", "?"), (), stop=Stop.FAILED, error="no such file: a.png")


def test_failed_episodes_are_counted_and_in_no_other_figure():
    held_out, without = HeldOut(samples=1), HeldOut(samples=1)
    rows = [played("a", 1.0), played("b", 0.0), played("c", 1.0)]
    held_out.add([*rows, failed("d"), failed("e")])
    without.add(rows)
    assert held_out.figures() == {**without.figures(), "failed_episodes": 2.0}
    assert without.figures()["failed_episodes"] == 0.0


def test_if_all_held_out_episodes_failed_there_is_no_accuracy_and_no_best_checkpoint_by_it(tmp_path):
    held_out = HeldOut(samples=1)
    held_out.add([failed("d"), failed("e")])
    assert held_out.figures() == {"failed_episodes": 2.0}
    held_out.check_can_choose(None, {})
    with pytest.raises(TaskError, match=r"all 2 held-out .* 'accuracy'; the first, of task 'd': no such file: a\.png"):
        held_out.check_can_choose("accuracy", {"eval_failed_episodes": 2.0})
    state = SimpleNamespace(global_step=4, best_model_checkpoint=None)
    write_summary(tmp_path, [{"step": 0, "eval_failed_episodes": 2.0}], {"eval_failed_episodes": 1.0}, state)
    summary = json.loads((tmp_path / SUMMARY).read_text(encoding="utf-8"))
    assert (summary["accuracy_before"], summary["accuracy_after"], summary["rapr_after"]) == (None, None, None)
    assert (summary["failed_episodes_before"], summary["failed_episodes"]) == (2.0, 1.0)


def test_a_misspelt_metric_for_the_best_model_is_named_with_the_closest_one():
    held_out = HeldOut(samples=1)
    held_out.add([played("a", 1.0)])
    with pytest.raises(UnknownNameError, match=r"'eval_acuracy'.*Did you mean 'eval_accuracy'"):
        held_out.check_can_choose("eval_acuracy", {"eval_accuracy": 1.0})


def test_an_evaluation_without_rollouts_has_no_figures():
    assert HeldOut(samples=1).figures() == {}


def evaluated(step, accuracy):
    row = {"eval_accuracy": accuracy, "eval_accuracy_low": 0.0, "eval_accuracy_high": 1.0, "eval_accuracy_n": 9}
    return {"step": step, "eval_rapr": 0.5, **row}


@pytest.mark.parametrize("best", [None, "runs/x/checkpoint-2"])
def test_the_summary_compares_the_evaluation_at_step_0_with_the_last_one(tmp_path, best):
    history = [{"step": 1, "reward": 0.0}, evaluated(0, 0.25), evaluated(2, 0.5)]
    state = SimpleNamespace(global_step=4, best_model_checkpoint=best)
    write_summary(tmp_path, history, evaluated(4, 0.75), state)
    summary = json.loads((tmp_path / SUMMARY).read_text(encoding="utf-8"))
    assert summary["accuracy_before"] == {"value": 0.25, "low": 0.0, "high": 1.0, "n": 9}
    assert summary["accuracy_after"]["value"] == 0.75 and summary["steps"] == 4
    assert summary["chosen_on_the_same_tasks"] is (best is not None)


def test_an_evaluation_that_was_made_at_the_last_step_is_found_again():
    history = [evaluated(0, 0.25), {"step": 4, "reward": 0.0}, evaluated(4, 0.5), {"step": 4, "train_runtime": 1.0}]
    assert made_at(4, history) == evaluated(4, 0.5) and made_at(2, history) is None


def test_held_out_tasks_that_are_trained_on_are_counted(tmp_path):
    trained = TaskSet("a", [Task("1", "?", ("7",)), Task("2", "?", ("7",))])
    held_out = TaskSet("b", [Task("2", "?", ("7",)), Task("1", "Another question?", ("7",)), Task("3", "?", ("7",))])
    assert tasks_of_both(trained, held_out) == 1
    write_summary(tmp_path, [], {}, SimpleNamespace(global_step=1, best_model_checkpoint=None), 1)
    assert json.loads((tmp_path / SUMMARY).read_text(encoding="utf-8"))["also_trained_tasks"] == 1


def test_a_run_that_was_not_evaluated_at_its_start_says_so(tmp_path):
    state = SimpleNamespace(global_step=4, best_model_checkpoint=None)
    write_summary(tmp_path, [evaluated(2, 0.5)], evaluated(4, 0.75), state)
    assert json.loads((tmp_path / SUMMARY).read_text(encoding="utf-8"))["accuracy_before"] is None
