"""Transparent pixels lie on white.

Depends on numpy and Pillow; independent of colours and sources.
"""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFile, ImageOps

WithAlpha = Callable[[Image.Image], Image.Image]
"""From the picture in eight bits to itself, with an alpha channel if it has a transparent colour."""

_DEEP_RGB = "RGB;16B"
_LEVELS_OF = {"L;2": 85, "L;4": 17}
"""By Pillow's raw mode: what it multiplies the values of a PNG of fewer than eight bits with."""


def has_alpha(image: Image.Image) -> bool:
    """Whether pixels of the image may be transparent."""
    return image.has_transparency_data


def on_white(image: Image.Image) -> Image.Image:
    """An image of mode LA or RGBA as RGB, on white."""
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image)  # its own alpha channel: no copy of it is made
    return white


def with_key_as_alpha(picture: Image.Image) -> WithAlpha:
    """What makes the transparent colour of an opened PNG (tRNS) its alpha channel, once the picture is loaded.

    Of other formats, and of PNG with a palette, nothing is to be done.
    """
    key = picture.info.get("transparency")
    if picture.format != "PNG" or key is None or picture.mode == "P":
        return lambda image: image
    raw_mode = _raw_mode(picture)
    if picture.mode == "RGB":
        return _keyed_deep_rgb(picture, key) if raw_mode == _DEEP_RGB else lambda image: image.convert("RGBA")
    level = key * _LEVELS_OF.get(raw_mode, 1)

    def keyed(image: Image.Image) -> Image.Image:
        if picture.mode.startswith("I;16"):
            alpha = Image.fromarray(np.where(np.asarray(picture) == level, 0, 255).astype(np.uint8))
        else:
            alpha = picture.convert("L").point([0 if value == level else 255 for value in range(256)])
        return _with_alpha(image.convert("L"), alpha)

    return keyed


def _with_alpha(image: Image.Image, alpha: Image.Image) -> Image.Image:
    image.info.pop("transparency", None)
    image.putalpha(alpha)
    return image


def _raw_mode(picture: Image.Image) -> str:
    """How Pillow will read the values of an opened file; "" of one that is loaded."""
    tiles = picture.tile if isinstance(picture, ImageFile.ImageFile) else []
    return str(tiles[0].args[0] if isinstance(tiles[0].args, tuple) else tiles[0].args) if tiles else ""


def _keyed_deep_rgb(picture: Image.Image, key: tuple[int, int, int]) -> WithAlpha:
    """As `with_key_as_alpha`, of an RGB picture of 16 bits a channel, of which Pillow keeps the higher byte."""
    low = _lower_bytes(picture)

    def keyed(image: Image.Image) -> Image.Image:
        wanted_high, wanted_low = np.array(key) >> 8, np.array(key) & 255
        is_key = (np.asarray(image) == wanted_high).all(axis=2) & (low == wanted_low).all(axis=2)
        return _with_alpha(image.convert("RGBA"), ImageOps.invert(Image.fromarray(is_key).convert("L")))

    return keyed


def _lower_bytes(picture: Image.Image) -> np.ndarray:
    """The lower byte of each channel: uint8, (height, width, 3)."""
    assert isinstance(picture, ImageFile.ImageFile) and picture.fp is not None
    position = picture.fp.tell()
    picture.fp.seek(0)
    with Image.open(io.BytesIO(picture.fp.read()), formats=("PNG",)) as again:
        again.tile = [tile._replace(args="RGB;16L") for tile in again.tile]  # reads pairs the other way round
        low = np.asarray(again)
    picture.fp.seek(position)
    return low
