"""Deliberate mistakes: operations that are wrong in a defined way, drawn at random from the evidence.

| mistake | rule |
|---|---|
| `unrelated_region` | as large as the right crop that it precedes; shows no part of any evidence on its image (IoU 0), not even if a dialect pads a crop by CLEARANCE; overlaps an earlier one by an IoU of NEAR_DUPLICATE at most |
| `oversized_region` | contains the whole crop that follows; its area is OVERSIZED of the image's, and at least OVERSIZED_TIMES that of the crop |
| `wrong_frames` | up to MOST_WRONG_FRAMES neighbouring frames, all before or all after the frames from the first to the last evidence |

On the grid of the embedded model an unrelated region is one of its windows (IoU 0, no padding there), and an over-large
one is a window of twice the side. Each function returns None if the evidence leaves no room. Depends on boxes and frame
indices; independent of tasks and dialects.
"""  # noqa: E501  # a table's row is one line

import math
from collections.abc import Sequence

import numpy as np

from pixel_env.boxes import Box
from synth.plans.framing import Framing, FreeFraming, GridFraming
from synth.plans.windows import GRID_CELLS, WINDOW_CELLS, windows_off

CLEARANCE = 0.1
"""What the released checkpoints' dialect adds on each side of a crop, as a share of the image's side."""
NEAR_DUPLICATE = 0.1
"""Two mistakes of one trace overlap by at most this IoU."""
OVERSIZED = (0.1, 0.5)
"""Smallest and largest area of an over-large region, as a share of the image's."""
OVERSIZED_TIMES = 4.0
"""An over-large region has at least this many times the area of the crop that follows, which contains the cue."""
MOST_WRONG_FRAMES = 4
"""Together with 8 right frames, a crop and the video itself they fit into the 16 images of an episode."""

_TRIES = 64
_OVERSIZED_CELLS = 2 * WINDOW_CELLS


def unrelated_region(
    crop: Box, evidence: Sequence[Box], earlier: Sequence[Box], framing: Framing, rng: np.random.Generator
) -> Box | None:
    """A region of the size of `crop` that shows no part of `evidence` and does not nearly equal one of `earlier`."""
    match framing:
        case GridFraming():
            windows = [window for window in windows_off(evidence) if _is_new(window, earlier)]
            return windows[int(rng.integers(len(windows)))] if windows else None
        case FreeFraming():
            drawn = (_random_box(crop.width, crop.height, rng) for _ in range(_TRIES))
            free = (region for region in drawn if _misses(region, evidence) and _is_new(region, earlier))
            return next(free, None)


def _misses(region: Box, evidence: Sequence[Box]) -> bool:
    return all(region.padded(CLEARANCE).iou(box) == 0.0 for box in evidence)


def oversized_region(crop: Box, framing: Framing, rng: np.random.Generator) -> Box | None:
    """A region that contains `crop`, and much more."""
    match framing:
        case GridFraming():
            return _double_window(crop, rng)
        case FreeFraming():
            return _larger_region(crop, rng)


def _larger_region(crop: Box, rng: np.random.Generator) -> Box | None:
    least, most = max(OVERSIZED[0], OVERSIZED_TIMES * crop.area), OVERSIZED[1]
    if least > most:
        return None
    for _ in range(_TRIES):
        area, shape = rng.uniform(least, most), math.exp(rng.uniform(-math.log(2), math.log(2)))
        width, height = math.sqrt(area * shape), math.sqrt(area / shape)
        if crop.width <= width <= 1.0 and crop.height <= height <= 1.0:
            x0, y0 = _start(crop.x0, crop.x1, width, rng), _start(crop.y0, crop.y1, height, rng)
            return Box(x0, y0, min(1.0, x0 + width), min(1.0, y0 + height))
    return None


def wrong_frames(frame_count: int, evidence: Sequence[int], rng: np.random.Generator) -> tuple[int, ...] | None:
    """Neighbouring frames, all before the first or all after the last frame of the evidence."""
    sides = [side for side in (range(min(evidence)), range(max(evidence) + 1, frame_count)) if side]
    if not sides:
        return None
    rooms = np.array([len(side) for side in sides])
    side = sides[int(rng.choice(len(sides), p=rooms / rooms.sum()))]
    count = int(rng.integers(1, min(MOST_WRONG_FRAMES, len(side)) + 1))
    start = int(rng.integers(len(side) - count + 1))
    return tuple(side[start : start + count])


def _is_new(region: Box, earlier: Sequence[Box]) -> bool:
    return all(region.iou(box) <= NEAR_DUPLICATE for box in earlier)


def _random_box(width: float, height: float, rng: np.random.Generator) -> Box:
    x0, y0 = rng.uniform(0.0, 1.0 - width), rng.uniform(0.0, 1.0 - height)
    return Box(x0, y0, min(1.0, x0 + width), min(1.0, y0 + height))


def _start(low: float, high: float, length: float, rng: np.random.Generator) -> float:
    """A random start for an interval of `length` that contains low to high and stays within 0 to 1."""
    return float(rng.uniform(max(0.0, high - length), min(low, 1.0 - length)))


def _double_window(crop: Box, rng: np.random.Generator) -> Box | None:
    if OVERSIZED_TIMES * crop.area > (_OVERSIZED_CELLS / GRID_CELLS) ** 2:
        return None
    left, top = (_first_cell(low, high, rng) for low, high in ((crop.x0, crop.x1), (crop.y0, crop.y1)))
    cells = (left, top, left + _OVERSIZED_CELLS, top + _OVERSIZED_CELLS)
    x0, y0, x1, y1 = (cell / GRID_CELLS for cell in cells)
    return Box(x0, y0, x1, y1)


def _first_cell(low: float, high: float, rng: np.random.Generator) -> int:
    first = max(0, round(high * GRID_CELLS) - _OVERSIZED_CELLS)
    last = min(round(low * GRID_CELLS), GRID_CELLS - _OVERSIZED_CELLS)
    return int(rng.integers(first, last + 1))
