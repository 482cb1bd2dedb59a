"""What an evaluation on held-out tasks has found, each rollout counted once.

Knows trajectories. Knows nothing of trainers: batches come in as they were gathered from all processes, the last ones
filled up with rows that were there before.
"""

from collections.abc import Sequence
from dataclasses import asdict

from agents.metrics.trajectories import accuracy, rapr
from pixel_env.episode import Trajectory


class HeldOut:
    """Collects the rollouts of one evaluation, at most `samples` of each task."""

    def __init__(self, samples: int) -> None:
        self._samples = samples
        self._of_task: dict[str, list[Trajectory]] = {}

    def add(self, trajectories: Sequence[Trajectory]) -> None:
        """Takes a gathered batch; what goes beyond `samples` of a task only filled the batch up."""
        for trajectory in trajectories:
            known = self._of_task.setdefault(trajectory.task.task_id, [])
            if len(known) < self._samples:
                known.append(trajectory)

    def figures(self) -> dict[str, float]:
        """Accuracy with Wilson's 95 % interval and its number of rollouts, and RaPR, by the names to log."""
        played = [trajectory for rollouts in self._of_task.values() for trajectory in rollouts]
        if not played:
            return {}
        found = asdict(accuracy(played))
        named = {"accuracy": found.pop("value"), **{f"accuracy_{name}": value for name, value in found.items()}}
        return {**named, "rapr": rapr(played)}
