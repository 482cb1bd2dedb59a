"""Sources, views and pixel budgets: references to pixels, never pixels.

Depends on boxes; independent of decoding, tasks and episodes.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from types import NoneType
from typing import Any, Literal, Protocol, get_args, runtime_checkable

from PIL import Image

from pixel_env.boxes import FULL, Box, Rounding

Colors = Literal["srgb", "stored"]
"""Colours of a picture with an embedded profile: as sRGB, or the values as stored, whatever the profile says."""


class Source(Protocol):
    """Where pixels come from: a file, a video's frame, or a recipe that is rendered on demand.

    A source is small, immutable and picklable. `key` names its content: equal keys mean equal pixels, so caches and
    stores use it.
    """

    @property
    def key(self) -> str: ...

    def decode(self) -> Image.Image:
        """The whole image, RGB, at native resolution. Raises MediaError if it cannot be read."""
        ...


@runtime_checkable
class ProfiledSource(Protocol):
    """A source whose pixels may have a colour profile, which `decode` obeys."""

    def decode_as_stored(self) -> Image.Image:
        """As `Source.decode`, with the values as they are stored, whatever a profile says."""
        ...


class ViewKind(StrEnum):
    """What a view is to the model: each kind has a pixel budget of its own."""

    ORIGINAL = "original"
    CROP = "crop"
    VIDEO_FRAME = "video_frame"
    SELECTED_FRAME = "selected_frame"
    RESIZED = "resized"


class Step(Protocol):
    """One transformation of pixels, as a value: from an input image to a result, and how boxes on both correspond.

    A step is small, immutable and picklable; equal steps do the same. Boxes are fractions of the image they lie on.
    """

    def result_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the result for an input of `width` x `height` pixels."""
        ...

    def apply(self, image: Image.Image) -> Image.Image:
        """The result for the input `image` (RGB), which is not changed."""
        ...

    def to_input(self, box: Box) -> Box:
        """Where `box`, a box on the result, lies on the input."""
        ...

    def from_input(self, box: Box) -> Box | None:
        """Where `box`, a box on the input, lies on the result; None if the result does not show it."""
        ...


@dataclass(frozen=True, slots=True)
class Cut:
    """The step that cuts `box` out of its input, at whole pixels by `rounding`."""

    box: Box
    rounding: Rounding = "outward"

    def result_size(self, width: int, height: int) -> tuple[int, int]:
        """The size of the box in whole pixels."""
        left, top, right, bottom = self.box.pixels(width, height, self.rounding)
        return right - left, bottom - top

    def apply(self, image: Image.Image) -> Image.Image:
        """The pixels in the box; the input itself where the box is all of it."""
        pixels = self.box.pixels(*image.size, self.rounding)
        return image if pixels == (0, 0, *image.size) else image.crop(pixels)

    def to_input(self, box: Box) -> Box:
        """A box inside of the cut one."""
        return box.within(self.box)

    def from_input(self, box: Box) -> Box | None:
        """The part that was cut out, if any."""
        part = box.intersection(self.box)
        return None if part is None else part.relative_to(self.box)


@dataclass(frozen=True, slots=True)
class Magnified:
    """The step that resizes its input by `factor` on each side, to at most `max_pixels` if given (Lanczos filter)."""

    factor: float
    max_pixels: int | None = None

    def result_size(self, width: int, height: int) -> tuple[int, int]:
        """Both sides times the factor, at least 1 pixel each."""
        factor = self.factor
        if self.max_pixels is not None:
            factor = min(factor, math.sqrt(self.max_pixels / (width * height)))
        return max(1, round(width * factor)), max(1, round(height * factor))

    def apply(self, image: Image.Image) -> Image.Image:
        """The input, resized."""
        return image.resize(self.result_size(*image.size), Image.Resampling.LANCZOS)

    def to_input(self, box: Box) -> Box:
        """The same box: fractions do not change."""
        return box

    def from_input(self, box: Box) -> Box | None:
        """The same box."""
        return box


@dataclass(frozen=True, slots=True)
class View:
    """A reference to pixels: a source and the steps that lead from it to what is shown. It never owns pixels.

    `box`: the region of the source that the view shows, in fractions of the source. Without `steps` the view is that
    region at native resolution, so that a crop of a crop loses nothing. `steps`, where there are any, are everything
    that is done to the input, cuts included, in order. The input is the source; or, for a dialect whose operations work
    on what was shown, the *shown* pixels of the view `via`.
    """

    source: Source
    kind: ViewKind
    box: Box = FULL
    via: "View | None" = None
    steps: tuple[Step, ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """The view's identity without its pixel budget: equal keys, shown within equal budgets, mean equal pixels."""
        via = None if self.via is None else self.via.key
        return (self.source.key, self.kind, self.box.corners, via, *self.steps)

    @property
    def chain(self) -> tuple[Step, ...]:
        """All that is done to the input, the cut of a plain crop included."""
        if self.steps:
            return self.steps
        return (Cut(self.box if self.via is None else self.box.relative_to(self.via.box)),)

    def to_source(self, box: Box) -> Box:
        """Where `box`, a box on this view, lies on the source."""
        if not self.steps:
            return box.within(self.box)
        for step in reversed(self.steps):
            box = step.to_input(box)
        return box if self.via is None else self.via.to_source(box)

    def from_source(self, box: Box) -> Box | None:
        """Where `box`, a box on the source, lies on this view; None if no part of it is shown. The inverse."""
        if not self.steps:
            part = box.intersection(self.box)
            return None if part is None else part.relative_to(self.box)
        shown = box if self.via is None else self.via.from_source(box)
        for step in self.steps:
            if shown is None:
                return None
            shown = step.from_input(shown)
        return shown

    def cut(
        self, box: Box, *, kind: ViewKind = ViewKind.CROP, of_shown: bool = False, rounding: Rounding = "outward"
    ) -> "View":
        """The view of `box` on this view: of the source's own pixels, or of the pixels that were shown."""
        region = self.to_source(box)
        if not self.steps and rounding == "outward":
            return View(self.source, kind, region, via=self if of_shown else None)
        if of_shown:
            return View(self.source, kind, region, via=self, steps=(Cut(box, rounding),))
        # Steps name what is done to whole pixels: a cut of the whole image does nothing.
        before = self.chain if self.steps or self.box != FULL or self.via is not None else ()
        return View(self.source, kind, region, self.via, (*before, Cut(box, rounding)))

    def magnified(self, factor: float, max_pixels: int | None = None) -> "View":
        """This view resized by `factor` before its pixel budget applies; a factor of 1 changes nothing."""
        return self if factor == 1.0 else replace(self, steps=(*self.chain, Magnified(factor, max_pixels)))

    def transformed(self, step: Step, *, kind: ViewKind | None = None, of_shown: bool = False) -> "View":
        """This view after `step`; of the kind of this view unless another is given."""
        kind = self.kind if kind is None else kind
        region = self.to_source(step.to_input(FULL))
        if of_shown:
            return View(self.source, kind, region, via=self, steps=(step,))
        before = self.chain if self.steps or self.box != FULL or self.via is not None else ()
        return View(self.source, kind, region, self.via, (*before, step))


RESIZED_PIXELS = 4
"""How many times the pixels of an original an image has that is shown again, larger: twice as many on each side.

VisionThink (arXiv 2507.13348) first shows a quarter of the pixels, and all of them on request.
"""


@dataclass(frozen=True, slots=True)
class PixelBudget:
    """How many pixels a view may have when shown; both sides are multiples of `factor` (the model's patch x merge).

    `scale`: of each side, before the bounds apply (VisionThink shows half of each side first); `max_short_side`: the
    shorter side is scaled down to at most so many pixels first (Qwen-Agent: 1080). Both are rare.
    """

    min_pixels: int
    max_pixels: int
    factor: int = 28
    scale: float = 1.0
    max_short_side: int | None = None

    def __post_init__(self) -> None:
        if not (0 < self.min_pixels <= self.max_pixels and self.factor > 0):
            raise ValueError(f"a PixelBudget is 0 < min_pixels <= max_pixels and factor > 0, got {self}")
        if not 0 < self.scale <= 1 or (self.max_short_side is not None and self.max_short_side < 1):
            raise ValueError(f"a PixelBudget has 0 < scale <= 1 and a max_short_side of 1 or more, got {self}")

    def to_row(self) -> dict[str, Any]:
        """A JSON object; what is left at its default of no effect is left out."""
        neutral = {"scale": 1.0, "max_short_side": None}
        return {key: value for key, value in asdict(self).items() if neutral.get(key, self) != value}


@dataclass(frozen=True, slots=True)
class ViewBudgets:
    """How views are shown, in the configuration once: one pixel budget per kind of view, and the colours.

    `resized`: of an original that is shown again, larger; None: RESIZED_PIXELS times those of an original. `colors`:
    whether embedded colour profiles count ("srgb"), or not ("stored").
    """

    original: PixelBudget
    crop: PixelBudget
    video_frame: PixelBudget
    selected_frame: PixelBudget
    resized: PixelBudget | None = None
    colors: Colors = field(default="srgb", kw_only=True)

    def __post_init__(self) -> None:
        if self.colors not in get_args(Colors):
            raise ValueError(f"colors is one of {', '.join(get_args(Colors))}, got {self.colors!r}")

    def to_row(self) -> dict[str, Any]:
        """A JSON object: by kind, what `PixelBudget` holds, and `colors` unless "srgb"; `from_row` is the inverse."""
        given = {kind.value: getattr(self, kind) for kind in ViewKind}
        row: dict[str, Any] = {kind: budget.to_row() for kind, budget in given.items() if budget is not None}
        return row if self.colors == "srgb" else {**row, "colors": self.colors}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "ViewBudgets":
        """Raises TypeError or ValueError where a kind is missing, unknown, or no budget, and for unknown colours."""
        given = {kind: budget for kind, budget in row.items() if kind != "colors" and budget is not None}
        for budget in given.values():
            wrong = [name for name, value in budget.items() if name != "scale" and type(value) not in (int, NoneType)]
            if wrong:
                raise TypeError(f"{wrong[0]} is {budget[wrong[0]]!r}; wanted: a whole number")
        budgets: dict[str, Any] = {kind: PixelBudget(**budget) for kind, budget in given.items()}
        return cls(**budgets, colors=row.get("colors", "srgb"))

    def with_colors_of(self, other: "ViewBudgets") -> "ViewBudgets":
        """These budgets, "stored" if `other`, those of a dialect, are."""
        return self if other.colors == "srgb" else replace(self, colors=other.colors)

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
            case ViewKind.RESIZED:
                if self.resized is not None:
                    return self.resized
                most = RESIZED_PIXELS * self.original.max_pixels
                return PixelBudget(self.original.min_pixels, most, self.original.factor)
