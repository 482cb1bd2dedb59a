"""COCO-style boxes: one json with `images`, `annotations` and `categories`.

image: {id, width, height, file_name}; annotation: {id, image_id, category_id, bbox: [x, y, width, height] in pixels,
iscrowd}; category: {id, name}. Objects365, LVIS and the exports of labelling tools have the same. The file lies in
`annotations` beside the folders of pictures (COCO's own layout: instances_train2017.json and train2017), or among them.

Two questions are answered exactly by categories and boxes: how many objects of a category there are (not where a
crowd of it is boxed as one, nor of more than `MOST_COUNTED`), and what is at a place, with options: for an object that
stands alone there, the wrong options first of what lies elsewhere in the picture, then of what is not in it.

Source: "Data format" of cocodataset.org.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from pixel_env.boxes import Box
from pixel_env.errors import TaskError
from pixel_env.tasks.format import Format
from pixel_env.tasks.pictures import PictureFolder
from pixel_env.tasks.rows import Row, read_rows, shortened
from pixel_env.types import Evidence, Task
from synth.cues.regions import annotated_size, box_in_pixels, check_aspect, isolated, overlap, place_of

MOST_COUNTED = 8
"""Annotators of COCO box about 10 to 15 objects of a category before they call them a crowd."""
OPTIONS = 4

_COLUMNS = frozenset({"images", "annotations", "categories"})
_MADE = frozenset({"image", "annotation_id", "category", "boxes", "options"})


@dataclass(frozen=True, slots=True)
class _Object:
    annotation_id: object
    category: str
    box: Box
    corners: list[float]
    is_crowd: bool


def _told_by(columns: frozenset[str], suffix: str) -> bool:
    return suffix == ".json" and columns >= _COLUMNS


def _root_of(file: Path) -> Path:
    return file.parent.parent if file.parent.name == "annotations" else file.parent


def _question_rows(path: Path) -> Iterable[Row]:
    for row in read_rows(path):
        yield from [row] if row.problem else _questions_of(row)


def _questions_of(row: Row) -> Iterator[Row]:
    categories = {entry.get("id"): entry.get("name") for entry in _objects_in(row, "categories")}
    names = sorted({name for name in categories.values() if isinstance(name, str)})
    by_image: dict[object, list[Mapping[str, Any]]] = defaultdict(list)
    for annotation in _objects_in(row, "annotations"):
        by_image[annotation.get("image_id")].append(annotation)
    for image in _objects_in(row, "images"):
        objects: list[_Object] = []
        for annotation in by_image.pop(image.get("id"), []):
            try:
                objects.append(_object_of(annotation, image, categories))
            except TaskError as error:
                yield Row(row.file, 0, f"annotation {annotation.get('id')}", problem=str(error))
        # In turn, because only so many questions about one picture pass the filters.
        both = zip_longest(_counts(row.file, image, objects), _kinds(row.file, image, objects, names))
        yield from (question for pair in both for question in pair if question is not None)
    for image_id in by_image:
        problem = "there is no picture of that id in 'images'"
        yield Row(row.file, 0, f"annotations of the picture {image_id}", problem=problem)


def _objects_in(row: Row, column: str) -> list[Mapping[str, Any]]:
    entries = row.values.get(column)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise TaskError(f"cannot read {row.file}: {column!r} must be a list of objects, got {shortened(entries)}")
    return entries


def _object_of(annotation: Mapping[str, Any], image: Mapping[str, Any], categories: Mapping[object, Any]) -> _Object:
    category = categories.get(annotation.get("category_id"))
    if not isinstance(category, str) or not category.strip():
        raise TaskError(f"there is no category {shortened(annotation.get('category_id'))} in 'categories'")
    corners = annotation.get("bbox")
    box = box_in_pixels(corners, annotated_size(image))
    return _Object(annotation.get("id"), category.strip(), box, list(corners or ()), bool(annotation.get("iscrowd")))


def _counts(file: Path, image: Mapping[str, Any], objects: Sequence[_Object]) -> Iterator[Row]:
    by_category: dict[str, list[_Object]] = defaultdict(list)
    for one in objects:
        by_category[one.category].append(one)
    for category, of_it in by_category.items():
        if len(of_it) <= MOST_COUNTED and not any(one.is_crowd for one in of_it):
            values = {"image": image, "category": category, "boxes": [one.corners for one in of_it]}
            yield Row(file, 0, f"image {image.get('id')}, {category!r}", values)


def _kinds(file: Path, image: Mapping[str, Any], objects: Sequence[_Object], names: Sequence[str]) -> Iterator[Row]:
    for one, is_alone in zip(objects, isolated([one.box for one in objects]), strict=True):
        options = _options(one, objects, names)
        if is_alone and not one.is_crowd and len(options) > 1:
            values = {"image": image, "category": one.category, "boxes": [one.corners], "options": options}
            place = f"annotation {one.annotation_id}"
            yield Row(file, 0, place, {**values, "annotation_id": one.annotation_id})


def _options(one: _Object, objects: Sequence[_Object], names: Sequence[str]) -> list[str]:
    """The right category among wrong ones; nothing that lies behind the object is among them."""
    rng = np.random.default_rng(list(str(one.annotation_id).encode()))
    behind = {other.category for other in objects if overlap(other.box, one.box)}
    beside = sorted({other.category for other in objects} - behind)
    absent = sorted(set(names) - behind - set(beside))
    wrong = [group[int(place)] for group in (beside, absent) for place in rng.permutation(len(group))]
    options = [one.category, *wrong[: OPTIONS - 1]]
    return [options[int(place)] for place in rng.permutation(len(options))]


def _task_of(row: Row, pictures: PictureFolder) -> Task:
    image, category, options = row.value("image"), row.text("category"), row.optional("options")
    size = annotated_size(image)
    name = _picture_of(image, row.file, pictures)
    source = pictures.picture(name)
    check_aspect(pictures.size(name), size)
    boxes = [box_in_pixels(corners, size) for corners in row.value("boxes")]
    evidence = tuple(Evidence(0, box) for box in boxes)
    if options is None:
        return Task(
            task_id=f"coco-{image.get('id')}-count-{category}",
            question=f'Count the objects of the kind "{category}" in the picture. How many are there?',
            answers=(str(len(boxes)),),
            sources=(source,),
            grader="number",
            evidence=evidence,
            category="count",
        )
    return Task(
        task_id=f"coco-{image.get('id')}-kind-{row.value('annotation_id')}",
        question=f"What is {place_of(boxes[0])}?",
        answers=(category,),
        sources=(source,),
        grader="choice",
        options=tuple(options),
        evidence=evidence,
        category="kind",
    )


def _picture_of(image: Mapping[str, Any], file: Path, pictures: PictureFolder) -> str:
    name = image.get("file_name")
    if not isinstance(name, str) or not name.strip():
        raise TaskError(f"'file_name' must be a text that is not empty, got {shortened(name)}")
    subset = file.stem.rpartition("_")[2]  # instances_train2017.json: the pictures are in train2017
    places = (name, os.path.join(subset, name), os.path.join("images", subset, name))
    return next((place for place in places if pictures.find(place) is not None), name)


COCO = Format(
    name="coco",
    about="COCO-style boxes: one json with images, annotations and categories",
    source='"Data format" of cocodataset.org',
    is_verified=True,
    columns=_COLUMNS | _MADE,
    told_by=_told_by,
    task_of=_task_of,
    rows_of=_question_rows,
    root_of=_root_of,
    below=("images",),
    test_word="val",
    told_in="docs/synthesis.md",
)
