"""Embedded colour profiles (ICC): the colours of a picture as sRGB.

By relative colorimetric intent with black point compensation: white stays white, what sRGB can show keeps its colour,
and the profiles of cameras and screens have no tables for another intent. Depends on Pillow's littlecms; independent of
files.
"""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

_KEPT = 32
_STEP = 17
"""Of 256 levels of a channel: how far apart those are by which a profile is tried."""


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The image with its colours as sRGB: RGB for CMYK, else of its own mode.

    The image itself without a profile, with one that is sRGB, and with one that is broken or not of its colours.
    `image`: mode L, LA, RGB, RGBA or CMYK.
    """
    if not profile:
        return image
    colours = image.mode.removesuffix("A")
    if colours == "L":
        if (levels := _grey_levels(profile)) is None:
            return image
        result = image.getchannel("L").point(levels)
    else:
        if (transform := _transform(profile, colours)) is None:
            return image
        result = transform.apply(image if image.mode == colours else image.convert(colours))
    if image.mode != colours:
        result.putalpha(image.getchannel("A"))
    return result


@lru_cache(maxsize=_KEPT)
def _grey_levels(profile: bytes) -> list[int] | None:
    """For each level of a grey picture its level in sRGB; None where that is its own, or the profile cannot be used."""
    levels = np.arange(256)
    try:
        # Exactly: of one channel littlecms would keep 33 points, between which shadows are 10 levels off.
        exact = _made(profile, "L", ImageCms.Flags.NOOPTIMIZE)
        in_srgb = np.asarray(exact.apply(Image.fromarray(levels.astype(np.uint8)[None])))[0, :, 0]
    except Exception:  # as in _transform
        return None
    return None if np.abs(in_srgb - levels).max() <= 1 else in_srgb.tolist()


@lru_cache(maxsize=_KEPT)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From a mode (RGB or CMYK) in `profile` to RGB in sRGB; None where it changes nothing or cannot be made."""
    try:
        transform = _made(profile, mode)
        return None if mode == "RGB" and _changes_nothing(transform) else transform
    except Exception:  # littlecms refuses what is no profile, and one of another kind of colours
        return None


def _made(profile: bytes, mode: str, flags: ImageCms.Flags = ImageCms.Flags.NONE) -> ImageCms.ImageCmsTransform:
    return ImageCms.ImageCmsTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION | flags,
    )


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether a lattice of colours comes back within one level: sRGB, in whatever words and version."""
    levels = np.arange(0, 256, _STEP, dtype=np.uint8)
    lattice = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, len(levels), 3)
    return bool(np.abs(np.asarray(transform.apply(Image.fromarray(lattice))).astype(int) - lattice).max() <= 1)
