"""Boxes, and the exact rules by which corners that a model wrote become a box.

Depends on numbers; independent of images, dialects and operations. Inside the library a box is always fractions of the
image that it lies on, so `Box` needs no image; a dialect turns pixels or grid cells into fractions first.

How corners are read, in the order in which they are checked (`edges.py` has a dialect's rules):

1. four numbers, or `box_length`;
2. each finite, or `box_not_finite`;
3. x0 < x1 and y0 < y1: equal edges, or closer than a millionth of the side, are `box_empty`, swapped ones
   `box_inverted`;
4. an edge may lie up to `overhang` (`OVERHANG`, 2 % of the side, unless the dialect says otherwise) outside of the
   image and is then moved onto the border; an edge farther outside is `box_outside`. A box that is empty after this
   step lay outside: `box_outside`.

How few pixels a crop may have is checked when it is cut, because it needs the source.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from pixel_env.failures import Failure, FailureCode

Size = tuple[int, int]
"""Width and height in pixels."""

OVERHANG = 0.02
"""How far outside of the image an edge may lie, as a fraction of the side, and still be moved onto the border."""

Rounding = Literal["outward", "inward", "down", "up", "nearest"]
"""How edges become whole pixels. `outward`: every pixel that the box touches belongs to it (left and top round down,
right and bottom up); `inward`: the other way; `down`, `up`, `nearest`: all four edges alike (halves to even, as Python
and Pillow round)."""

# Fractions such as 0.3 * 10 are off by an ulp: an edge this close to a whole pixel is that pixel.
_PIXEL_TOLERANCE = 1e-6

# Thinner boxes would collapse to nothing when they are mapped through the boxes that they lie in.
_MIN_SIDE = 1e-6


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in fractions of its image: `0 <= x0 < x1 <= 1`, `0 <= y0 < y1 <= 1`, origin at the top left."""

    x0: float
    y0: float
    x1: float
    y1: float

    is_padded: ClassVar[bool] = False
    """Whether the padding of the dialect is in the box already."""

    def __post_init__(self) -> None:
        if not (0.0 <= self.x0 < self.x1 <= 1.0 and 0.0 <= self.y0 < self.y1 <= 1.0):
            raise ValueError(
                f"a Box is 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1, got {self.corners}. "
                "Numbers that a model wrote go through read_box()."
            )

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1."""
        return (self.x0, self.y0, self.x1, self.y1)

    @property
    def width(self) -> float:
        """Fraction of the image's width."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Fraction of the image's height."""
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        """Fraction of the image's area."""
        return self.width * self.height

    def contains(self, other: "Box") -> bool:
        """Whether `other` lies wholly inside, up to rounding."""
        slack = _PIXEL_TOLERANCE
        return (
            self.x0 <= other.x0 + slack
            and self.y0 <= other.y0 + slack
            and other.x1 <= self.x1 + slack
            and other.y1 <= self.y1 + slack
        )

    def iou(self, other: "Box") -> float:
        """Intersection over union, 0 to 1."""
        overlap = self.intersection(other)
        return 0.0 if overlap is None else overlap.area / (self.area + other.area - overlap.area)

    def intersection(self, other: "Box") -> "Box | None":
        """The intersection; None if its area is zero."""
        x0, y0 = max(self.x0, other.x0), max(self.y0, other.y0)
        x1, y1 = min(self.x1, other.x1), min(self.y1, other.y1)
        return Box(x0, y0, x1, y1) if min(x1 - x0, y1 - y0) > 0.0 else None

    def covered_by(self, other: "Box") -> float:
        """The share of this box's area that lies in `other`, 0 to 1."""
        overlap = self.intersection(other)
        return 0.0 if overlap is None else overlap.area / self.area

    def within(self, outer: "Box") -> "Box":
        """This box, given as fractions of `outer`, as fractions of the image that `outer` lies on."""
        return Box(
            outer.x0 + self.x0 * outer.width,
            outer.y0 + self.y0 * outer.height,
            min(1.0, outer.x0 + self.x1 * outer.width),
            min(1.0, outer.y0 + self.y1 * outer.height),
        )

    def relative_to(self, outer: "Box") -> "Box":
        """This box, which lies inside `outer`, as fractions of `outer`: the inverse of `within`."""
        return Box(
            max(0.0, (self.x0 - outer.x0) / outer.width),
            max(0.0, (self.y0 - outer.y0) / outer.height),
            min(1.0, (self.x1 - outer.x0) / outer.width),
            min(1.0, (self.y1 - outer.y0) / outer.height),
        )

    def padded(self, fraction: float) -> "Box":
        """Each edge moved outward by `fraction` of the image's side, and stopped at the border."""
        return Box(
            max(0.0, self.x0 - fraction),
            max(0.0, self.y0 - fraction),
            min(1.0, self.x1 + fraction),
            min(1.0, self.y1 + fraction),
        )

    def pixels(self, width: int, height: int, rounding: Rounding = "outward") -> tuple[int, int, int, int]:
        """Left, top, right, bottom in whole pixels of a `width` x `height` image, at least one pixel each way."""
        low, high = _ROUND[rounding]
        left = min(width - 1, low(self.x0 * width))
        top = min(height - 1, low(self.y0 * height))
        right, bottom = high(self.x1 * width), high(self.y1 * height)
        return left, top, max(left + 1, min(width, right)), max(top + 1, min(height, bottom))


@dataclass(frozen=True, slots=True)
class PaddedBox(Box):
    """A box that holds the dialect's padding already: the padding repaired corners that are no box by themselves."""

    is_padded: ClassVar[bool] = True


def _down(edge: float) -> int:
    return math.floor(edge + _PIXEL_TOLERANCE)


def _up(edge: float) -> int:
    return math.ceil(edge - _PIXEL_TOLERANCE)


_ROUND: dict[Rounding, tuple[Callable[[float], int], Callable[[float], int]]] = {
    "outward": (_down, _up),
    "inward": (_up, _down),
    "down": (_down, _down),
    "up": (_up, _up),
    "nearest": (round, round),
}


FULL = Box(0.0, 0.0, 1.0, 1.0)
"""The whole image."""


def read_box(corners: Sequence[float], overhang: float = OVERHANG, *, padding: float | None = None) -> Box | Failure:
    """The box that `corners` (fractions x0, y0, x1, y1, as a model wrote them) describe, by the rules above.

    `padding`: corners that are no box are padded by this fraction of the image's side first (`Edges.pads_first`).
    """
    if len(corners) != 4:
        return Failure(FailureCode.BOX_LENGTH, f"A box has 4 numbers x0, y0, x1, y1; got {len(corners)}.")
    if not all(math.isfinite(value) for value in corners):
        return Failure(FailureCode.BOX_NOT_FINITE, "The numbers of a box must be finite.")
    box = _checked(corners, overhang)
    if padding is None or isinstance(box, Box):
        return box
    x0, y0, x1, y1 = corners
    padded = _checked((x0 - padding, y0 - padding, x1 + padding, y1 + padding), math.inf)
    return box if isinstance(padded, Failure) else PaddedBox(*padded.corners)


def _checked(corners: Sequence[float], overhang: float) -> Box | Failure:
    x0, y0, x1, y1 = corners
    if min(abs(x1 - x0), abs(y1 - y0)) < _MIN_SIDE:
        return Failure(FailureCode.BOX_EMPTY, "The box is empty: x0 must be smaller than x1 and y0 smaller than y1.")
    if x0 > x1 or y0 > y1:
        return Failure(FailureCode.BOX_INVERTED, "The box is inverted: it goes from the top left to the bottom right.")
    # The tolerance keeps an overhang of exactly 2 % legal whatever unit the dialect counts in.
    limit = overhang + 1e-9
    if min(corners) < -limit or max(corners) > 1.0 + limit:
        return Failure(
            FailureCode.BOX_OUTSIDE,
            f"The box lies outside of the image; an edge may overhang by at most {overhang:.0%} of the side.",
        )
    inside = [min(1.0, max(0.0, value)) for value in corners]
    if min(inside[2] - inside[0], inside[3] - inside[1]) < _MIN_SIDE:
        return Failure(FailureCode.BOX_OUTSIDE, "No part of the box lies inside of the image.")
    return Box(*inside)
