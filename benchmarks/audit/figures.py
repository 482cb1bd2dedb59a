"""The figures of an audit: of each policy, over all its episodes, by category and by task.

Depends on what is measured; independent of how it is written down (`tables.py`, `page.py`).
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from agents.metrics.statistics import Estimate
from agents.metrics.trajectories import accuracy
from agents.metrics.zooming import first_box_iou
from benchmarks.audit.answers import Answers, answers_of
from benchmarks.audit.edge_rules import RefusedBoxes, other_rules
from benchmarks.audit.episodes import Episodes, played_turns
from benchmarks.audit.overlaps import Overlaps, overlaps_of
from benchmarks.audit.readings import Readings, other_dialects
from benchmarks.audit.regions import CropRegions, crops_of
from benchmarks.audit.units import Asking
from benchmarks.evaluation.records import Record
from benchmarks.evaluation.tables import parts_of
from pixel_env.errors import MediaError


@dataclass(frozen=True, slots=True)
class Figures:
    """What an audit says about a group of episodes.

    `accuracy`: of those with a reference answer; `first_box`: mean IoU of the first crop of each with the
    evidence, as the tool read its box; `places`: where the images that came back are on the source.
    """

    episodes: int
    accuracy: Estimate
    first_box: Estimate
    overlaps: Overlaps
    places: Mapping[str, int]
    answers: Answers
    refused: RefusedBoxes
    readings: Readings


@dataclass(frozen=True, slots=True)
class PolicyAudit:
    """The figures of one policy, and the regions of all its crops."""

    all: Figures
    by_category: Mapping[str, Figures]
    by_task: Mapping[str, Figures]
    crops: tuple[CropRegions, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """An audit of a run.

    `asked`: the unit in which the model means its numbers; `faults`: the rows and episodes that could not be audited.
    """

    episodes: Episodes
    asked: str
    policies: Mapping[str, PolicyAudit]
    faults: tuple[str, ...]

    @property
    def audited(self) -> int:
        """How many episodes were audited."""
        return sum(policy.all.episodes for policy in self.policies.values())


def audit_of(episodes: Episodes, asking: Asking) -> Audit:
    """The audit of the episodes.

    An episode whose images cannot be read is left out, and is one of the faults.
    """
    crops, faults = _crops_by_record(episodes, asking)

    def figures(records: Sequence[Record]) -> Figures:
        return _figures(records, [crop for record in records for crop in crops[id(record)]], episodes)

    policies = {}
    for name, all_records in parts_of(episodes.evaluation).items():
        if records := [record for record in all_records if id(record) in crops]:
            policies[name] = PolicyAudit(
                figures(records),
                dict(_by(records, lambda record: record.trajectory.task.category, figures)),
                dict(_by(records, lambda record: record.trajectory.task.task_id, figures)),
                tuple(crop for record in records for crop in crops[id(record)]),
            )
    return Audit(episodes, asking.unit, policies, (*episodes.faults, *faults))


def _crops_by_record(episodes: Episodes, asking: Asking) -> tuple[dict[int, list[CropRegions]], list[str]]:
    """The crops of each record, by its `id`, and why records are left out."""
    crops: dict[int, list[CropRegions]] = {}
    faults = []
    records = episodes.evaluation.records
    for record, returned in zip(records, episodes.returned or [()] * len(records), strict=True):
        try:
            crops[id(record)] = list(crops_of(record, asking, episodes.evaluation.budgets, returned))
        except MediaError as error:
            faults.append(f"task {record.trajectory.task.task_id!r}, {record.policy}: {error}")
    return crops, faults


def _by(
    records: Sequence[Record], name_of: Callable[[Record], str], figures: Callable[[Sequence[Record]], Figures]
) -> Iterator[tuple[str, Figures]]:
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(name_of(record), []).append(record)
    for name, group in groups.items():
        yield name, figures(group)


def _figures(records: Sequence[Record], crops: Sequence[CropRegions], episodes: Episodes) -> Figures:
    trajectories = [record.trajectory for record in records]
    readings, refused = Readings(), RefusedBoxes()
    others, rules = other_dialects(episodes.dialect), other_rules(episodes.dialect)
    for trajectory in trajectories:
        played = list(played_turns(trajectory, episodes.evaluation.budgets))
        readings.add(trajectory.task.task_id, played, others)
        refused.add(trajectory.task, played, rules)
    return Figures(
        len(records),
        accuracy([one for one in trajectories if one.task.answers]),
        first_box_iou(trajectories),
        overlaps_of(crops),
        _counted(crop.place for crop in crops if crop.place is not None),
        answers_of(trajectories),
        refused,
        readings,
    )


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())


def to_row(figures: Figures) -> dict[str, Any]:
    """The figures as a JSON object; what is undefined is null."""
    row: dict[str, Any] = _without_nan(asdict(figures))
    return row


def _without_nan(value: Any) -> Any:
    match value:
        case dict():
            return {name: _without_nan(item) for name, item in value.items()}
        case list() | tuple():
            return [_without_nan(item) for item in value]
        case float() if math.isnan(value):
            return None
        case _:
            return value
