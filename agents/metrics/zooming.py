"""Metrics of zooming: the share of valid operations, IoU with the evidence, and recovery after a mistake.

Pure functions of trajectories of tasks with evidence. Depends on trajectories and statistics; independent of models,
engines and files.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.metrics.statistics import Estimate, wilson
from agents.metrics.trajectories import accuracy, mean_of_tasks, share_of_tasks
from pixel_env.boxes import Box
from pixel_env.episode import Malformed, Trajectory, Turn
from pixel_env.once import once_for_each
from pixel_env.operations.operation import Operation
from pixel_env.task import Task
from pixel_env.views import Source, View

COVERED = 0.5
"""An operation hits the evidence if it shows at least this share of it."""
MAX_CROP_AREA = 0.25
"""A crop of a larger share of the image is no hit: it shows hardly more than the overview."""
SMALLER = 0.5
"""After an operation that showed the evidence, a hit requests at most this share of that operation's area."""


@dataclass(frozen=True, slots=True)
class Forced:
    """An episode whose first `turns` turns were deliberate mistakes that the model did not choose."""

    trajectory: Trajectory
    turns: int


def valid_operations(trajectories: Sequence[Trajectory]) -> dict[str, Estimate]:
    """Share of calls that were executed, by operation name and for "all"; malformed calls are "unreadable"."""
    executed: dict[str, list[bool]] = defaultdict(list)
    for trajectory in trajectories:
        for turn, brought in zip(trajectory.turns, trajectory.executed, strict=True):
            if (kind := _type_of(turn)) is not None:
                executed[kind].append(brought)
                executed["all"].append(brought)
    return {kind: wilson(sum(flags), len(flags)) for kind, flags in sorted(executed.items())}


def first_box_iou(trajectories: Sequence[Trajectory]) -> Estimate:
    """Mean IoU of the box of the first executed crop, as requested, with the evidence that it overlaps most.

    Over the trajectories with a crop, of tasks with evidence. The interval is Wilson's, which is conservative here.
    """
    return share_of_tasks(
        [(one.task, iou) for one in trajectories if one.task.evidence and (iou := _first_iou(one)) is not None]
    )


def best_box_iou(trajectories: Sequence[Trajectory]) -> Estimate:
    """Mean over tasks of the highest IoU that any crop of a trajectory has with any evidence, where there is a crop.

    Boxes are those of executed crops, as requested. Of image tasks with evidence.
    """
    ious = [(one.task, _ious(one)) for one in trajectories if _has_boxes(one.task)]
    return mean_of_tasks([(task, float(ious_BE.max())) for task, ious_BE in ious if len(ious_BE)])


def evidence_iou(trajectories: Sequence[Trajectory]) -> Estimate:
    """mIoU: mean over tasks of the mean over evidence boxes of the best IoU that a crop has with each.

    A trajectory without a crop counts 0. As TreeBench computes it from the boxes of a response (TreeVGR,
    `compute_box_iou` in inference_treebench.py): here boxes are those of executed crops, as requested, and an
    operation's margin does not count. Of image tasks with evidence.
    """
    ious = [(one.task, _ious(one)) for one in trajectories if _has_boxes(one.task)]
    return mean_of_tasks([(task, float(ious_BE.max(axis=0, initial=0.0).mean())) for task, ious_BE in ious])


def recovered_operations(forced: Sequence[Forced]) -> Estimate:
    """Share of episodes, of tasks with evidence, whose first executed operation after the mistakes hits the evidence.

    A hit shows at least COVERED of the evidence, and requests at most MAX_CROP_AREA of an image, as every correct crop
    of a planned trace does: the whole image was seen before. After a mistake that showed the evidence in too large a
    crop, a hit requests at most SMALLER of its area: planned traces make such a mistake at least four times as large as
    the correct crop, and a crop that is hardly smaller repeats the mistake. The margin that a dialect adds around a
    crop is shown but does not count as requested. An episode without a further operation has not recovered.
    """
    return share_of_tasks(
        [(one.trajectory.task, float(_recovers(one))) for one in forced if one.trajectory.task.evidence]
    )


def recovered_answers(forced: Sequence[Forced]) -> Estimate:
    """Mean grade of the answers after the mistakes."""
    return accuracy([one.trajectory for one in forced])


# ------------------------------------------------------------------------------------------------------ of a turn


def _type_of(turn: Turn) -> str | None:
    match turn.action:
        case Operation():
            return turn.action.name
        case Malformed():
            return "unreadable"
        case _:
            return None


@dataclass(frozen=True, slots=True)
class _Executed:
    """An executed operation: its views and, for a crop, the requested box on the source image."""

    views: tuple[View, ...]
    requested: tuple[Source, Box] | None

    @property
    def area(self) -> float:
        """The requested share of the image."""
        return max(view.box.area for view in self.views) if self.requested is None else self.requested[1].area


def _operations(trajectory: Trajectory) -> list[_Executed | None]:
    """The executed operation of each turn, None for a turn without one."""
    seen, operations = list(trajectory.prompt_views), list[_Executed | None]()
    for turn, executed in zip(trajectory.turns, trajectory.executed, strict=True):
        operations.append(_operation(turn, seen) if executed and turn.views else None)
        seen += turn.views
    return operations


def _operation(turn: Turn, seen: Sequence[View]) -> _Executed:
    region = turn.action.region() if isinstance(turn.action, Operation) else None
    if region is None:
        return _Executed(turn.views, None)
    image, box = region
    return _Executed(turn.views, (seen[image].source, seen[image].to_source(box)))


def _first_iou(trajectory: Trajectory) -> float | None:
    requests = (one.requested for one in _operations(trajectory) if one is not None)
    first = next((requested for requested in requests if requested is not None), None)
    if first is None:
        return None
    return max((first[1].iou(box) for box in evidence_on(first[0], trajectory.task)), default=0.0)


def _has_boxes(task: Task) -> bool:
    return task.media == "image" and bool(task.evidence)


@once_for_each  # a report has two figures of it for each category, each policy and all
def _ious(trajectory: Trajectory) -> np.ndarray:
    """IoU of each requested box with each evidence box, 0 where they lie on different images (B boxes, E evidence)."""
    task = trajectory.task
    requested = [one.requested for one in _operations(trajectory) if one is not None and one.requested is not None]
    rows = [
        [box.iou(item.box) if source == task.sources[item.image] else 0.0 for item in task.evidence]
        for source, box in requested
    ]
    return np.array(rows).reshape(len(rows), len(task.evidence))


def evidence_on(source: Source, task: Task) -> list[Box]:
    """The evidence that lies on this image of the task, in fractions of it."""
    return [evidence.box for evidence in task.evidence if task.sources[evidence.image] == source]


def _recovers(forced: Forced) -> bool:
    operations, task = _operations(forced.trajectory), forced.trajectory.task
    first = next((one for one in operations[forced.turns :] if one is not None), None)
    if first is None or not _shows_evidence(first, task):
        return False
    mistakes = [one for one in operations[: forced.turns] if one is not None and _shows_evidence(one, task)]
    largest = [SMALLER * one.area for one in mistakes]
    return first.area <= min([*largest, MAX_CROP_AREA if task.media == "image" else 1.0])


def _shows_evidence(operation: _Executed, task: Task) -> bool:
    boxes = [(box, view.box) for view in operation.views for box in evidence_on(view.source, task)]
    return any(evidence.covered_by(shown) >= COVERED for evidence, shown in boxes)
