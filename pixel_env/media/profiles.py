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
    """The image with its colours as sRGB: RGB, or RGBA if it has an alpha channel.

    The image itself without a profile, with one that is sRGB, and with one that is broken or not of its colours.
    `image`: mode L, LA, RGB, RGBA or CMYK.
    """
    if not profile or (transform := _transform(profile, image.mode.removesuffix("A"))) is None:
        return image
    if image.mode not in ("LA", "RGBA"):
        return transform.apply(image)
    result = transform.apply(image.convert(image.mode.removesuffix("A")))
    result.putalpha(image.getchannel("A"))
    return result


@lru_cache(maxsize=_KEPT)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From a mode (L, RGB or CMYK) in `profile` to RGB in sRGB; None where it changes nothing or cannot be made."""
    try:
        transform = ImageCms.ImageCmsTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except Exception:  # littlecms refuses what is no profile, and one of another kind of colours
        return None
    return None if mode != "CMYK" and _changes_nothing(transform, mode) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a lattice of colours comes back within one level: sRGB, in whatever words and version."""
    levels = np.arange(0, 256, _STEP, np.uint8)
    lattice = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, len(levels), 3)
    if mode == "L":
        lattice = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    tried = Image.fromarray(lattice if mode == "RGB" else np.ascontiguousarray(lattice[..., 0]))
    return bool(np.abs(np.asarray(transform.apply(tried)).astype(int) - lattice).max() <= 1)
