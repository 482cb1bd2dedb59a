"""Deliberate mistakes: operations that are wrong in a stated way, drawn from the evidence and chance.

| mistake | rule |
|---|---|
| `unrelated_region` | as large as the look that it stands for; shows nothing of any evidence on its image (IoU 0), not even where a dialect pads a crop by CLEARANCE; overlaps an earlier one by an IoU of NEAR_DUPLICATE at most |
| `oversized_region` | holds the whole look that follows; OVERSIZED of the image's area, and at least OVERSIZED_TIMES that of the look |
| `wrong_frames` | up to MOST_WRONG_FRAMES neighbouring frames, all before or all after the frames from the first to the last evidence |

On the grid of the embedded model an unrelated region is one of its windows (IoU 0, no padding there), an over-large one
a window of twice the side. Each function gives None where the evidence leaves no room. Knows boxes and frame numbers;
nothing of tasks or dialects.
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
"""It is at least so many times as large as the look that follows, which holds the cue."""
MOST_WRONG_FRAMES = 4
"""With 8 right frames, a crop and the video itself they stay within the 16 pictures of an episode."""

_TRIES = 64
_OVERSIZED_CELLS = 2 * WINDOW_CELLS


def unrelated_region(
    look: Box, evidence: Sequence[Box], earlier: Sequence[Box], framing: Framing, rng: np.random.Generator
) -> Box | None:
    """A region of `look`'s size that shows nothing of `evidence` and is no near-duplicate of one of `earlier`."""
    match framing:
        case GridFraming():
            windows = [window for window in windows_off(evidence) if _is_new(window, earlier)]
            return windows[int(rng.integers(len(windows)))] if windows else None
        case FreeFraming():
            drawn = (_placed(look.width, look.height, rng) for _ in range(_TRIES))
            free = (region for region in drawn if _misses(region, evidence) and _is_new(region, earlier))
            return next(free, None)


def _misses(region: Box, evidence: Sequence[Box]) -> bool:
    return all(region.padded(CLEARANCE).iou(box) == 0.0 for box in evidence)


def oversized_region(look: Box, framing: Framing, rng: np.random.Generator) -> Box | None:
    """A region that holds `look`, and much else."""
    match framing:
        case GridFraming():
            return _double_window(look, rng)
        case FreeFraming():
            return _larger_region(look, rng)


def _larger_region(look: Box, rng: np.random.Generator) -> Box | None:
    least, most = max(OVERSIZED[0], OVERSIZED_TIMES * look.area), OVERSIZED[1]
    if least > most:
        return None
    for _ in range(_TRIES):
        area, shape = rng.uniform(least, most), math.exp(rng.uniform(-math.log(2), math.log(2)))
        width, height = math.sqrt(area * shape), math.sqrt(area / shape)
        if look.width <= width <= 1.0 and look.height <= height <= 1.0:
            x0, y0 = _start(look.x0, look.x1, width, rng), _start(look.y0, look.y1, height, rng)
            return Box(x0, y0, min(1.0, x0 + width), min(1.0, y0 + height))
    return None


def wrong_frames(frame_count: int, evidence: Sequence[int], rng: np.random.Generator) -> tuple[int, ...] | None:
    """Neighbouring frames outside of the evidence, from its first frame to its last."""
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


def _placed(width: float, height: float, rng: np.random.Generator) -> Box:
    x0, y0 = rng.uniform(0.0, 1.0 - width), rng.uniform(0.0, 1.0 - height)
    return Box(x0, y0, min(1.0, x0 + width), min(1.0, y0 + height))


def _start(low: float, high: float, length: float, rng: np.random.Generator) -> float:
    """Where a side of `length` begins that holds low to high and stays within 0 to 1."""
    return float(rng.uniform(max(0.0, high - length), min(low, 1.0 - length)))


def _double_window(look: Box, rng: np.random.Generator) -> Box | None:
    if OVERSIZED_TIMES * look.area > (_OVERSIZED_CELLS / GRID_CELLS) ** 2:
        return None
    left, top = (_first_cell(low, high, rng) for low, high in ((look.x0, look.x1), (look.y0, look.y1)))
    cells = (left, top, left + _OVERSIZED_CELLS, top + _OVERSIZED_CELLS)
    x0, y0, x1, y1 = (cell / GRID_CELLS for cell in cells)
    return Box(x0, y0, x1, y1)


def _first_cell(low: float, high: float, rng: np.random.Generator) -> int:
    first = max(0, round(high * GRID_CELLS) - _OVERSIZED_CELLS)
    last = min(round(low * GRID_CELLS), GRID_CELLS - _OVERSIZED_CELLS)
    return int(rng.integers(first, last + 1))
