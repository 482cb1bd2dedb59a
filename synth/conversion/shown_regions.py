"""Does an image of a row show what its call cuts out? Compared with the replay's own image.

Rows hold their images resized and compressed in a way that they do not record, so neither bytes nor sizes need to be
equal: shapes are compared with a tolerance, contents as averages over a grid. Depends on views and images; independent
of rows.
"""

import math

import numpy as np
from PIL import Image

from pixel_env.media.showing import show
from pixel_env.media.sizes import native_size, shown_size
from pixel_env.views import View, ViewBudgets
from synth.conversion.mismatch import Reason, RowMismatch

_GRID = (16, 16)
_ASPECT = 0.1
"""Relative difference of width to height that rounding to the model's patches may cause in an image of 280 pixels."""
_PIXELS = 2
_LEVELS = 4.0
"""Mean difference, in levels of 0 to 255, that compression and resampling cause on their own."""
_SHARE = 0.5
"""Images of two regions differ by about 1.4 times their contrast; the same region, by a small share of it."""


def check_region(stored: Image.Image, view: View, budgets: ViewBudgets) -> None:
    """Raises RowMismatch if the image of a row has another shape than the view, or shows something else."""
    native, shown = native_size(view), shown_size(view, budgets)
    if not any(_is_shape(stored.size, size) for size in (native, shown)):
        raise RowMismatch(
            Reason.OTHER_IMAGE_SIZE,
            f"an image has {_written(stored.size)} pixels, where its call cuts out {_written(native)} (shown at "
            f"{_written(shown)}); the edge rules or the unit of the row's dialect are others (--row_dialect)",
        )
    wanted, got = _averages(Image.fromarray(show(view, budgets))), _averages(stored)
    contrast = float(np.abs(wanted - wanted.mean(axis=(0, 1))).mean())
    if float(np.abs(wanted - got).mean()) > _LEVELS + _SHARE * contrast:
        raise RowMismatch(
            Reason.OTHER_REGION,
            "an image shows another region than its call cuts out; the edge rules or the unit of the row's dialect are "
            "others (--row_dialect)",
        )


def _is_shape(size: tuple[int, int], other: tuple[int, int]) -> bool:
    if all(abs(one - two) <= _PIXELS for one, two in zip(size, other, strict=True)):
        return True
    return abs(math.log(size[0] / size[1] * other[1] / other[0])) <= _ASPECT


def _averages(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB").resize(_GRID, Image.Resampling.BOX), dtype=float)


def _written(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
