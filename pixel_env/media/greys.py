"""Greys of more than eight bits, as greys of eight.

What a file states about its range decides: a format of 16 bits (12, for some TIFF files) is scaled by that range. Where
nothing is stated (floating point, signed and 32 bits) the smallest and the largest value of the picture become black
and white, so that nothing is clipped.

Depends on numpy and Pillow; independent of colours and of files.
"""

from collections.abc import Iterator

import numpy as np
from PIL import Image, TiffImagePlugin

_BITS_PER_SAMPLE, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339
_UNSIGNED, _WHITE_IS_ZERO = 1, 0
_FLAT = 128
_ROWS = 256
"""How many rows are converted at a time: a picture of 45 million values takes 360 MB in double precision."""


def is_deep(mode: str) -> bool:
    """Whether a mode of Pillow is a grey of more than eight bits."""
    return mode in ("I", "F") or mode.startswith("I;16")


def in_eight_bits(picture: Image.Image) -> Image.Image:
    """A loaded picture of such a mode, as mode L.

    A picture of one value, between whose extremes there is nothing, becomes mid-grey; NaN is black, and an infinite
    value black or white by its sign. Raises ValueError for a picture without one finite value.
    """
    bits = _stated_bits(picture)
    levels = np.empty((picture.height, picture.width), np.uint8)
    if bits is not None:
        for rows, values in _blocks(picture):
            levels[rows] = values >> (bits - 8)
    else:
        low, high = _extremes(picture)
        for rows, values in _blocks(picture):
            levels[rows] = _between(values, low, high)
    if _tag(picture, _PHOTOMETRIC) == _WHITE_IS_ZERO:
        levels = 255 - levels
    return Image.fromarray(levels)


def _stated_bits(picture: Image.Image) -> int | None:
    """How many bits the file says that a value has; None if it states no range."""
    if picture.mode.startswith("I;16"):
        bits = _tag(picture, _BITS_PER_SAMPLE)
        return bits[0] if isinstance(bits, tuple) else 16
    # Pillow scales every PGM of more than 255 levels to 16 bits.
    return 16 if picture.mode == "I" and picture.format == "PPM" else None


def _extremes(picture: Image.Image) -> tuple[float, float]:
    finite = [values[np.isfinite(values)] for _, values in _blocks(picture)]
    kept = [values for values in finite if values.size]
    if not kept:
        raise ValueError("none of its values is a finite number")
    return float(min(values.min() for values in kept)), float(max(values.max() for values in kept))


def _between(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """`values` as levels: 0 at `low`, 255 at `high`."""
    exact = values.astype(np.float64)
    if low == high:
        exact[exact == low] = low + _FLAT
        high = low + 255
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = (exact - low) / (high - low) * 255
    return np.rint(np.clip(np.nan_to_num(scaled, nan=0.0), 0, 255)).astype(np.uint8)


def _blocks(picture: Image.Image) -> Iterator[tuple[slice, np.ndarray]]:
    """The values of the picture, some rows at a time."""
    is_unsigned = picture.mode == "I" and _tag(picture, _SAMPLE_FORMAT) in ((_UNSIGNED,), None) and _has_tags(picture)
    for top in range(0, picture.height, _ROWS):
        rows = slice(top, min(top + _ROWS, picture.height))
        values = np.asarray(picture.crop((0, rows.start, picture.width, rows.stop)))
        yield rows, values.view(np.uint32) if is_unsigned else values  # Pillow reads 32 bits without a sign as signed


def _has_tags(picture: Image.Image) -> bool:
    return isinstance(picture, TiffImagePlugin.TiffImageFile)


def _tag(picture: Image.Image, number: int) -> object:
    """A field of a TIFF file; None of any other picture."""
    return picture.tag_v2.get(number) if isinstance(picture, TiffImagePlugin.TiffImageFile) else None
