"""How a frame is turned and mirrored to be shown: the display matrix of a video.

Depends on Pillow; independent of decoders. A camera writes frames as its sensor lies, and a matrix that says how a
player has to lay them: `(x, y)` of the frame is shown at `(a x + c y, b x + d y)`, with y down.
"""

import math
import struct
import sys

from PIL import Image

_FIXED_POINT = 1 << 16
_CORNERS = (0, 1, 3, 4)
"""Where a, b, c and d stand in the nine numbers of FFmpeg's AV_FRAME_DATA_DISPLAYMATRIX (libavutil/display.h)."""
_MOST_OFF = math.sin(math.radians(1.0))
"""FFmpeg's own player takes a matrix for a quarter turn within one degree."""

_TRANSPOSES: dict[tuple[int, ...], Image.Transpose | None] = {
    (1, 0, 0, 1): None,
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
}


def transpose_of(matrix: bytes, byte_order: str = sys.byteorder) -> Image.Transpose | None:
    """How Pillow turns a frame with this display matrix (nine 32-bit numbers) upright; None: it is upright.

    `byte_order`: "big" in the header of an MP4 file; FFmpeg gives the machine's.

    Raises ValueError for a matrix that is none of the four quarter turns, mirrored or not. One that maps the frame to a
    line or a point says nothing and counts as upright, as in FFmpeg.
    """
    numbers = struct.unpack(">9i" if byte_order == "big" else "<9i", matrix[:36])
    a, b, c, d = (numbers[place] / _FIXED_POINT for place in _CORNERS)
    right, down = math.hypot(a, b), math.hypot(c, d)
    if right == 0 or down == 0:
        return None
    values = (a / right, b / right, c / down, d / down)
    unit = tuple(map(round, values))
    is_quarter = all(abs(value - whole) <= _MOST_OFF for value, whole in zip(values, unit, strict=True))
    if not is_quarter or unit not in _TRANSPOSES:
        degrees = math.degrees(math.atan2(b, a))
        raise ValueError(
            f"its display matrix turns it by {degrees:.0f} degrees or shears it, and only quarter turns and mirrored "
            "frames can be shown. Convert it: ffmpeg -i IN OUT.mp4"
        )
    return _TRANSPOSES[unit]


def upright(image: Image.Image, transpose: Image.Transpose | None) -> Image.Image:
    """The image, turned."""
    return image if transpose is None else image.transpose(transpose)
