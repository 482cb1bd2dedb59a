"""COCO-style boxes: one json with `images`, `annotations` and `categories`.

image: {id, width, height, file_name}; annotation: {id, image_id, category_id, bbox: [x, y, width, height] in pixels,
iscrowd}; category: {id, name}. Objects365 and the exports of labelling tools have the same. The file lies in
`annotations` beside the folders of pictures (COCO's own layout: instances_train2017.json and train2017), or among them.

Two questions are answered exactly by categories and boxes: how many objects of a category there are (not where a
crowd of it is boxed as one, nor of more than `MOST_COUNTED`), and what is at a place, with options: for an object that
stands alone there, the wrong options first of what lies elsewhere in the picture, then of what is not in it. Where an
annotation cannot be used, its category is not counted and nothing is asked about places: its object may lie anywhere.
Where even its category is unknown, nothing is asked about the picture.

LVIS looks for a few of its categories in each picture. Those in `not_exhaustive_category_ids`, of which not every
object is boxed, are neither counted nor wrong options, and only those in `neg_category_ids` are known not to be there.
LVIS v1 has no `file_name`; the picture is the last folder and name of `coco_url`.

Source: "Data format" of cocodataset.org; of LVIS, lvis/eval.py of lvis-dataset/lvis-api.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from pixel_env.boxes import Box
from pixel_env.errors import TaskError
from pixel_env.task import Evidence, Task
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row, is_finite, is_writable, shortened
from pixel_env.tasks.files.rows import read_rows
from pixel_env.tasks.formats.format import Format
from synth.seed_data.regions import annotated_size, box_in_pixels, check_aspect, isolated, overlap, place_of

MOST_COUNTED = 8
"""Annotators of COCO box about 10 to 15 objects of a category before they call them a crowd."""
OPTIONS = 4

_COLUMNS = frozenset({"images", "annotations", "categories"})
_MADE = frozenset({"image", "annotation_id", "category", "boxes", "options"})


_Id = int | float | str


@dataclass(frozen=True, slots=True)
class _Object:
    annotation_id: _Id | None
    category: str
    box: Box
    corners: list[float]
    is_crowd: bool


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    return suffix == ".json" and columns >= _COLUMNS


def _root_of(file: Path) -> Path:
    return file.parent.parent if file.parent.name == "annotations" else file.parent


def _question_rows(path: Path) -> Iterable[Row]:
    for row in read_rows(path):
        yield from [row] if row.problem else _questions_of(row)


def _questions_of(row: Row) -> Iterator[Row]:
    images, bad_images = _by_id(row, "images")
    categories, bad_categories = _by_id(row, "categories", "name")
    yield from (*bad_images, *bad_categories)
    names = {category_id: category.text("name") for category_id, category in categories.items()}
    by_image: dict[_Id, list[Mapping[str, Any]]] = defaultdict(list)
    for annotation in _objects_in(row, "annotations"):
        image_id = _id_of(annotation.get("image_id"))
        if image_id is None:
            yield _unusable(row.file, annotation, f"'image_id' {_no_id(annotation.get('image_id'))}")
        else:
            by_image[image_id].append(annotation)
    for image_id, image in images.items():
        yield from _questions_about(row.file, image.values, by_image.pop(image_id, []), names)
    for image_id in by_image:
        problem = "there is no picture of that id in 'images'"
        yield Row(row.file, 0, f"annotations of the picture {image_id}", problem=problem)


def _questions_about(
    file: Path, image: Mapping[str, Any], annotations: Sequence[Mapping[str, Any]], names: Mapping[_Id, str]
) -> Iterator[Row]:
    objects: list[_Object] = []
    unread: set[str | None] = set()
    for annotation in annotations:
        category_id = _id_of(annotation.get("category_id"))
        category = None if category_id is None else names.get(category_id)
        try:
            objects.append(_object_of(annotation, image, category))
        except TaskError as error:
            unread.add(category)
            told = f"{category!r} is not counted and no place is asked about" if category else "nothing is asked"
            yield _unusable(file, annotation, f"in its picture {told}: {error}")
    try:
        incomplete = _listed(image, "not_exhaustive_category_ids", names) or set()
        absent = _listed(image, "neg_category_ids", names)
    except TaskError as error:
        yield Row(file, 0, f"image {image['id']}", problem=str(error))
        return
    if None in unread:
        return
    counts = _counts(file, image, [one for one in objects if one.category not in incomplete | unread])
    wrong = (set(names.values()) if absent is None else absent) | {one.category for one in objects}
    kinds = iter(()) if unread else _kinds(file, image, objects, wrong - incomplete)
    # In turn, because only so many questions about one picture pass the filters.
    yield from (question for pair in zip_longest(counts, kinds) for question in pair if question is not None)


def _objects_in(row: Row, column: str) -> list[Mapping[str, Any]]:
    entries = row.values.get(column)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise TaskError(f"cannot read {row.file}: {column!r} must be a list of objects, got {shortened(entries)}")
    return entries


def _by_id(row: Row, column: str, *needed: str) -> tuple[dict[_Id, Row], list[Row]]:
    """The entries of the column by their ids, and what is wrong with the others."""
    entries = _objects_in(row, column)
    uses = Counter(_id_of(entry.get("id")) for entry in entries)
    by_id: dict[_Id, Row] = {}
    problems: list[Row] = []
    for place, entry in enumerate(entries, start=1):
        found = Row(row.file, 0, f"{column}, entry {place}", entry)
        entry_id = _id_of(entry.get("id"))
        try:
            if entry_id is None:
                raise TaskError(f"'id' {_no_id(entry.get('id'))}")
            if uses[entry_id] > 1:
                raise TaskError(f"{uses[entry_id]} entries have the id {shortened(entry_id)}, so it names none of them")
            for name in needed:
                found.text(name)
        except TaskError as error:
            problems.append(replace(found, values={}, problem=str(error)))
        else:
            by_id[entry_id] = found
    return by_id, problems


def _id_of(value: object) -> _Id | None:
    """The value if it can be an id, else None."""
    if isinstance(value, str):
        return value if is_writable(value) else None
    return value if isinstance(value, int | float) and is_finite(value) else None


def _no_id(value: object) -> str:
    return f"must be a number or a text, got {shortened(value)}"


def _unusable(file: Path, annotation: Mapping[str, Any], problem: str) -> Row:
    return Row(file, 0, f"annotation {shortened(annotation.get('id'))}", problem=problem)


def _listed(image: Mapping[str, Any], column: str, names: Mapping[_Id, str]) -> set[str] | None:
    """The names of the categories whose ids a picture lists there; None without such a list. Raises TaskError."""
    given = image.get(column)
    if given is None:
        return None
    ids = [one for one in map(_id_of, given) if one is not None] if isinstance(given, list) else []
    if not isinstance(given, list) or len(ids) < len(given):
        raise TaskError(f"{column!r} must be a list of ids, got {shortened(given)}")
    return {names[one] for one in ids if one in names}


def _object_of(annotation: Mapping[str, Any], image: Mapping[str, Any], category: str | None) -> _Object:
    if category is None:
        raise TaskError(f"there is no category {shortened(annotation.get('category_id'))} in 'categories'")
    corners = annotation.get("bbox")
    box = box_in_pixels(corners, annotated_size(image))
    return _Object(_id_of(annotation.get("id")), category, box, list(corners or ()), bool(annotation.get("iscrowd")))


def _counts(file: Path, image: Mapping[str, Any], objects: Sequence[_Object]) -> Iterator[Row]:
    by_category: dict[str, list[_Object]] = defaultdict(list)
    for one in objects:
        by_category[one.category].append(one)
    for category, of_it in by_category.items():
        if len(of_it) <= MOST_COUNTED and not any(one.is_crowd for one in of_it):
            values = {"image": image, "category": category, "boxes": [one.corners for one in of_it]}
            yield Row(file, 0, f"image {image['id']}, {category!r}", values)


def _kinds(file: Path, image: Mapping[str, Any], objects: Sequence[_Object], wrong: Set[str]) -> Iterator[Row]:
    for one, is_alone in zip(objects, isolated([one.box for one in objects]), strict=True):
        options = _options(one, objects, wrong)
        if is_alone and not one.is_crowd and len(options) > 1:
            values = {"image": image, "category": one.category, "boxes": [one.corners], "options": options}
            place = f"annotation {one.annotation_id}"
            yield Row(file, 0, place, {**values, "annotation_id": one.annotation_id})


def _options(one: _Object, objects: Sequence[_Object], wrong: Set[str]) -> list[str]:
    """The right category among wrong ones; nothing that lies behind the object is among them."""
    rng = np.random.default_rng(list(str(one.annotation_id).encode()))
    behind = {other.category for other in objects if overlap(other.box, one.box)}
    elsewhere = {other.category for other in objects}
    groups = sorted((wrong & elsewhere) - behind), sorted(wrong - elsewhere)
    shuffled = [group[int(place)] for group in groups for place in rng.permutation(len(group))]
    options = [one.category, *shuffled[: OPTIONS - 1]]
    return [options[int(place)] for place in rng.permutation(len(options))]


def _task_of(row: Row, pictures: ImageFolder) -> Task:
    image, category, options = row.value("image"), row.text("category"), row.optional("options")
    size = annotated_size(image)
    name = _picture_of(replace(row, values=image), pictures)
    source = pictures.image(name)
    check_aspect(pictures.size(name), size)
    boxes = [box_in_pixels(corners, size) for corners in row.value("boxes")]
    evidence = tuple(Evidence(0, box) for box in boxes)
    if options is None:
        return Task(
            task_id=f"coco-{image['id']}-count-{category}",
            question=f'Count the objects of the kind "{category}" in the picture. How many are there?',
            answers=(str(len(boxes)),),
            sources=(source,),
            grader="number",
            evidence=evidence,
            category="count",
        )
    return Task(
        task_id=f"coco-{image['id']}-kind-{row.value('annotation_id')}",
        question=f"What is {place_of(boxes[0])}?",
        answers=(category,),
        sources=(source,),
        grader="choice",
        options=tuple(options),
        evidence=evidence,
        category="kind",
    )


def _picture_of(image: Row, pictures: ImageFolder) -> str:
    if image.optional("file_name") is None and image.optional("coco_url") is not None:
        folder, _, name = image.text("coco_url").rpartition("/")
        subset = folder.rpartition("/")[2]
    else:
        name = image.text("file_name")
        subset = image.file.stem.rpartition("_")[2]  # instances_train2017.json: the pictures are in train2017
    places = (name, os.path.join(subset, name), os.path.join("images", subset, name))
    return next((place for place in places if pictures.find(place) is not None), name)


COCO = Format(
    name="coco",
    about="COCO-style boxes: one json with images, annotations and categories",
    source='"Data format" of cocodataset.org',
    is_verified=True,
    columns=_COLUMNS | _MADE,
    recognises=_recognises,
    task_of=_task_of,
    rows_of=_question_rows,
    root_of=_root_of,
    below=("images",),
    test_word="val",
    documented_in="docs/synthesis.md",
)
