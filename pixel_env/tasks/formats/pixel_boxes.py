"""Boxes in pixels that a published file gives for an image, as evidence.

Depends on sources and boxes; independent of files and formats.
"""

import json
from collections.abc import Sequence

from pixel_env.boxes import Box
from pixel_env.errors import TaskError
from pixel_env.task import Evidence
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import is_finite, shortened
from pixel_env.views import Source


def corners_in(cell: object, column: str) -> list[Sequence[float]]:
    """The boxes of a cell, a list of [x0, y0, x1, y1] in pixels or the text of one. Raises TaskError."""
    boxes = _literal(cell) if isinstance(cell, str) else cell
    if not isinstance(boxes, list) or not all(_is_box(box) for box in boxes):
        raise TaskError(f"{column!r} must be a list of boxes [x0, y0, x1, y1] in pixels, got {shortened(cell)}")
    return boxes


def evidence_of(
    boxes: Sequence[Sequence[float]], sources: Sequence[Source], images: ImageFolder, column: str
) -> tuple[Evidence, ...]:
    """The boxes of the only image as fractions of the image as it is shown. Raises TaskError for several images.

    They are cut at the image's edges; a box of which no part lies inside is left out.
    """
    if boxes and len(sources) != 1:
        raise TaskError(f"{column!r} holds boxes, but the row has {len(sources)} images: it is not said which is meant")
    return _evidence(boxes, images.size_of(sources[0])) if boxes else ()


def _evidence(boxes: Sequence[Sequence[float]], size: tuple[int, int]) -> tuple[Evidence, ...]:
    width, height = size
    evidence = []
    for x0, y0, x1, y1 in boxes:
        left, right = (min(max(edge / width, 0.0), 1.0) for edge in (x0, x1))
        top, bottom = (min(max(edge / height, 0.0), 1.0) for edge in (y0, y1))
        if left < right and top < bottom:
            evidence.append(Evidence(0, Box(left, top, right, bottom)))
    return tuple(evidence)


def _literal(text: str) -> object:
    try:
        content: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content


def _is_box(box: object) -> bool:
    return isinstance(box, list | tuple) and len(box) == 4 and all(map(is_finite, box))
