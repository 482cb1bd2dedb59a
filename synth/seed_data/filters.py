"""Filters for seed data: which tasks are suitable for synthesis, and why the others are dropped.

Depends on tasks, evidence and image sizes; independent of formats and models. Whether a model answers a question from
the overview is checked in `overview.py`.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from pixel_env.errors import MediaError
from pixel_env.media.cache import CACHE
from pixel_env.task import Task
from pixel_env.views import Source
from synth.seed_data.duplicates import SeenImages, difference_hash


class Drop(StrEnum):
    """Why a seed is dropped; reports count seeds by these reasons."""

    BAD_ROW = "bad_row"
    NOT_ASKED = "not_asked"
    NO_EVIDENCE = "no_evidence"
    EVIDENCE_OUTSIDE = "evidence_outside"
    REGION_TOO_LARGE = "region_too_large"
    REGION_TOO_SMALL = "region_too_small"
    OVERVIEW_SUFFICES = "overview_suffices"
    SAME_QUESTION = "same_question"
    NEAR_DUPLICATE = "near_duplicate"
    PICTURE_USED_UP = "picture_used_up"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Filters:
    """The requirements for a seed; None switches a filter off.

    `max_share`: largest area of a region, as a share of the image, so that a crop is worthwhile. `max_frames`: for a
    video, the largest number of evidence frames (as many as one operation selects). `min_side_px`: least width and
    height of a region in source pixels, below which there is nothing to see. `max_bits`: an image whose hash differs
    from that of an earlier image in at most this many of 256 bits counts as its copy. `per_picture`: largest number of
    questions about one image.
    """

    max_share: float | None = 0.05
    max_frames: int | None = 8
    min_side_px: int | None = 12
    max_bits: int | None = 20
    per_picture: int | None = 4

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"Filters.{name} must not be negative, got {value}; None switches it off")


FOR_RECIPES = Filters(max_share=None, min_side_px=None, max_bits=None, per_picture=None)
"""For composed scenes. Their generators choose the sizes, tests prove that an operation is needed, and all of them
share a few photographs as backgrounds: a hash would take them for copies, and would have to render each one."""


class SeedFilter:
    """Filters seeds one after the other; the seeds kept so far decide what is a duplicate."""

    def __init__(self, filters: Filters) -> None:
        self.filters = filters
        self._questions: set[tuple[str, ...]] = set()
        self._uses: Counter[str] = Counter()
        self._originals: set[str] = set()
        self._seen = None if filters.max_bits is None else SeenImages(filters.max_bits)

    def drop_reason(self, task: Task) -> Drop | None:
        """Why the seed is dropped, or None: then it counts as kept. Cheap checks come first."""
        reason = self._of_evidence(task)
        if reason is not None:
            return reason
        try:
            return self._of_pixels(task) or self._of_repetition(task)
        except MediaError:
            return Drop.UNREADABLE

    def _of_evidence(self, task: Task) -> Drop | None:
        if not task.evidence:
            return Drop.NO_EVIDENCE
        if not all(0 <= evidence.image < len(task.sources) for evidence in task.evidence):
            return Drop.EVIDENCE_OUTSIDE
        if task.needs_looking is False:
            return Drop.OVERVIEW_SUFFICES
        return Drop.REGION_TOO_LARGE if self._is_too_large(task) else None

    def _is_too_large(self, task: Task) -> bool:
        if task.media == "video":
            most_frames = self.filters.max_frames
            return most_frames is not None and len({evidence.image for evidence in task.evidence}) > most_frames
        most = self.filters.max_share
        return most is not None and max(evidence.box.area for evidence in task.evidence) > most

    def _of_pixels(self, task: Task) -> Drop | None:
        least = self.filters.min_side_px
        if least is None:
            return None
        for evidence in task.evidence:
            left, top, right, bottom = evidence.box.pixels(*CACHE.get(task.sources[evidence.image]).size)
            if min(right - left, bottom - top) < least:
                return Drop.REGION_TOO_SMALL
        return None

    def _of_repetition(self, task: Task) -> Drop | None:
        shown = task.sources[len(task.sources) // 2]  # the middle frame represents a video
        question = (shown.key, task.question, *task.answers)
        if question in self._questions:
            return Drop.SAME_QUESTION
        if self._is_copy(shown):
            return Drop.NEAR_DUPLICATE
        if self.filters.per_picture is not None and self._uses[shown.key] >= self.filters.per_picture:
            return Drop.PICTURE_USED_UP
        self._uses[shown.key] += 1
        self._questions.add(question)
        return None

    def _is_copy(self, shown: Source) -> bool:
        if self._seen is None or shown.key in self._originals:
            return False
        image_hash = difference_hash(CACHE.get(shown))
        if self._seen.resembles(image_hash):
            return True
        self._seen.add(image_hash)
        self._originals.add(shown.key)
        return False
