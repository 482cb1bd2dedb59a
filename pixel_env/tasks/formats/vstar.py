"""V*Bench as its authors publish it (craigwu/vstar_bench): lines of JSON, or one JSON file a picture.

Lines: {image: "direct_attributes/sa_4690.jpg", text: question with options (A) to (D) and a closing request for the
letter, category, label: "A", question_id}. One file a picture, beside the picture and with its name: {target_object,
bbox: [x, y, width, height] in pixels (one, or one a target), question, options: the first is the right one}. Where both
are there the lines are read and the boxes become evidence.

The closing request is taken out of the question: the environment asks in the dialect's words.

Source: the files as read by vstar_bench_eval.py (question, options) and visual_search.py (boxes, one a target) of
penghao-wu/vstar, the authors' own code; the lines as read by TIGER-AI-Lab/verl-tool and others, not by the authors.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pixel_env.boxes import Box
from pixel_env.errors import TaskError
from pixel_env.task import Evidence, Task
from pixel_env.tasks.files.images import PICTURE_SUFFIXES, PictureFolder
from pixel_env.tasks.files.row import Row, shortened
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.options import is_among, without_letter_request, without_marks, without_options

_LINE = frozenset({"image", "text", "category", "label", "question_id"})
_FILE = frozenset({"target_object", "bbox", "question", "options"})


def _told_by(columns: frozenset[str], suffix: str) -> bool:
    return suffix != ".tsv" and (_LINE - {"category", "question_id"} <= columns or is_one_picture(columns))


def is_one_picture(columns: frozenset[str]) -> bool:
    """Whether the file is the annotation of one picture, of which only the whole folder makes a set."""
    return columns >= _FILE


def _task_of(row: Row, pictures: PictureFolder) -> Task:
    return _task_of_file(row, pictures) if row.optional("options") else _task_of_line(row, pictures)


def _task_of_line(row: Row, pictures: PictureFolder) -> Task:
    image, label = row.text("image"), row.text("label")
    question, options = without_options(without_letter_request(without_marks(row.text("text"))))
    if not options or not is_among(label, options):
        raise TaskError(f"its label {label!r} is none of the options that are found in {shortened(row.text('text'))}")
    return Task(
        task_id=f"vstar-{row.value('question_id')}" if row.optional("question_id") is not None else image,
        question=question,
        answers=(label,),
        sources=(pictures.picture(image),),
        grader="choice",
        options=options,
        evidence=_evidence(_boxes_beside(image, pictures), image, pictures),
        category=str(row.optional("category") or Path(image).parent.name),
    )


def _task_of_file(row: Row, pictures: PictureFolder) -> Task:
    options = row.texts("options")
    if len(options) < 2:
        raise TaskError(f"'options' must be a list of at least two texts, got {shortened(options)}")
    place = row.file.relative_to(pictures.root).with_suffix("")
    image = next((name for name in _picture_names(place) if pictures.find(name) is not None), None)
    if image is None:
        raise TaskError(f"there is no picture {place}.jpg beside it")
    return Task(
        task_id=str(place),
        question=row.text("question"),
        answers=(options[0],),
        sources=(pictures.picture(image),),
        grader="choice",
        options=options,
        evidence=_evidence(row.optional("bbox"), image, pictures),
        category=place.parent.name,
    )


def _picture_names(place: Path) -> list[str]:
    return [f"{place}{suffix}" for suffix in (*PICTURE_SUFFIXES, ".JPG", ".JPEG", ".PNG")]


def _boxes_beside(image: str, pictures: PictureFolder) -> Any:
    beside = pictures.find(str(Path(image).with_suffix(".json")))
    if beside is None:
        return None
    try:
        return json.loads(Path(beside).read_text(encoding="utf-8")).get("bbox")
    except (OSError, ValueError, AttributeError) as error:
        raise TaskError(f"cannot read {beside}: {error}") from error


def _evidence(boxes: Any, image: str, pictures: PictureFolder) -> tuple[Evidence, ...]:
    if boxes is None:
        return ()
    several = boxes if isinstance(boxes, list) and boxes and isinstance(boxes[0], list) else [boxes]
    size = pictures.size(image)
    return tuple(Evidence(0, box) for corners in several if (box := _box(corners, size)) is not None)


def _box(corners: Any, size: Sequence[int]) -> Box | None:
    """The box in fractions, cut at the picture's edges; None if nothing of it lies inside."""
    if not isinstance(corners, list) or len(corners) != 4 or not all(type(one) in (int, float) for one in corners):
        raise TaskError(f"'bbox' must be [x, y, width, height] in pixels, or a list of these, got {shortened(corners)}")
    (x, y, width, height), (whole_width, whole_height) = corners, size
    left, right = (min(max(edge / whole_width, 0.0), 1.0) for edge in (x, x + width))
    top, bottom = (min(max(edge / whole_height, 0.0), 1.0) for edge in (y, y + height))
    return Box(left, top, right, bottom) if left < right and top < bottom else None


VSTAR = Format(
    name="vstar",
    about="V*Bench: lines of JSON, or one JSON file a picture",
    source="vstar_bench_eval.py and visual_search.py of penghao-wu/vstar; the lines by loaders of others",
    is_verified=True,
    columns=_LINE | _FILE,
    told_by=_told_by,
    task_of=_task_of,
    joins=is_one_picture,
)
