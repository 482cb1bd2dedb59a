"""Failed episodes, those that an error ended: the first error of a step is printed, and too many end the run.

Depends on trajectories; independent of processes and of the trainer.
"""

import sys
from collections.abc import Sequence

from agents.metrics.trajectories import all_failed, failed
from pixel_env.episode import Trajectory
from pixel_env.errors import TaskError


class FailureReport:
    """Prints one line a step, and one an evaluation, however many batches it has."""

    def __init__(self) -> None:
        self._reported: tuple[str, int] | None = None

    def of(self, trajectories: Sequence[Trajectory], mode: str, step: int, *, is_main: bool) -> None:
        """Reports the failed ones of all processes' trajectories. `mode`: "train" or "eval".

        Raises TaskError if all episodes of a training step failed: it would go on without learning anything.
        """
        failures = failed(trajectories)
        if not failures:
            return
        first = failures[0]
        error = f"the first, of task {first.task.task_id!r}: {first.error}"
        if mode == "train" and all_failed(trajectories):
            raise TaskError(f"all {len(trajectories)} episodes of this step failed; {error}")
        if is_main and self._reported != (mode, step):
            self._reported = (mode, step)
            when = "step" if mode == "train" else "evaluation at step"
            counted = f"{len(failures)} of {len(trajectories)} episodes failed and are left out"
            print(f"{when} {step}: {counted}; {error}", file=sys.stderr, flush=True)
