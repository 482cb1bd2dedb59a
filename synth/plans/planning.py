"""Planning: from a task's evidence to a plan of a kind, or to the reason why there is none.

| kind | looks |
|---|---|
| single pass, image | one at each cue; cues that fit into one look share it |
| recrop once, recrop twice | one or two at regions that miss all evidence, then as single pass |
| further zoom | one at an over-large region around the first cue, then a crop of that crop, then the other cues |
| single pass, video | the evidence's frames and neighbours; a crop of one where the evidence is one moment and small |
| reselect | frames outside of the evidence, then as single pass |
| text only | none |

Knows evidence, framing and mistakes. Knows nothing of dialects, wording or how many plans of a kind are wanted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from agents.metrics.zooming import MOST_LOOK_AREA
from agents.traces.trace import Mistake
from pixel_env.boxes import Box
from pixel_env.episode import Limits
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import Evidence, Task
from synth.plans.framing import FREE, Framing, joined
from synth.plans.mistakes import oversized_region, unrelated_region, wrong_frames
from synth.plans.plan import MISTAKES_OF, Look, Plan, PlanKind

MOST_LOOKS = Limits().max_turns - 1
"""As many operations as an episode has room for before its answer."""
MOST_FRAMES = 8
"""As many frames as an operation selects (arXiv 2505.15966)."""
MOST_NEIGHBOURS = 2
"""Frames before the first and after the last evidence that are selected with it, on each side."""
SMALL_IN_FRAME = 1 / 64
"""Evidence of at most this share of a frame is cropped after its frame was selected."""
ONE_MOMENT_IOU = 0.5
"""Evidence on neighbouring frames is one moment if its boxes overlap so much: any of the frames tells all."""


class NoRoom(StrEnum):
    """Why a task has no plan of a kind: what refused tasks are counted by."""

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
    most_looks: int = MOST_LOOKS,
) -> Plan | NoRoom:
    """A plan of `kind` for the task, its choices drawn with `rng`; or why its evidence leaves no room for one."""
    if kind not in _KINDS[task.media]:
        return NoRoom.OTHER_MEDIUM
    if kind is PlanKind.TEXT_ONLY:
        return Plan(task, kind)
    if task.needs_looking is False:
        return NoRoom.OVERVIEW_SUFFICES
    if not task.evidence:
        return NoRoom.NO_EVIDENCE
    looks = _frame_looks(task, kind, framing, rng) if task.media == "video" else _Crops(task, framing, rng).looks(kind)
    if isinstance(looks, NoRoom):
        return looks
    return Plan(task, kind, tuple(looks)) if len(looks) <= most_looks else NoRoom.TOO_MANY_LOOKS


# ---------------------------------------------------------------------------------------------------------- images


@dataclass
class _Crops:
    """The looks at an image's cues, in the order of the evidence."""

    task: Task
    framing: Framing
    rng: np.random.Generator
    right: list[CropImage] = field(init=False)

    def __post_init__(self) -> None:
        images = list(dict.fromkeys(evidence.image for evidence in self.task.evidence))
        cues = [(i, cue) for i in images for cue in joined(_boxes_on(i, self.task.evidence), self.framing.joined_side)]
        self.right = [CropImage(image, self.framing.right(cue, self.rng)) for image, cue in cues]

    def looks(self, kind: PlanKind) -> list[Look] | NoRoom:
        if any(crop.box.area > MOST_LOOK_AREA for crop in self.right):
            return NoRoom.CUE_TOO_LARGE
        right = [Look(crop) for crop in self.right]
        if kind is PlanKind.FURTHER_ZOOM:
            zoom = self._zoom(self.right[0])
            return zoom if isinstance(zoom, NoRoom) else [*zoom, *right[1:]]
        unrelated = self._unrelated(MISTAKES_OF[kind].count(Mistake.UNRELATED_REGION))
        return unrelated if isinstance(unrelated, NoRoom) else [*unrelated, *right]

    def _unrelated(self, count: int) -> list[Look] | NoRoom:
        first = self.right[0]
        evidence, regions = _boxes_on(first.image, self.task.evidence), list[Box]()
        for _ in range(count):
            region = unrelated_region(first.box, evidence, regions, self.framing, self.rng)
            if region is None:
                return NoRoom.NO_UNRELATED_REGION
            regions.append(region)
        return [Look(CropImage(first.image, region), Mistake.UNRELATED_REGION) for region in regions]

    def _zoom(self, crop: CropImage) -> list[Look] | NoRoom:
        region = oversized_region(crop.box, self.framing, self.rng)
        if region is None:
            return NoRoom.NO_OVERSIZED_REGION
        oversized = Look(CropImage(crop.image, region), Mistake.OVERSIZED_REGION)
        if not self.framing.crops_crops:
            return [oversized, Look(crop)]
        # The first look's picture follows those that the task opens with.
        return [oversized, Look(CropImage(len(self.task.sources), crop.box.relative_to(region)))]


def _boxes_on(image: int, evidence: Sequence[Evidence]) -> list[Box]:
    return [known.box for known in evidence if known.image == image]


# ---------------------------------------------------------------------------------------------------------- videos


def _frame_looks(task: Task, kind: PlanKind, framing: Framing, rng: np.random.Generator) -> list[Look] | NoRoom:
    evidence = sorted({known.image for known in task.evidence})
    wrong: tuple[int, ...] = ()
    looks = []
    if kind is PlanKind.RESELECT:
        drawn = wrong_frames(len(task.sources), evidence, rng)
        if drawn is None:
            return NoRoom.NO_WRONG_FRAMES
        wrong = drawn
        looks.append(Look(SelectFrames(wrong), Mistake.WRONG_FRAMES))
    frames = right_frames(len(task.sources), evidence, wrong, rng)
    looks.append(Look(SelectFrames(frames)))
    small = _small_moment(task.evidence, frames)
    if small:
        known = small[int(rng.integers(len(small)))]
        number = len(task.sources) + len(wrong) + frames.index(known.image)
        looks.append(Look(CropImage(number, framing.right(known.box, rng))))
    return looks


def right_frames(
    frame_count: int, evidence: Sequence[int], seen: Sequence[int], rng: np.random.Generator
) -> tuple[int, ...]:
    """The frames of the evidence and some neighbours that were not `seen`, MOST_FRAMES at most, in order.

    Of evidence on more frames than that, frames at even distances, the first and the last among them.
    """
    if len(evidence) >= MOST_FRAMES:
        places = np.linspace(0, len(evidence) - 1, MOST_FRAMES).round().astype(int)
        return tuple(evidence[int(place)] for place in places)
    before, after = (int(count) for count in rng.integers(0, MOST_NEIGHBOURS + 1, 2))
    first, last = min(evidence), max(evidence)
    neighbours = [*range(first - 1, first - before - 1, -1), *range(last + 1, last + after + 1)]
    room = [frame for frame in neighbours if 0 <= frame < frame_count and frame not in seen]
    return tuple(sorted([*evidence, *room[: MOST_FRAMES - len(evidence)]]))


def _small_moment(evidence: Sequence[Evidence], frames: Sequence[int]) -> list[Evidence]:
    """The evidence that is cropped after its frame was selected; none if it is large, or more than one moment."""
    first, last = min(known.image for known in evidence), max(known.image for known in evidence)
    if last - first >= len({known.image for known in evidence}):
        return []
    reference = evidence[0].box
    if any(known.box.area > SMALL_IN_FRAME or known.box.iou(reference) < ONE_MOMENT_IOU for known in evidence):
        return []
    return [known for known in evidence if known.image in frames]
