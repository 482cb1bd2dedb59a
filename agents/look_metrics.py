"""Figures on where a model looks: whether its calls can be executed, where its first box lies, whether it recovers.

Pure functions on trajectories of tasks with evidence. Knows nothing of models, engines or files.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from agents.metrics import Estimate, accuracy, wilson
from pixel_env.boxes import Box
from pixel_env.types import CropImage, Malformed, SelectFrames, Source, Stop, Task, Trajectory, Turn, View

COVERED = 0.5
"""A look hits the evidence if it shows at least this share of it."""


@dataclass(frozen=True, slots=True)
class Forced:
    """An episode whose first `turns` turns were deliberate mistakes that the model did not choose."""

    trajectory: Trajectory
    turns: int


def valid_operations(trajectories: Sequence[Trajectory]) -> dict[str, Estimate]:
    """Per type of call, and of "all", the share that was executed; "unreadable" calls are of no type."""
    executed: dict[str, list[bool]] = defaultdict(list)
    for trajectory in trajectories:
        for turn, brought in zip(trajectory.turns, _executed(trajectory), strict=True):
            if (kind := _type_of(turn)) is not None:
                executed[kind].append(brought)
                executed["all"].append(brought)
    return {kind: wilson(sum(marks), len(marks)) for kind, marks in sorted(executed.items())}


def first_box_iou(trajectories: Sequence[Trajectory]) -> Estimate:
    """Mean IoU of the first executed crop, as it was asked for, with the evidence it overlaps most.

    Of the trajectories that crop, of tasks with evidence. The interval is Wilson's, on the safe side.
    """
    found = [iou for one in trajectories if one.task.evidence and (iou := _first_iou(one)) is not None]
    return wilson(sum(found), len(found))


def recovered_looks(forced: Sequence[Forced]) -> Estimate:
    """Share of episodes whose first look after the mistakes hits the evidence.

    After a look that showed it too large, a hit shows it larger. Who does not look again has not recovered.
    """
    return wilson(sum(_recovers(one) for one in forced), len(forced))


def recovered_answers(forced: Sequence[Forced]) -> Estimate:
    """Mean grade of the answers after the mistakes."""
    return accuracy([one.trajectory for one in forced])


# ------------------------------------------------------------------------------------------------------ of a turn


def _type_of(turn: Turn) -> str | None:
    match turn.action:
        case CropImage():
            return "crop_image"
        case SelectFrames():
            return "select_frames"
        case Malformed():
            return "unreadable"
        case _:
            return None


def _executed(trajectory: Trajectory) -> list[bool]:
    """Whether each turn's operation was: one that exceeded a budget brought nothing."""
    cut = trajectory.stop in (Stop.IMAGES, Stop.TOKENS)
    last = len(trajectory.turns) - 1
    return [turn.failure is None and not (cut and place == last) for place, turn in enumerate(trajectory.turns)]


def _first_iou(trajectory: Trajectory) -> float | None:
    seen = list(trajectory.prompt_views)
    for turn, executed in zip(trajectory.turns, _executed(trajectory), strict=True):
        if executed and isinstance(turn.action, CropImage):
            parent = seen[turn.action.image]
            asked = turn.action.box.within(parent.box)
            return max((asked.iou(box) for box in _boxes_on(parent.source, trajectory.task)), default=0.0)
        seen += turn.views
    return None


def _boxes_on(source: Source, task: Task) -> list[Box]:
    return [evidence.box for evidence in task.evidence if task.sources[evidence.image] == source]


def _recovers(forced: Forced) -> bool:
    trajectory, task = forced.trajectory, forced.trajectory.task
    mistakes, rest = trajectory.turns[: forced.turns], trajectory.turns[forced.turns :]
    looks = zip(rest, _executed(trajectory)[forced.turns :], strict=True)
    look = next((turn for turn, executed in looks if executed and turn.views), None)
    if look is None:
        return False
    before = [view.box.area for turn in mistakes for view in turn.views if _hits(view, task)]
    return any(_hits(view, task) and all(view.box.area < area for area in before) for view in look.views)


def _hits(view: View, task: Task) -> bool:
    return any(_covered(box, view.box) >= COVERED for box in _boxes_on(view.source, task))


def _covered(evidence: Box, shown: Box) -> float:
    width = min(evidence.x1, shown.x1) - max(evidence.x0, shown.x0)
    height = min(evidence.y1, shown.y1) - max(evidence.y0, shown.y0)
    return max(0.0, width) * max(0.0, height) / evidence.area
