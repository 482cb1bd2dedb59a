"""COCO-style boxes: one JSON file with `images`, `annotations` and `categories`.

image: {id, width, height, file_name}; annotation: {id, image_id, category_id, bbox: [x, y, width, height] in pixels,
iscrowd}; category: {id, name}. Objects365 and the exports of labelling tools have the same format. The file is in
`annotations` beside the folders of images (COCO's own layout: instances_train2017.json and train2017), or among them.

Categories and boxes give exact answers to two questions. The first is how many objects of a category there are; it is
not used if one box covers a crowd of the category, or for more than `MOST_COUNTED` objects. The second is what is at a
position, with options, for an object that is alone there; the wrong options are first categories from elsewhere in the
image, then absent ones. If an annotation cannot be used, its category is not counted and there are no questions about
positions, because its object may be anywhere. If even its category is unknown, there are no questions about the image.

LVIS annotates a few of its categories in each image. Those in `not_exhaustive_category_ids`, of which not every object
has a box, are neither counted nor wrong options, and only those in `neg_category_ids` are known to be absent. LVIS v1
has no `file_name`; the image is the last folder and name of `coco_url`.

Source: "Data format" of cocodataset.org; of LVIS, lvis/eval.py of lvis-dataset/lvis-api. Depends on rows and boxes;
independent of filters, plans and teachers.
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
from synth.seed_data.regions import annotated_size, box_in_pixels, check_aspect, isolated, overlap, position_in_words

MOST_COUNTED = 8
"""COCO annotators draw about 10 to 15 boxes of a category before they mark the rest as a crowd."""
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


def _matches(columns: frozenset[str], suffix: str) -> bool:
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
            yield _unusable(row.file, annotation, f"'image_id' {_not_an_id(annotation.get('image_id'))}")
        else:
            by_image[image_id].append(annotation)
    for image_id, image in images.items():
        yield from _questions_about(row.file, image.values, by_image.pop(image_id, []), names)
    for image_id in by_image:
        problem = "'images' has no image with that id"
        yield Row(row.file, 0, f"annotations of image {image_id}", problem=problem)


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
            effect = f"no count of {category!r} and no question about positions" if category else "no question"
            yield _unusable(file, annotation, f"its image gets {effect}: {error}")
    try:
        incomplete = _listed(image, "not_exhaustive_category_ids", names) or set()
        absent = _listed(image, "neg_category_ids", names)
    except TaskError as error:
        yield Row(file, 0, f"image {image['id']}", problem=str(error))
        return
    if None in unread:
        return
    counts = _counts(file, image, [item for item in objects if item.category not in incomplete | unread])
    wrong = (set(names.values()) if absent is None else absent) | {item.category for item in objects}
    kinds = iter(()) if unread else _kinds(file, image, objects, wrong - incomplete)
    # Alternating, because only a few questions about one image pass the filters.
    yield from (question for pair in zip_longest(counts, kinds) for question in pair if question is not None)


def _objects_in(row: Row, column: str) -> list[Mapping[str, Any]]:
    entries = row.values.get(column)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise TaskError(f"cannot read {row.file}: {column!r} must be a list of objects, got {shortened(entries)}")
    return entries


def _by_id(row: Row, column: str, *needed: str) -> tuple[dict[_Id, Row], list[Row]]:
    """The entries of the column by id, and one row with a problem for each unusable entry."""
    entries = _objects_in(row, column)
    uses = Counter(_id_of(entry.get("id")) for entry in entries)
    by_id: dict[_Id, Row] = {}
    problems: list[Row] = []
    for number, entry in enumerate(entries, start=1):
        entry_row = Row(row.file, 0, f"{column}, entry {number}", entry)
        entry_id = _id_of(entry.get("id"))
        try:
            if entry_id is None:
                raise TaskError(f"'id' {_not_an_id(entry.get('id'))}")
            if uses[entry_id] > 1:
                raise TaskError(f"{uses[entry_id]} entries have the id {shortened(entry_id)}; an id must be unique")
            for name in needed:
                entry_row.text(name)
        except TaskError as error:
            problems.append(replace(entry_row, values={}, problem=str(error)))
        else:
            by_id[entry_id] = entry_row
    return by_id, problems


def _id_of(value: object) -> _Id | None:
    """The value if it can be an id, else None."""
    if isinstance(value, str):
        return value if is_writable(value) else None
    return value if isinstance(value, int | float) and is_finite(value) else None


def _not_an_id(value: object) -> str:
    return f"must be a number or a string, got {shortened(value)}"


def _unusable(file: Path, annotation: Mapping[str, Any], problem: str) -> Row:
    return Row(file, 0, f"annotation {shortened(annotation.get('id'))}", problem=problem)


def _listed(image: Mapping[str, Any], column: str, names: Mapping[_Id, str]) -> set[str] | None:
    """The names of the categories whose ids the image lists in the column; None without a list. Raises TaskError."""
    given = image.get(column)
    if given is None:
        return None
    ids = [item for item in map(_id_of, given) if item is not None] if isinstance(given, list) else []
    if not isinstance(given, list) or len(ids) < len(given):
        raise TaskError(f"{column!r} must be a list of ids, got {shortened(given)}")
    return {names[item] for item in ids if item in names}


def _object_of(annotation: Mapping[str, Any], image: Mapping[str, Any], category: str | None) -> _Object:
    if category is None:
        raise TaskError(f"'categories' has no category {shortened(annotation.get('category_id'))}")
    corners = annotation.get("bbox")
    box = box_in_pixels(corners, annotated_size(image))
    return _Object(_id_of(annotation.get("id")), category, box, list(corners or ()), bool(annotation.get("iscrowd")))


def _counts(file: Path, image: Mapping[str, Any], objects: Sequence[_Object]) -> Iterator[Row]:
    by_category: dict[str, list[_Object]] = defaultdict(list)
    for item in objects:
        by_category[item.category].append(item)
    for category, members in by_category.items():
        if len(members) <= MOST_COUNTED and not any(item.is_crowd for item in members):
            values = {"image": image, "category": category, "boxes": [item.corners for item in members]}
            yield Row(file, 0, f"image {image['id']}, {category!r}", values)


def _kinds(file: Path, image: Mapping[str, Any], objects: Sequence[_Object], wrong: Set[str]) -> Iterator[Row]:
    for item, is_alone in zip(objects, isolated([item.box for item in objects]), strict=True):
        options = _options(item, objects, wrong)
        if is_alone and not item.is_crowd and len(options) > 1:
            values = {"image": image, "category": item.category, "boxes": [item.corners], "options": options}
            name = f"annotation {item.annotation_id}"
            yield Row(file, 0, name, {**values, "annotation_id": item.annotation_id})


def _options(item: _Object, objects: Sequence[_Object], wrong: Set[str]) -> list[str]:
    """The right category and wrong ones, shuffled; categories of objects behind this one are left out."""
    rng = np.random.default_rng(list(str(item.annotation_id).encode()))
    behind = {other.category for other in objects if overlap(other.box, item.box)}
    elsewhere = {other.category for other in objects}
    groups = sorted((wrong & elsewhere) - behind), sorted(wrong - elsewhere)
    shuffled = [group[int(index)] for group in groups for index in rng.permutation(len(group))]
    options = [item.category, *shuffled[: OPTIONS - 1]]
    return [options[int(index)] for index in rng.permutation(len(options))]


def _task_of(row: Row, folder: ImageFolder) -> Task:
    image, category, options = row.value("image"), row.text("category"), row.optional("options")
    size = annotated_size(image)
    name = _image_name(replace(row, values=image), folder)
    source = folder.image(name)
    check_aspect(folder.size(name), size)
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
        question=f"What is {position_in_words(boxes[0])}?",
        answers=(category,),
        sources=(source,),
        grader="choice",
        options=tuple(options),
        evidence=evidence,
        category="kind",
    )


def _image_name(image: Row, folder: ImageFolder) -> str:
    if image.optional("file_name") is None and image.optional("coco_url") is not None:
        parent, _, name = image.text("coco_url").rpartition("/")
        subset = parent.rpartition("/")[2]
    else:
        name = image.text("file_name")
        subset = image.file.stem.rpartition("_")[2]  # instances_train2017.json: the images are in train2017
    paths = (name, os.path.join(subset, name), os.path.join("images", subset, name))
    return next((path for path in paths if folder.find(path) is not None), name)


COCO = Format(
    name="coco",
    about="COCO-style boxes: one JSON file with images, annotations and categories",
    source='"Data format" of cocodataset.org',
    is_verified=True,
    columns=_COLUMNS | _MADE,
    recognises=_matches,
    task_of=_task_of,
    rows_of=_question_rows,
    root_of=_root_of,
    below=("images",),
    test_word="val",
    documented_in="docs/synthesis.md",
)
