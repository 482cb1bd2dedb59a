"""Where an image that came back is on the source: it is compared with the regions that it may show.

Only a file that holds these images can tell. It proves that the tool of the run is the one of the dialect: an image
that shows another region than the one delivered came from another tool. Two images are the same if the correlation of
their grey thumbnails is at least SAME_IMAGE. Depends on boxes and pixels; independent of episodes.
"""

from collections.abc import Mapping

import numpy as np
from PIL import Image

from pixel_env.boxes import FULL, Box
from pixel_env.media.cache import CACHE
from pixel_env.views import Source

SAME_IMAGE = 0.9
ELSEWHERE = "elsewhere"
UNCLEAR = "unclear"
_SIDE = 24
_MARGIN = 0.01
"""Neighbouring regions look alike: a later region must be more alike than an earlier one by this."""


def place_of(returned: Source, source: Source, regions: Mapping[str, Box | None]) -> str:
    """The name of the region of `source` that the image `returned` shows; the first of two that are equally alike.

    ELSEWHERE if it shows none of them, UNCLEAR if it has no contrast. Raises MediaError.
    """
    came_back = _thumbnail(CACHE.get(returned), FULL)
    if came_back is None:
        return UNCLEAR
    image = CACHE.get(source)
    place, needed = ELSEWHERE, SAME_IMAGE
    for name, box in regions.items():
        thumbnail = None if box is None else _thumbnail(image, box)
        likeness = 0.0 if thumbnail is None else float((came_back * thumbnail).mean())
        if likeness >= needed:
            place, needed = name, likeness + _MARGIN
    return place


def _thumbnail(image: Image.Image, box: Box) -> np.ndarray | None:
    """The region in grey at _SIDE x _SIDE pixels, with mean 0 and deviation 1; None if it has no contrast."""
    cut = image.crop(box.pixels(*image.size)).convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    pixels = np.asarray(cut, dtype=float)
    deviation = float(pixels.std())
    return (pixels - pixels.mean()) / deviation if deviation >= 1.0 else None
