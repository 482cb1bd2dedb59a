"""Evaluation on held-out tasks: its metrics, each rollout counted once, and the run's `summary.json`.

Batches are gathered from all processes; the last ones may be filled up with repeated rows. Depends on trajectories and
logged metrics; independent of the trainer.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agents.metrics.trajectories import all_failed, failed, mean_of_tasks, played, rapr
from agents.run_folder.configuration import write_whole
from agents.run_folder.folder import SUMMARY
from pixel_env.episode import Trajectory
from pixel_env.errors import TaskError, UnknownNameError

_EVALUATED = frozenset({"eval_accuracy", "eval_failed_episodes"})
"""Names of figures, one of which every evaluation in the trainer's log has."""


class HeldOut:
    """Collects the rollouts of one evaluation, at most `samples` of each task."""

    def __init__(self, samples: int) -> None:
        self._samples = samples
        self._of_task: dict[str, list[Trajectory]] = {}

    def add(self, trajectories: Sequence[Trajectory]) -> None:
        """Adds a gathered batch; rollouts beyond `samples` of a task only filled the batch up and are ignored."""
        for trajectory in trajectories:
            known = self._of_task.setdefault(trajectory.task.task_id, [])
            if len(known) < self._samples:
                known.append(trajectory)

    def figures(self) -> dict[str, float]:
        """Accuracy with its 95 % interval and its number of tasks, and RaPR, by their names in the log.

        The rollouts of a task are one trial, whatever their number. Where tasks share clusters, the number of clusters,
        too. Failed episodes are counted (`failed_episodes`) and in no other figure; if all failed there is no other.
        """
        trajectories = self._trajectories()
        if not trajectories:
            return {}
        failures, counted = {"failed_episodes": float(len(failed(trajectories)))}, played(trajectories)
        if not counted:
            return failures
        accuracy = mean_of_tasks([(one.task, one.reward) for one in counted])
        estimate = {name: value for name, value in asdict(accuracy).items() if value is not None}
        named = {"accuracy": estimate.pop("value"), **{f"accuracy_{name}": value for name, value in estimate.items()}}
        return {**named, "rapr": rapr(counted), **failures}

    def check_can_choose(self, metric: str | None, figures: Mapping[str, float]) -> None:
        """Raises TaskError or UnknownNameError if `figures` lack the `metric` that chooses the best checkpoint."""
        if metric is None or f"eval_{metric.removeprefix('eval_')}" in figures:
            return
        trajectories = self._trajectories()
        if not all_failed(trajectories):
            raise UnknownNameError.among("metric", metric, figures, "It is that of metric_for_best_model.")
        first = trajectories[0]
        raise TaskError(
            f"all {len(trajectories)} held-out episodes failed, so the best checkpoint cannot be chosen by {metric!r}; "
            f"the first, of task {first.task.task_id!r}: {first.error}"
        )

    def _trajectories(self) -> list[Trajectory]:
        return [trajectory for rollouts in self._of_task.values() for trajectory in rollouts]


def made_at(step: int, history: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The figures of the evaluation in the trainer's log that was made at this step, if there is one."""
    return next((row for row in reversed(history) if row["step"] == step and not _EVALUATED.isdisjoint(row)), None)


def write_summary(
    folder: Path, history: Sequence[Mapping[str, Any]], after: Mapping[str, float], state: Any, also_trained: int = 0
) -> None:
    """Writes `accuracy_before` and `accuracy_after` with their 95 % intervals, RaPR and failed episodes beside them.

    `history`: the trainer's log, whose evaluation at step 0 is the one before (null if the run made none); `after`: the
    figures of the last evaluation; `state`: the trainer's, for its steps and its best checkpoint. An accuracy is null
    if all episodes failed. If the best checkpoint was chosen on the same tasks, `chosen_on_the_same_tasks` is true: its
    accuracy is biased upwards. `also_trained`: the number of held-out tasks that were trained on, too.
    """
    before: Mapping[str, Any] = next(
        (row for row in history if row["step"] == 0 and not _EVALUATED.isdisjoint(row)), {}
    )
    summary = {
        "steps": state.global_step,
        "accuracy_before": _interval(before),
        "accuracy_after": _interval(after),
        "rapr_before": before.get("eval_rapr"),
        "rapr_after": after.get("eval_rapr"),
        "failed_episodes_before": before.get("eval_failed_episodes"),
        "failed_episodes": after.get("eval_failed_episodes"),
        "best_checkpoint": state.best_model_checkpoint,
        "chosen_on_the_same_tasks": state.best_model_checkpoint is not None,
        "also_trained_tasks": also_trained,
    }
    write_whole(folder / SUMMARY, json.dumps(summary, indent=2) + "\n")


def _interval(figures: Mapping[str, float]) -> dict[str, float] | None:
    names = {"value": "eval_accuracy", "low": "eval_accuracy_low", "high": "eval_accuracy_high", "n": "eval_accuracy_n"}
    return {name: figures[key] for name, key in names.items()} if "eval_accuracy" in figures else None
