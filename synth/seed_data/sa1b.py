"""SA-1B: one JSON file for each image, with masks and boxes but without labels.

{"image": {image_id, width, height, file_name}, "annotations": [{id, segmentation (RLE), bbox: [x, y, width, height] in
pixels, area, predicted_iou, stability_score, crop_box, point_coords}]}, beside its image: sa_1.json and sa_1.jpg.

One question has an exact answer without knowing what an object is, and needs a crop: whether the object at a position
is wider than tall, taller than wide, or about as wide as tall. The answer is the aspect ratio of its box; ratios in
between are not used. The regions must have a reliable mask (`predicted_iou`) that fills its box, end inside the image,
and be alone at their position; an `Asker` may write a better question about the same regions (`asking.py`). A region
that cannot be read may be anywhere, so that its image gets no question. Masks are not decoded.

Source: README of facebookresearch/segment-anything, section "Dataset". Depends on rows and boxes; independent of
filters, plans and teachers.
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
from synth.seed_data.regions import annotated_size, box_in_pixels, check_aspect, isolated, position_in_words

SHAPES = ("wider than tall", "taller than wide", "about as wide as tall")

_COLUMNS = frozenset({"image", "annotations"})
_CLEARLY = 1.5  # one side at least this many times the other: the first two shapes;
_ABOUT = 1.15  # at most this many times: the third shape; ratios in between are ambiguous
_SURE_IOU = 0.9
_FILLED = 0.4
_EDGE = 0.002


def shape_of(width: float, height: float) -> str | None:
    """The shape of a region of this size in pixels; None if it is ambiguous."""
    proportion = width / height
    if proportion >= _CLEARLY:
        return SHAPES[0]
    if proportion <= 1 / _CLEARLY:
        return SHAPES[1]
    return SHAPES[2] if 1 / _ABOUT <= proportion <= _ABOUT else None


def _matches(columns: frozenset[str], suffix: str) -> bool:
    return suffix == ".json" and columns >= _COLUMNS and "images" not in columns


def _region_rows(path: Path) -> Iterable[Row]:
    # One truncated download among 11,000 files must neither stop the others nor be skipped silently.
    try:
        rows = list(read_rows(path))
    except TaskError as error:
        rows = [Row(path, 0, "the whole file", problem=str(error))]
    for row in rows or [Row(path, 0, "the whole file", problem="must hold one object, got an empty list")]:
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
    for index, annotation in enumerate(annotations):
        try:
            boxes.append(_box_of(annotation, size))
        except TaskError as error:
            problem = f"its image gets no question, because the region could be anywhere: {error}"
            yield Row(row.file, index, f"annotation {index}", problem=problem)
    if len(boxes) < len(annotations):
        return
    for index, (annotation, box, is_alone) in enumerate(zip(annotations, boxes, isolated(boxes), strict=True)):
        if is_alone and _is_whole_and_sure(annotation, box, size):
            values = {"image": row.values["image"], "annotation": annotation}
            yield Row(row.file, index, f"annotation {annotation['id']}", values)


def _box_of(annotation: object, size: tuple[int, int]) -> Box:
    if not isinstance(annotation, dict):
        raise TaskError(f"an annotation must be an object, got {shortened(annotation)}")
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


def _task_of(row: Row, folder: ImageFolder) -> Task:
    image, annotation = row.value("image"), row.value("annotation")
    name = replace(row, values=image).text("file_name")
    path = os.path.normpath(os.path.join(os.path.relpath(row.file.parent, folder.root), name))
    size = annotated_size(image)
    source = folder.image(path)
    check_aspect(folder.size(path), size)
    box = box_in_pixels(annotation["bbox"], size)
    shift = int(annotation["id"]) % len(SHAPES)  # so that each letter is right equally often
    shape = _shape(box, size)
    assert shape is not None  # rows are made only for regions with a shape
    return Task(
        task_id=f"sa1b-{Path(name).stem}-{annotation['id']}",
        question=f"Look at what is {position_in_words(box)}. Which shape has it?",
        answers=(shape,),
        sources=(source,),
        grader="choice",
        options=SHAPES[shift:] + SHAPES[:shift],
        evidence=(Evidence(0, box),),
        category="shape",
    )


SA1B = Format(
    name="sa1b",
    about="SA-1B: one JSON file of masks for each image",
    source="README of facebookresearch/segment-anything",
    is_verified=True,
    columns=_COLUMNS | {"annotation"},
    recognises=_matches,
    task_of=_task_of,
    rows_of=_region_rows,
    joins=lambda columns: True,
    documented_in="docs/synthesis.md",
)
