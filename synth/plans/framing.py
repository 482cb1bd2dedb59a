"""Framing: which box a look crops, given the region that it is about.

Two ways: `FREE` for models that write any box, `GRID` for the embedded model, whose boxes are windows of 4 x 4 cells of
a 16 x 16 grid. Knows boxes and chance. Knows nothing of tasks, and not what a mistake is (`mistakes.py`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixel_env.boxes import Box
from synth.plans.windows import GRID_CELLS, WINDOW_CELLS, right_window

LEAST_SIDE = 1 / 8
"""A look has at least this share of its image's width and height: more than 28 pixels of any picture of 240."""
MARGIN = (0.1, 0.5)
"""Range of what is shown on each side of the cue, in sides of the cue."""
MOST_MARGIN = 0.02
"""It is at most this share of the image's side: around a large cue more would only cost scale."""


@dataclass(frozen=True, slots=True)
class FreeFraming:
    """The cue with MARGIN on each side, at most MOST_MARGIN, and enlarged to LEAST_SIDE; inside of the image.

    `crops_crops`: a look may crop what an earlier one showed. `joined_side`: cues are looked at together while the box
    around them has at most this share of each side.
    """

    crops_crops: bool = True
    joined_side: float = 1 / 4

    def right(self, cue: Box, rng: np.random.Generator) -> Box:
        """A look that holds the cue whole."""
        x0, x1 = _framed_side(cue.x0, cue.x1, rng)
        y0, y1 = _framed_side(cue.y0, cue.y1, rng)
        return Box(x0, y0, x1, y1)


def _framed_side(low: float, high: float, rng: np.random.Generator) -> tuple[float, float]:
    before, after = (min(MOST_MARGIN, share * (high - low)) for share in rng.uniform(*MARGIN, 2).tolist())
    low, high = low - before, high + after
    missing = max(0.0, LEAST_SIDE - (high - low))
    # Not always in the middle: else the middle of a look would give away where the cue is.
    low -= missing * rng.uniform(0.2, 0.8)
    high = max(high, low + LEAST_SIDE)
    return _inside(low, high)


def _inside(low: float, high: float) -> tuple[float, float]:
    """The side moved into 0 to 1, and cut where it is longer."""
    length = min(1.0, high - low)
    start = float(np.clip(low, 0.0, 1.0 - length))
    return start, min(1.0, start + length)


@dataclass(frozen=True, slots=True)
class GridFraming:
    """The window around the middle of the cue; of a cue that is larger than a window, the cells that it touches.

    The dialect of the embedded model can crop the first image only.
    """

    crops_crops: bool = False
    joined_side: float = (WINDOW_CELLS - 1) / GRID_CELLS

    def right(self, cue: Box, rng: np.random.Generator) -> Box:
        """A look that holds the cue whole."""
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
    """The boxes, those that fit into one look of `joined_side` replaced by the box around them, the smallest first."""
    left = list(dict.fromkeys(boxes))
    while True:
        pairs = [(_around(a, b), i, j) for i, a in enumerate(left) for j, b in enumerate(left[:i])]
        fitting = [pair for pair in pairs if max(pair[0].width, pair[0].height) <= joined_side]
        if not fitting:
            return left
        box, i, j = min(fitting, key=lambda pair: pair[0].area)
        left = [box if place == j else other for place, other in enumerate(left) if place != i]


def _around(a: Box, b: Box) -> Box:
    return Box(min(a.x0, b.x0), min(a.y0, b.y0), max(a.x1, b.x1), max(a.y1, b.y1))
