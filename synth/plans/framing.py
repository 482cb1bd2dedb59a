"""Framing: which box to crop around a cue, the region that a crop is about.

There are two framings: `FREE` for models that can write any box, and `GRID` for the embedded model, whose boxes are
windows of 4 x 4 cells of a 16 x 16 grid. Depends on boxes and random generators; independent of tasks and of mistakes
(`mistakes.py`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixel_env.boxes import Box
from synth.plans.windows import GRID_CELLS, WINDOW_CELLS, right_window

LEAST_SIDE = 1 / 8
"""Least width and height of a crop, as a share of the image: more than 28 pixels of an image of 240."""
MARGIN = (0.1, 0.5)
"""Range of the margin on each side of the cue, in sides of the cue."""
MOST_MARGIN = 0.02
"""Largest margin, as a share of the image's side: more around a large cue would only reduce the scale."""


@dataclass(frozen=True, slots=True)
class FreeFraming:
    """The cue with MARGIN on each side (at most MOST_MARGIN), enlarged to LEAST_SIDE, inside the image.

    `crops_crops`: an operation may crop the result of an earlier one. `joined_side`: cues share a crop while the box
    around them has at most this share of each side of the image.
    """

    crops_crops: bool = True
    joined_side: float = 1 / 4

    def right(self, cue: Box, rng: np.random.Generator) -> Box:
        """A crop that contains the whole cue."""
        x0, x1 = _framed_side(cue.x0, cue.x1, rng)
        y0, y1 = _framed_side(cue.y0, cue.y1, rng)
        return Box(x0, y0, x1, y1)


def _framed_side(low: float, high: float, rng: np.random.Generator) -> tuple[float, float]:
    before, after = (min(MOST_MARGIN, share * (high - low)) for share in rng.uniform(*MARGIN, 2).tolist())
    low, high = low - before, high + after
    missing = max(0.0, LEAST_SIDE - (high - low))
    # Not always centred: otherwise the centre of a crop would reveal the position of the cue.
    low -= missing * rng.uniform(0.2, 0.8)
    high = max(high, low + LEAST_SIDE)
    return _inside(low, high)


def _inside(low: float, high: float) -> tuple[float, float]:
    """The interval moved into 0 to 1, and shortened if it is longer than that."""
    length = min(1.0, high - low)
    start = float(np.clip(low, 0.0, 1.0 - length))
    return start, min(1.0, start + length)


@dataclass(frozen=True, slots=True)
class GridFraming:
    """The window around the centre of the cue; for a cue larger than a window, the cells that it touches.

    The dialect of the embedded model can crop the first image only.
    """

    crops_crops: bool = False
    joined_side: float = (WINDOW_CELLS - 1) / GRID_CELLS

    def right(self, cue: Box, rng: np.random.Generator) -> Box:
        """A crop that contains the whole cue."""
        window = right_window(cue)
        return window if window != cue else _touched_cells(cue)


def _touched_cells(box: Box) -> Box:
    low_x, low_y = (math.floor(edge * GRID_CELLS) / GRID_CELLS for edge in (box.x0, box.y0))
    high_x, high_y = (math.ceil(edge * GRID_CELLS) / GRID_CELLS for edge in (box.x1, box.y1))
    return Box(low_x, low_y, high_x, high_y)


Framing = FreeFraming | GridFraming
FREE = FreeFraming()
GRID = GridFraming()


def joined(boxes: Sequence[Box], joined_side: float) -> list[Box]:
    """The boxes; pairs that fit into one crop of `joined_side` are replaced by the box around them, smallest first."""
    left = list(dict.fromkeys(boxes))
    while True:
        pairs = [(_around(a, b), i, j) for i, a in enumerate(left) for j, b in enumerate(left[:i])]
        fitting = [pair for pair in pairs if max(pair[0].width, pair[0].height) <= joined_side]
        if not fitting:
            return left
        box, i, j = min(fitting, key=lambda pair: pair[0].area)
        left = [box if index == j else other for index, other in enumerate(left) if index != i]


def _around(a: Box, b: Box) -> Box:
    return Box(min(a.x0, b.x0), min(a.y0, b.y0), max(a.x1, b.x1), max(a.y1, b.y1))
