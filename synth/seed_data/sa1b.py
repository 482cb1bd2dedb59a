"""SA-1B: one json a picture, with masks and boxes but without a single label.

{"image": {image_id, width, height, file_name}, "annotations": [{id, segmentation (RLE), bbox: [x, y, width, height] in
pixels, area, predicted_iou, stability_score, crop_box, point_coords}]}, beside its picture: sa_1.json and sa_1.jpg.

What can be asked exactly without knowing what a thing is, and needs a look: whether the thing at a place is wider than
tall, taller than wide, or about as wide as tall. The answer is the proportion of its box; proportions in between are
not asked about. Asked are regions whose mask is sure (`predicted_iou`), fills its box, ends inside of the picture and
stands alone at its place; an `Asker` may ask something better about the same regions (`asking.py`). A region that
cannot be read may lie anywhere: nothing is asked about its picture. Masks are not decoded.

Source: README of facebookresearch/segment-anything, section "Dataset".
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pixel_env.boxes import Box
from pixel_env.errors import TaskError
from pixel_env.task import Evidence, Task
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row, is_finite, shortened
from pixel_env.tasks.files.rows import read_rows
from pixel_env.tasks.formats.format import Format
from synth.seed_data.regions import annotated_size, box_in_pixels, check_aspect, isolated, place_of

SHAPES = ("wider than tall", "taller than wide", "about as wide as tall")

_COLUMNS = frozenset({"image", "annotations"})
_CLEARLY = 1.5  # a side this many times the other makes the first two shapes,
_ABOUT = 1.15  # one of at most this many times the third; what is in between could be called either
_SURE_IOU = 0.9
_FILLED = 0.4
_EDGE = 0.002


def shape_of(width: float, height: float) -> str | None:
    """The shape of a region of this size in pixels, None if people would not agree."""
    proportion = width / height
    if proportion >= _CLEARLY:
        return SHAPES[0]
    if proportion <= 1 / _CLEARLY:
        return SHAPES[1]
    return SHAPES[2] if 1 / _ABOUT <= proportion <= _ABOUT else None


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    return suffix == ".json" and columns >= _COLUMNS and "images" not in columns


def _region_rows(path: Path) -> Iterable[Row]:
    # One of 11,000 files that was cut while it was fetched must neither stop the others nor vanish.
    try:
        rows = list(read_rows(path))
    except TaskError as error:
        rows = [Row(path, 0, "the whole file", problem=str(error))]
    for row in rows or [Row(path, 0, "the whole file", problem="an object is expected, got an empty list")]:
        yield from [row] if row.problem else _regions_of(row)


def _regions_of(row: Row) -> Iterator[Row]:
    try:
        size = annotated_size(row.value("image"))
        annotations = row.value("annotations")
        if not isinstance(annotations, list):
            raise TaskError(f"'annotations' must be a list, got {shortened(annotations)}")
    except TaskError as error:
        yield replace(row, values={}, problem=str(error))
        return
    boxes: list[Box] = []
    for place, annotation in enumerate(annotations):
        try:
            boxes.append(_box_of(annotation, size))
        except TaskError as error:
            told = f"nothing is asked about its picture, where it could lie anywhere: {error}"
            yield Row(row.file, place, f"annotation {place}", problem=told)
    if len(boxes) < len(annotations):
        return
    for place, (annotation, box, is_alone) in enumerate(zip(annotations, boxes, isolated(boxes), strict=True)):
        if is_alone and _is_whole_and_sure(annotation, box, size):
            values = {"image": row.values["image"], "annotation": annotation}
            yield Row(row.file, place, f"annotation {annotation['id']}", values)


def _box_of(annotation: object, size: tuple[int, int]) -> Box:
    if not isinstance(annotation, dict):
        raise TaskError(f"an annotation is an object, got {shortened(annotation)}")
    for name in ("id", "area", "predicted_iou"):
        if not is_finite(annotation.get(name)):
            raise TaskError(f"{name!r} must be a number, got {shortened(annotation.get(name))}")
    return box_in_pixels(annotation.get("bbox"), size)


def _is_whole_and_sure(annotation: dict[str, Any], box: Box, size: tuple[int, int]) -> bool:
    ends_inside = min(box.x0, box.y0) > _EDGE and max(box.x1, box.y1) < 1 - _EDGE
    fills = annotation["area"] >= _FILLED * box.area * size[0] * size[1]
    return bool(ends_inside and fills and annotation["predicted_iou"] >= _SURE_IOU and _shape(box, size))


def _shape(box: Box, size: tuple[int, int]) -> str | None:
    return shape_of(box.width * size[0], box.height * size[1])


def _task_of(row: Row, pictures: ImageFolder) -> Task:
    image, annotation = row.value("image"), row.value("annotation")
    name = replace(row, values=image).text("file_name")
    place = os.path.normpath(os.path.join(os.path.relpath(row.file.parent, pictures.root), name))
    size = annotated_size(image)
    source = pictures.image(place)
    check_aspect(pictures.size(place), size)
    box = box_in_pixels(annotation["bbox"], size)
    turn = int(annotation["id"]) % len(SHAPES)  # no letter is right more often than another
    shape = _shape(box, size)
    assert shape is not None  # rows of other regions are not made
    return Task(
        task_id=f"sa1b-{Path(name).stem}-{annotation['id']}",
        question=f"Look at what is {place_of(box)}. Which shape has it?",
        answers=(shape,),
        sources=(source,),
        grader="choice",
        options=SHAPES[turn:] + SHAPES[:turn],
        evidence=(Evidence(0, box),),
        category="shape",
    )


SA1B = Format(
    name="sa1b",
    about="SA-1B: one json of masks a picture",
    source="README of facebookresearch/segment-anything",
    is_verified=True,
    columns=_COLUMNS | {"annotation"},
    recognises=_recognises,
    task_of=_task_of,
    rows_of=_region_rows,
    joins=lambda columns: True,
    documented_in="docs/synthesis.md",
)
