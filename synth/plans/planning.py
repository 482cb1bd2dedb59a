"""Planning: from a task's evidence to a plan of a given kind, or to the reason why there is none.

| kind | operations |
|---|---|
| single pass, image | one crop of each cue; cues that fit into one crop share it |
| recrop once, recrop twice | one or two crops of regions that miss all evidence, then as single pass |
| further zoom | a crop of an over-large region around the first cue, a crop of that crop, then the other cues |
| single pass, video | a selection of the evidence's frames and neighbours; a crop of one if the evidence is one moment and small |
| reselect | a selection of frames outside the evidence, then as single pass |
| text only | none |

Depends on evidence, framing and mistakes; independent of dialects, wording and the number of plans.
"""  # noqa: E501  # a table's row is one line

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from agents.metrics.zooming import MAX_CROP_AREA
from agents.traces.trace import Mistake
from pixel_env.boxes import Box
from pixel_env.episode import Limits
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import Evidence, Task
from synth.plans.framing import FREE, Framing, joined
from synth.plans.mistakes import oversized_region, unrelated_region, wrong_frames
from synth.plans.plan import MISTAKES_OF, Plan, PlanKind, PlannedOperation

MAX_OPERATIONS = Limits().max_turns - 1
"""The number of operations for which an episode has room before its answer."""
MOST_FRAMES = 8
"""The most frames that one operation selects (arXiv 2505.15966)."""
MOST_NEIGHBOURS = 2
"""The most neighbouring frames that are selected together with the evidence, on each side."""
SMALL_IN_FRAME = 1 / 64
"""Evidence with at most this share of a frame's area is cropped after its frame was selected."""
ONE_MOMENT_IOU = 0.5
"""Evidence on neighbouring frames is one moment if its boxes overlap by this IoU: any of the frames shows it all."""


class NoRoom(StrEnum):
    """Why a task has no plan of a kind; refused tasks are counted by these reasons."""

    OVERVIEW_SUFFICES = "overview_suffices"
    NO_EVIDENCE = "no_evidence"
    CUE_TOO_LARGE = "cue_too_large"
    TOO_MANY_LOOKS = "too_many_looks"
    NO_UNRELATED_REGION = "no_unrelated_region"
    NO_OVERSIZED_REGION = "no_oversized_region"
    NO_WRONG_FRAMES = "no_wrong_frames"
    OTHER_MEDIUM = "other_medium"


HOPELESS = frozenset({NoRoom.OVERVIEW_SUFFICES, NoRoom.NO_EVIDENCE})
"""Reasons for which a task has no plan of any kind."""

_KINDS = {
    "image": (PlanKind.SINGLE_PASS, PlanKind.RECROP_ONCE, PlanKind.RECROP_TWICE, PlanKind.FURTHER_ZOOM),
    "video": (PlanKind.SINGLE_PASS, PlanKind.RESELECT),
    "text": (PlanKind.TEXT_ONLY,),
}


def planned(
    task: Task,
    kind: PlanKind,
    rng: np.random.Generator,
    *,
    framing: Framing = FREE,
    max_operations: int = MAX_OPERATIONS,
) -> Plan | NoRoom:
    """A plan of `kind` for the task, with choices drawn from `rng`; or why its evidence has no room for one."""
    if kind not in _KINDS[task.media]:
        return NoRoom.OTHER_MEDIUM
    if kind is PlanKind.TEXT_ONLY:
        return Plan(task, kind)
    if task.needs_looking is False:
        return NoRoom.OVERVIEW_SUFFICES
    if not task.evidence:
        return NoRoom.NO_EVIDENCE
    if task.media == "video":
        operations = _video_operations(task, kind, framing, rng)
    else:
        operations = _Crops(task, framing, rng).of_kind(kind)
    if isinstance(operations, NoRoom):
        return operations
    return Plan(task, kind, tuple(operations)) if len(operations) <= max_operations else NoRoom.TOO_MANY_LOOKS


# ---------------------------------------------------------------------------------------------------------- images


@dataclass
class _Crops:
    """The crops of the cues of a task's images, in the order of the evidence."""

    task: Task
    framing: Framing
    rng: np.random.Generator
    right: list[CropImage] = field(init=False)

    def __post_init__(self) -> None:
        images = list(dict.fromkeys(evidence.image for evidence in self.task.evidence))
        cues = [(i, cue) for i in images for cue in joined(_boxes_on(i, self.task.evidence), self.framing.joined_side)]
        self.right = [CropImage(image, self.framing.right(cue, self.rng)) for image, cue in cues]

    def of_kind(self, kind: PlanKind) -> list[PlannedOperation] | NoRoom:
        if any(crop.box.area > MAX_CROP_AREA for crop in self.right):
            return NoRoom.CUE_TOO_LARGE
        right = [PlannedOperation(crop) for crop in self.right]
        if kind is PlanKind.FURTHER_ZOOM:
            zoom = self._zoom(self.right[0])
            return zoom if isinstance(zoom, NoRoom) else [*zoom, *right[1:]]
        unrelated = self._unrelated(MISTAKES_OF[kind].count(Mistake.UNRELATED_REGION))
        return unrelated if isinstance(unrelated, NoRoom) else [*unrelated, *right]

    def _unrelated(self, count: int) -> list[PlannedOperation] | NoRoom:
        first = self.right[0]
        evidence, regions = _boxes_on(first.image, self.task.evidence), list[Box]()
        for _ in range(count):
            region = unrelated_region(first.box, evidence, regions, self.framing, self.rng)
            if region is None:
                return NoRoom.NO_UNRELATED_REGION
            regions.append(region)
        return [PlannedOperation(CropImage(first.image, region), Mistake.UNRELATED_REGION) for region in regions]

    def _zoom(self, crop: CropImage) -> list[PlannedOperation] | NoRoom:
        region = oversized_region(crop.box, self.framing, self.rng)
        if region is None:
            return NoRoom.NO_OVERSIZED_REGION
        oversized = PlannedOperation(CropImage(crop.image, region), Mistake.OVERSIZED_REGION)
        if not self.framing.crops_crops:
            return [oversized, PlannedOperation(crop)]
        # The image of the first operation follows the images of the task.
        return [oversized, PlannedOperation(CropImage(len(self.task.sources), crop.box.relative_to(region)))]


def _boxes_on(image: int, evidence: Sequence[Evidence]) -> list[Box]:
    return [known.box for known in evidence if known.image == image]


# ---------------------------------------------------------------------------------------------------------- videos


def _video_operations(
    task: Task, kind: PlanKind, framing: Framing, rng: np.random.Generator
) -> list[PlannedOperation] | NoRoom:
    evidence = sorted({known.image for known in task.evidence})
    wrong: tuple[int, ...] = ()
    operations = []
    if kind is PlanKind.RESELECT:
        drawn = wrong_frames(len(task.sources), evidence, rng)
        if drawn is None:
            return NoRoom.NO_WRONG_FRAMES
        wrong = drawn
        operations.append(PlannedOperation(SelectFrames(wrong), Mistake.WRONG_FRAMES))
    frames = right_frames(len(task.sources), evidence, wrong, rng)
    operations.append(PlannedOperation(SelectFrames(frames)))
    small = _small_moment(task.evidence, frames)
    if small:
        known = small[int(rng.integers(len(small)))]
        number = len(task.sources) + len(wrong) + frames.index(known.image)
        operations.append(PlannedOperation(CropImage(number, framing.right(known.box, rng))))
    return operations


def right_frames(
    frame_count: int, evidence: Sequence[int], seen: Sequence[int], rng: np.random.Generator
) -> tuple[int, ...]:
    """The frames of the evidence and some neighbours that are not in `seen`, at most MOST_FRAMES, in order.

    If the evidence has more frames than that: evenly spaced ones, including the first and the last.
    """
    if len(evidence) >= MOST_FRAMES:
        indices = np.linspace(0, len(evidence) - 1, MOST_FRAMES).round().astype(int)
        return tuple(evidence[int(index)] for index in indices)
    before, after = (int(count) for count in rng.integers(0, MOST_NEIGHBOURS + 1, 2))
    first, last = min(evidence), max(evidence)
    neighbours = [*range(first - 1, first - before - 1, -1), *range(last + 1, last + after + 1)]
    room = [frame for frame in neighbours if 0 <= frame < frame_count and frame not in seen]
    return tuple(sorted([*evidence, *room[: MOST_FRAMES - len(evidence)]]))


def _small_moment(evidence: Sequence[Evidence], frames: Sequence[int]) -> list[Evidence]:
    """The evidence to crop after its frame was selected; empty if it is large or more than one moment."""
    first, last = min(known.image for known in evidence), max(known.image for known in evidence)
    if last - first >= len({known.image for known in evidence}):
        return []
    reference = evidence[0].box
    if any(known.box.area > SMALL_IN_FRAME or known.box.iou(reference) < ONE_MOMENT_IOU for known in evidence):
        return []
    return [known for known in evidence if known.image in frames]
