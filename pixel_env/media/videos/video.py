"""What an open video gives, whichever library decodes it, and what every frame of it must be.

Depends on Pillow; independent of decoders.
"""

from pathlib import Path
from typing import Protocol

from PIL import Image

from pixel_env.frame_times import FrameTimes
from pixel_env.media.sizes import MAX_ASPECT_RATIO


class Video(Protocol):
    """An open video: frames by their number from 0 in the order of presentation, RGB, at native size, upright."""

    times: FrameTimes

    def frame(self, number: int) -> Image.Image: ...
    def close(self) -> None: ...


class Decoder(Protocol):
    """Opens videos with one library."""

    def __call__(self, path: Path) -> Video: ...


def check_size(width: int, height: int) -> None:
    """Raises ValueError for a frame that is too large or too long, before it is converted.

    Pillow refuses pictures by the same bound: twice `PIL.Image.MAX_IMAGE_PIXELS`; None: no bound.
    """
    bound = Image.MAX_IMAGE_PIXELS
    if bound is not None and width * height > 2 * bound:
        raise ValueError(f"its frames have {width * height} pixels, more than the limit of {2 * bound}")
    if max(width, height) > MAX_ASPECT_RATIO * min(width, height):
        raise ValueError(f"{width}x{height} is longer than {MAX_ASPECT_RATIO:.0f} to 1")
