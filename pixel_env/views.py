"""Sources, views and pixel budgets: references to pixels, never pixels.

Depends on boxes; independent of decoding, tasks and episodes.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from PIL import Image

from pixel_env.boxes import FULL, Box


class Source(Protocol):
    """Where pixels come from: a file, a video's frame, or a recipe that is rendered on demand.

    A source is small, immutable and picklable. `key` names its content: equal keys mean equal pixels, so it is what
    caches and stores go by.
    """

    @property
    def key(self) -> str: ...

    def decode(self) -> Image.Image:
        """The whole picture, RGB, at native resolution. Raises MediaError if it cannot be read."""
        ...


class ViewKind(StrEnum):
    """What a view is to the model: each kind has a pixel budget of its own."""

    ORIGINAL = "original"
    CROP = "crop"
    VIDEO_FRAME = "video_frame"
    SELECTED_FRAME = "selected_frame"


@dataclass(frozen=True, slots=True)
class View:
    """A box of a source. A crop of a crop is a view of the source: pixels are never copied, nor lost on the way.

    `via` is the view whose *shown* pixels are cut, for a dialect that crops what was shown; None: cut from the source
    at native resolution. `box` is fractions of the source either way.
    """

    source: Source
    kind: ViewKind
    box: Box = FULL
    via: "View | None" = None

    @property
    def key(self) -> tuple[object, ...]:
        """The view's identity without its pixel budget: equal keys, shown within equal budgets, mean equal pixels."""
        return (self.source.key, self.kind, self.box.corners, None if self.via is None else self.via.key)


@dataclass(frozen=True, slots=True)
class PixelBudget:
    """How many pixels a view may have when shown; both sides are multiples of `factor` (the model's patch x merge)."""

    min_pixels: int
    max_pixels: int
    factor: int = 28

    def __post_init__(self) -> None:
        if not (0 < self.min_pixels <= self.max_pixels and self.factor > 0):
            raise ValueError(f"a PixelBudget is 0 < min_pixels <= max_pixels and factor > 0, got {self}")


@dataclass(frozen=True, slots=True)
class ViewBudgets:
    """One pixel budget per kind of view, in the configuration once."""

    original: PixelBudget
    crop: PixelBudget
    video_frame: PixelBudget
    selected_frame: PixelBudget

    def of(self, kind: ViewKind) -> PixelBudget:
        """The budget of `kind`."""
        match kind:
            case ViewKind.ORIGINAL:
                return self.original
            case ViewKind.CROP:
                return self.crop
            case ViewKind.VIDEO_FRAME:
                return self.video_frame
            case ViewKind.SELECTED_FRAME:
                return self.selected_frame
