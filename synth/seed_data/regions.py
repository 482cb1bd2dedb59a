"""Annotated regions of an image: boxes read from pixel coordinates, checked for neighbours, and described in words.

Depends on boxes; independent of formats, tasks and image content.
"""

import math
from collections.abc import Sequence
from typing import TypeGuard

import numpy as np

from pixel_env.boxes import Box, read_box
from pixel_env.errors import TaskError
from pixel_env.tasks.files.row import is_finite, shortened

_AROUND = 0.01
"""Margin around a region in which nothing else may begin, because its position is given in whole per cent."""
_BACKGROUND = 16.0
"""A region that is at least this many times larger is a background of another one; a smaller one is an object."""
_ASPECT_SLACK = 0.02
_MOST_SIDE_PX = 2**31 - 1


def box_in_pixels(corners: object, size: tuple[int, int]) -> Box:
    """The box of [x, y, width, height] in pixels of an image of this size. Raises TaskError."""
    x, y, width, height = _four_numbers(corners, "[x, y, width, height]")
    return _inside([x, y, x + width, y + height], corners, size)


def box_of_corners(corners: object, size: tuple[int, int]) -> Box:
    """The box of [x0, y0, x1, y1] in pixels of an image of this size. Raises TaskError."""
    return _inside(_four_numbers(corners, "[x0, y0, x1, y1]"), corners, size)


def annotated_size(image: object) -> tuple[int, int]:
    """`width` and `height` of an annotated image. Raises TaskError."""
    width, height = (image.get(side) if isinstance(image, dict) else None for side in ("width", "height"))
    if not _is_side(width) or not _is_side(height):
        raise TaskError(f"'width' and 'height' of an image must be whole pixels, got {shortened((width, height))}")
    return width, height


def check_aspect(shown: tuple[int, int], annotated: tuple[int, int]) -> None:
    """Raises TaskError unless the image as shown has the aspect ratio of the annotated one; their sizes may differ.

    Swapped sides, as of a photo that EXIF turns and whose annotation knows the unturned one, are refused, as by
    detectron2 (SizeMismatchError; its issue 788): the boxes may have been drawn on either, which nothing tells.
    """
    if _have_same_aspect(shown, annotated):
        return
    wanted = f"the image is shown as {shown[0]}x{shown[1]}, but its annotation is for {annotated[0]}x{annotated[1]}"
    if _have_same_aspect(shown, (annotated[1], annotated[0])):
        raise TaskError(
            f"{wanted}: if EXIF turns the photo, its boxes may be those of the unturned one. Save the image as it was "
            "annotated, without an EXIF tag."
        )
    raise TaskError(f"{wanted}, so the boxes would be wrong. Replace the file by the annotated image.")


def _have_same_aspect(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return math.isclose(one[0] * other[1], one[1] * other[0], rel_tol=_ASPECT_SLACK)


def isolated(boxes: Sequence[Box]) -> list[bool]:
    """For each box, whether its position is unambiguous: it touches only backgrounds that contain it completely."""
    if not boxes:
        return []
    corners = np.array([box.corners for box in boxes])
    areas = np.array([box.area for box in boxes])
    return [_is_alone(index, corners, areas) for index in range(len(boxes))]


def _is_alone(index: int, corners: np.ndarray, areas: np.ndarray) -> bool:
    x0, y0, x1, y1 = corners[index] + np.array([-_AROUND, -_AROUND, _AROUND, _AROUND])
    touches = (corners[:, 0] < x1) & (corners[:, 2] > x0) & (corners[:, 1] < y1) & (corners[:, 3] > y0)
    left, top, right, bottom = corners[index]
    holds = (corners[:, 0] <= left) & (corners[:, 1] <= top) & (corners[:, 2] >= right) & (corners[:, 3] >= bottom)
    is_background = holds & (areas >= _BACKGROUND * areas[index])
    touches[index] = False
    return bool((~touches | is_background).all())


def overlap(first: Box, second: Box) -> bool:
    """Whether two boxes share any of their area."""
    return first.iou(second) > 0.0


def position_in_words(box: Box) -> str:
    """The position of the centre of the box, in words."""
    across, down = (round(100 * (low + high) / 2) for low, high in ((box.x0, box.x1), (box.y0, box.y1)))
    return f"{across} % of the way from left to right and {down} % of the way from top to bottom"


def _is_side(value: object) -> TypeGuard[int]:
    return type(value) is int and 1 <= value <= _MOST_SIDE_PX


def _four_numbers(corners: object, wanted: str) -> list[float]:
    if not isinstance(corners, list) or len(corners) != 4 or not all(map(is_finite, corners)):
        raise TaskError(f"'bbox' must be {wanted} in pixels, got {shortened(corners)}")
    return [float(number) for number in corners]


def _inside(edges: Sequence[float], given: object, size: tuple[int, int]) -> Box:
    width, height = size
    box = read_box([edges[0] / width, edges[1] / height, edges[2] / width, edges[3] / height])
    if not isinstance(box, Box):
        raise TaskError(f"the box {shortened(given)} in an image of {width}x{height} cannot be used: {box.message}")
    return box
