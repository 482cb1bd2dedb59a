"""Crop windows on the tiny model's grid: right ones, and wrong ones on purpose.

Depends on boxes; independent of wording and dialects.
"""

from collections.abc import Sequence

import numpy as np

from pixel_env.boxes import Box
from pixel_env.errors import TaskError

GRID_CELLS = 16


WINDOW_CELLS = 4
"""A window is 4 x 4 cells of a 16 x 16 grid on the image, so that the tiny dialect can write it exactly."""


def right_window(evidence: Box) -> Box:
    """The window around the centre of the evidence; the evidence itself if no window contains it."""
    left, top = (_first_cell((low + high) / 2) for low, high in _sides(evidence))
    window = window_at(left, top)
    return window if window.contains(evidence) else evidence


def moved_window(evidence: Box, by_cells: int, rng: np.random.Generator) -> Box:
    """The right window shifted by up to `by_cells` cells in x and in y, kept inside the image."""
    window = right_window(evidence)
    dx, dy = (int(step) / GRID_CELLS for step in rng.integers(-by_cells, by_cells + 1, 2))
    x0 = float(np.clip(window.x0 + dx, 0.0, 1.0 - window.width))
    y0 = float(np.clip(window.y0 + dy, 0.0, 1.0 - window.height))
    return Box(x0, y0, min(1.0, x0 + window.width), min(1.0, y0 + window.height))


def wrong_window(evidence: Box, rng: np.random.Generator) -> Box:
    """A window that shows no part of the evidence (IoU 0). Raises TaskError if there is none."""
    free = windows_off([evidence])
    if not free:
        raise TaskError(
            f"the evidence {evidence.corners} fills the image, so every window shows a part of it. Leave the task out."
        )
    return free[int(rng.integers(len(free)))]


def windows_off(boxes: Sequence[Box]) -> list[Box]:
    """All windows that show no part of any of the boxes (IoU 0)."""
    last = GRID_CELLS - WINDOW_CELLS
    windows = [window_at(left, top) for left in range(last + 1) for top in range(last + 1)]
    return [window for window in windows if all(window.iou(box) == 0.0 for box in boxes)]


def _sides(box: Box) -> tuple[tuple[float, float], tuple[float, float]]:
    return (box.x0, box.x1), (box.y0, box.y1)


def _first_cell(middle: float) -> int:
    return int(np.clip(round(middle * GRID_CELLS) - WINDOW_CELLS // 2, 0, GRID_CELLS - WINDOW_CELLS))


def window_at(left: int, top: int) -> Box:
    """The window whose first cells are `left` and `top`."""
    cell = 1.0 / GRID_CELLS
    return Box(left * cell, top * cell, (left + WINDOW_CELLS) * cell, (top + WINDOW_CELLS) * cell)
