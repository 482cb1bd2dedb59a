"""Edge rules: how the corners that a model wrote become the region that is cut.

One value per dialect. What happens, in this order:

1. `read_box` reads the corners: four finite numbers in order, and an edge outside of the image by more than `overhang`
   refuses the box. `pads_first` lets the padding repair a box that is empty, inverted or outside.
2. `Edges.region` enlarges the box about its centre by `enlarge`, moves each edge outward by `padding`, and gives a box
   that is smaller than `min_side` more room if `small_box` is "expand" or "scale".
3. `Edges.fault` refuses a region that is smaller than `min_side` or longer than `max_aspect`.
4. The region is cut at whole pixels (`rounding`) and enlarged by `magnify`.

Depends on boxes; independent of images, dialects and operations.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from pixel_env.boxes import OVERHANG, Box, Rounding
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.failures import Failure, FailureCode

_LEAST_FACTOR = 0.001

SmallBox = Literal["refuse", "expand", "scale"]
"""`refuse` it; `expand` its short sides about its centre to `min_side`; `scale` both sides about its centre until the
shorter one has `min_side`, to whole pixels, and cut it as it is where the image has no room (Qwen-Agent)."""


@dataclass(frozen=True, slots=True)
class Edges:
    """The edge rules of a dialect; lengths in pixels are pixels of the source.

    Args:
        overhang: How far outside of the image an edge may lie, as a fraction of the side, and still be moved onto the
            border; `math.inf` clamps every edge.
        enlarge: Factor of the box's width and height, about its centre (Chain-of-Focus: 1.5).
        padding: Added on each side, as a fraction of the *image's* side (the released Pixel Reasoner: 0.1).
        padding_pixels: The padding of a side is at most this long; None: no bound.
        pads_first: The padding comes before the checks, so that an empty, inverted or outlying box is cut if its
            padded region is a box (there without `padding_pixels`, because the source's size is not known yet).
        min_side: The least width and height of a region.
        small_box: What happens to a smaller one (`SmallBox`).
        max_aspect: The longest region, length to width.
        rounding: How the region's edges become whole pixels (`boxes.Rounding`).
        last_pixel: Right and bottom edges stop one pixel before the border (clamping to width - 1 and height - 1).
        magnify: The cut region is resized by this factor before its pixel budget applies.
        magnified_pixels: The most pixels after `magnify`; None: no bound of its own.
        window_pixels: Side of the square around the point of `point_zoom`; None: a quarter of the image's sides.
        window_is_clipped: At the border the window is cut off, and a point may lie outside by `overhang`; False: the
            window is moved inside, and a point lies inside.
        whole_image_on_failure: A box that would be refused shows the whole image instead.

    Raises ConfigError or UnknownNameError for values that mean nothing.
    """

    overhang: float = OVERHANG
    enlarge: float = 1.0
    padding: float = 0.0
    padding_pixels: int | None = None
    pads_first: bool = False
    min_side: int = 28
    small_box: SmallBox = "refuse"
    max_aspect: float = 200.0
    rounding: Rounding = "outward"
    last_pixel: bool = False
    magnify: float = 1.0
    magnified_pixels: int | None = None
    window_pixels: int | None = None
    window_is_clipped: bool = False
    whole_image_on_failure: bool = False

    def __post_init__(self) -> None:
        for name, choices in (("small_box", get_args(SmallBox)), ("rounding", get_args(Rounding))):
            if getattr(self, name) not in choices:
                raise UnknownNameError.among(f"edge rule {name}", str(getattr(self, name)), choices)
        for name, least in (("overhang", 0), ("padding", 0), ("min_side", 1), ("max_aspect", 1)):
            if not getattr(self, name) >= least:
                raise ConfigError(f"the edge rule {name} is {getattr(self, name)}; give {least} or more")
        for name, least in (("padding_pixels", 0), ("magnified_pixels", 1), ("window_pixels", 1)):
            if (value := getattr(self, name)) is not None and value < least:
                raise ConfigError(f"the edge rule {name} is {value}; give {least} or more, or leave it out")
        for name in ("enlarge", "magnify"):
            # A smaller factor would leave nothing of a small box.
            if not _LEAST_FACTOR <= getattr(self, name) < math.inf:
                given = getattr(self, name)
                raise ConfigError(
                    f"the edge rule {name} is {given}; give a factor of {_LEAST_FACTOR} or more, 1 for none"
                )

    def region(self, box: Box, width: int, height: int) -> Box:
        """The region that is cut for `box`, on an image of `width` x `height` source pixels."""
        x0, x1 = self._edges(box.x0, box.x1, width, is_padded=box.is_padded)
        y0, y1 = self._edges(box.y0, box.y1, height, is_padded=box.is_padded)
        region = Box(x0, y0, x1, y1)
        return _scaled(region, width, height, self.min_side) if self.small_box == "scale" else region

    def fault(self, width: int, height: int) -> Failure | None:
        """Why a region of `width` x `height` source pixels is refused; None if it is not."""
        if min(width, height) < self.min_side and not (self.small_box == "scale" and min(width, height) > 0):
            return Failure(
                FailureCode.CROP_TOO_SMALL,
                f"The crop is too small: {width}x{height} pixels of the source; "
                f"each side must have at least {self.min_side}.",
            )
        if max(width, height) > self.max_aspect * min(width, height):
            return Failure(
                FailureCode.CROP_TOO_LONG,
                f"The crop is too long: {width}x{height} pixels of the source; at most {self.max_aspect:.0f} to 1.",
            )
        return None

    def _edges(self, low: float, high: float, side: int, *, is_padded: bool) -> tuple[float, float]:
        """The edges along one side of `side` pixels, in fractions of it."""
        if self.enlarge != 1.0:
            centre, half = (low + high) / 2, (high - low) / 2 * self.enlarge
            low, high = max(0.0, centre - half), min(1.0, centre + half)
        if self.padding and not is_padded:
            added = self.padding if self.padding_pixels is None else min(self.padding, self.padding_pixels / side)
            low, high = max(0.0, low - added), min(1.0, high + added)
        if self.last_pixel and side > 1:
            last = (side - 1) / side
            low, high = min(low, (side - 2) / side), min(high, last)
        if self.small_box == "expand" and self._is_short(low, high, side):
            low, high = _expanded(low, high, self.min_side / side)
            if self.rounding in ("inward", "nearest"):  # they could take a pixel of it away
                start = min(round(low * side), side - min(self.min_side, side))
                low, high = start / side, min(1.0, start / side + self.min_side / side)
        return low, high

    def _is_short(self, low: float, high: float, side: int) -> bool:
        """Whether the edges have less than the least side between them, in pixels or in whole pixels."""
        left, _, right, _ = Box(low, 0.0, high, 1.0).rounded(side, 1, self.rounding)
        return min((high - low) * side, right - left) < self.min_side


def _expanded(low: float, high: float, length: float) -> tuple[float, float]:
    """Edges `length` apart about the same centre, moved inside of the image; the whole side if it is shorter."""
    if length >= 1.0:
        return 0.0, 1.0
    start = min(max(0.0, (low + high - length) / 2), 1.0 - length)
    return start, start + length


def _scaled(box: Box, width: int, height: int, least: int) -> Box:
    """`box` scaled about its centre until its shorter side has `least` pixels, if the image has room for more."""
    left, top, right, bottom = box.x0 * width, box.y0 * height, box.x1 * width, box.y1 * height
    ratio = least / min(right - left, bottom - top)
    if ratio <= 1.0:
        return box
    half_width, half_height = (math.ceil(side * ratio / 2) for side in (right - left, bottom - top))
    x, y = (left + right) / 2, (top + bottom) / 2
    new_left, new_right = max(0, math.floor(x - half_width)), min(width, math.ceil(x + half_width))
    new_top, new_bottom = max(0, math.floor(y - half_height)), min(height, math.ceil(y + half_height))
    if min(new_right - new_left, new_bottom - new_top) <= least:
        return box
    return Box(new_left / width, new_top / height, new_right / width, new_bottom / height)
