"""Trained looks against evidence: which operations that a trace teaches show what its task asks about.

Depends on replayed episodes of tasks with evidence; independent of tokens. A look *shows* evidence if it shows at least
`COVERED` of it, or lies in it for the most part (evidence may be larger than a crop). Deliberate mistakes are no looks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.metrics.zooming import COVERED
from agents.traces.trace import Trace
from pixel_env.episode import Trajectory, Turn
from pixel_env.operations.operation import Operation
from pixel_env.task import Task


@dataclass(frozen=True, slots=True)
class TrainedLooks:
    """Of one trace of a task with evidence: how many looks are trained, and how many of them show evidence.

    `misses`: whether the trace teaches the right answer after looks of which none shows any evidence.
    """

    count: int = 0
    showing: int = 0
    misses: bool = False


def trained_looks(trace: Trace, trajectory: Trajectory) -> TrainedLooks:
    """Its looks; none of a task without evidence. Questions that the overview answers need no look that shows it."""
    task = trajectory.task
    if not task.evidence:
        return TrainedLooks()
    turns = list(zip(trace.turns, trajectory.messages, strict=False))
    looks = [_shows(step, task) for turn, steps in turns if turn.train and not turn.mistake for step in _looks(steps)]
    is_shown = any(_shows(step, task) for _, steps in turns for step in _looks(steps))
    is_taught = bool(trace.turns) and trace.turns[-1].train and trajectory.reward == 1.0
    misses = bool(looks) and not is_shown and is_taught and task.needs_looking is not False
    return TrainedLooks(len(looks), sum(looks), misses)


def _looks(steps: Sequence[Turn]) -> list[Turn]:
    return [step for step in steps if isinstance(step.action, Operation) and step.views]


def _shows(step: Turn, task: Task) -> bool:
    return any(
        one.box.covered_by(view.box) >= COVERED or view.box.covered_by(one.box) >= COVERED
        for view in step.views
        for one in task.evidence
        if task.sources[one.image] == view.source
    )
