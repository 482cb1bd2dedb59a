"""Figures on where a model looks: whether its calls can be executed, where its first box lies, whether it recovers.

Pure functions on trajectories of tasks with evidence. Knows nothing of models, engines or files.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from agents.metrics.statistics import Estimate, wilson
from agents.metrics.trajectories import accuracy
from pixel_env.boxes import Box
from pixel_env.episode import Malformed, Trajectory, Turn
from pixel_env.operations.operation import Operation
from pixel_env.task import Task
from pixel_env.views import Source, View

COVERED = 0.5
"""A look hits the evidence if it shows at least this share of it."""
MOST_LOOK_AREA = 0.25
"""A crop of an image hits nothing if it asks for more of the image: it is hardly more than the overview."""
SMALLER = 0.5
"""A look after one that showed the evidence hits it if it asks for at most this share of that one's area."""


@dataclass(frozen=True, slots=True)
class Forced:
    """An episode whose first `turns` turns were deliberate mistakes that the model did not choose."""

    trajectory: Trajectory
    turns: int


def valid_operations(trajectories: Sequence[Trajectory]) -> dict[str, Estimate]:
    """Per type of call, and of "all", the share that was executed; "unreadable" calls are of no type."""
    executed: dict[str, list[bool]] = defaultdict(list)
    for trajectory in trajectories:
        for turn, brought in zip(trajectory.turns, trajectory.executed, strict=True):
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
    """Share of episodes, of tasks with evidence, whose first executed look after the mistakes hits the evidence.

    A hit shows at least COVERED of it, and of an image it asks for at most MOST_LOOK_AREA, as every right look of a
    planned trace does: the whole picture was seen before. After a mistake that showed the evidence, too large, it asks
    for at most SMALLER of that one's area: planned traces make such a mistake at least four times as large as the right
    look, and one that is hardly smaller repeats it. What a dialect adds around a crop is shown but not asked for. Who
    does not look again has not recovered.
    """
    marks = [_recovers(one) for one in forced if one.trajectory.task.evidence]
    return wilson(sum(marks), len(marks))


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
class _Look:
    """An executed operation: what it showed, and of a crop the box that it asked for, on its source's picture."""

    views: tuple[View, ...]
    asked: tuple[Source, Box] | None

    @property
    def area(self) -> float:
        """The share of the picture that was asked for."""
        return max(view.box.area for view in self.views) if self.asked is None else self.asked[1].area


def _looks(trajectory: Trajectory) -> list[_Look | None]:
    """The look of each turn, None for a turn without an executed one."""
    seen, looks = list(trajectory.prompt_views), list[_Look | None]()
    for turn, executed in zip(trajectory.turns, trajectory.executed, strict=True):
        looks.append(_look(turn, seen) if executed and turn.views else None)
        seen += turn.views
    return looks


def _look(turn: Turn, seen: Sequence[View]) -> _Look:
    region = turn.action.region() if isinstance(turn.action, Operation) else None
    if region is None:
        return _Look(turn.views, None)
    image, box = region
    return _Look(turn.views, (seen[image].source, seen[image].to_source(box)))


def _first_iou(trajectory: Trajectory) -> float | None:
    asked = next((look.asked for look in _looks(trajectory) if look is not None and look.asked is not None), None)
    if asked is None:
        return None
    return max((asked[1].iou(box) for box in _boxes_on(asked[0], trajectory.task)), default=0.0)


def _boxes_on(source: Source, task: Task) -> list[Box]:
    return [evidence.box for evidence in task.evidence if task.sources[evidence.image] == source]


def _recovers(forced: Forced) -> bool:
    looks, task = _looks(forced.trajectory), forced.trajectory.task
    look = next((look for look in looks[forced.turns :] if look is not None), None)
    if look is None or not _shows_evidence(look, task):
        return False
    largest = [SMALLER * one.area for one in looks[: forced.turns] if one is not None and _shows_evidence(one, task)]
    return look.area <= min([*largest, MOST_LOOK_AREA if task.media == "image" else 1.0])


def _shows_evidence(look: _Look, task: Task) -> bool:
    boxes = [(box, view.box) for view in look.views for box in _boxes_on(view.source, task)]
    return any(evidence.covered_by(shown) >= COVERED for evidence, shown in boxes)
