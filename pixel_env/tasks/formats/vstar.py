"""V*Bench as its authors publish it (craigwu/vstar_bench): JSONL, or one JSON file per image.

JSONL: {image: "direct_attributes/sa_4690.jpg", text: question with options (A) to (D) and a closing request for the
letter, category, label: "A", question_id}. One file per image, in the same folder and with the same name:
{target_object, bbox: [x, y, width, height] in pixels (one, or one per target), question, options: the first is right}.
If both exist, the JSONL is read and the boxes become evidence. The same columns in parquet with the images inside
(lmms-lab/vstar-bench) have no boxes.

The closing request is removed from the question: the dialect adds its own wording.

Source: the files as read by vstar_bench_eval.py (question, options) and visual_search.py (boxes, one per target) of
penghao-wu/vstar, the authors' own code; the lines as read by TIGER-AI-Lab/verl-tool and others, not by the authors.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pixel_env.boxes import Box
from pixel_env.errors import TaskError
from pixel_env.media.pictures import IMAGE_SUFFIXES
from pixel_env.task import Evidence, Task
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row, shortened
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.options import is_among, without_letter_request, without_options, without_placeholders

_LINE = frozenset({"image", "text", "category", "label", "question_id"})
_FILE = frozenset({"target_object", "bbox", "question", "options"})


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    return suffix != ".tsv" and (_LINE - {"category", "question_id"} <= columns or is_one_image(columns))


def is_one_image(columns: frozenset[str]) -> bool:
    """Whether the file is the annotation of one image; all such files of a folder are one set."""
    return columns >= _FILE


def _task_of(row: Row, images: ImageFolder) -> Task:
    return _task_of_file(row, images) if row.optional("options") else _task_of_line(row, images)


def _task_of_line(row: Row, images: ImageFolder) -> Task:
    image, label = row.value("image"), row.text("label")
    name = image if isinstance(image, str) else ""
    question, options = without_options(without_letter_request(without_placeholders(row.text("text"))))
    if not options or not is_among(label, options):
        raise TaskError(f"its label {shortened(label)} is not one of the options in {shortened(row.text('text'))}")
    return Task(
        task_id=_name(row, name),
        question=question,
        answers=(label,),
        sources=images.sources(image),
        grader="choice",
        options=options,
        evidence=_evidence(_boxes_of(name, images), name, images) if name else (),
        category=str(row.optional("category") or Path(name).parent.name),
    )


def _name(row: Row, image: str) -> str:
    number = row.optional("question_id")
    return f"vstar-{row.number if number is None else number}" if number is not None or not image else image


def _task_of_file(row: Row, images: ImageFolder) -> Task:
    options = row.texts("options")
    if len(options) < 2:
        raise TaskError(f"'options' must be a list of at least two texts, got {shortened(options)}")
    stem = row.file.relative_to(images.root).with_suffix("")
    image = next((name for name in _image_names(stem) if images.find(name) is not None), None)
    if image is None:
        raise TaskError(f"there is no image {stem}.jpg in its folder")
    return Task(
        task_id=str(stem),
        question=row.text("question"),
        answers=(options[0],),
        sources=(images.image(image),),
        grader="choice",
        options=options,
        evidence=_evidence(row.optional("bbox"), image, images),
        category=stem.parent.name,
    )


def _image_names(stem: Path) -> list[str]:
    return [f"{stem}{suffix}" for suffix in (*IMAGE_SUFFIXES, ".JPG", ".JPEG", ".PNG")]


def _boxes_of(image: str, images: ImageFolder) -> Any:
    annotation = images.find(str(Path(image).with_suffix(".json")))
    if annotation is None:
        return None
    try:
        return json.loads(Path(annotation).read_text(encoding="utf-8")).get("bbox")
    except (OSError, ValueError, AttributeError) as error:
        raise TaskError(f"cannot read {annotation}: {error}. Give a JSON file, or remove it.") from error


def _evidence(boxes: Any, image: str, images: ImageFolder) -> tuple[Evidence, ...]:
    if boxes is None:
        return ()
    several = boxes if isinstance(boxes, list) and boxes and isinstance(boxes[0], list) else [boxes]
    size = images.size(image)
    return tuple(Evidence(0, box) for corners in several if (box := _box(corners, size)) is not None)


def _box(corners: Any, size: Sequence[int]) -> Box | None:
    """The box in fractions, clipped to the image; None if no part of it lies inside."""
    if (
        not isinstance(corners, list)
        or len(corners) != 4
        or not all(type(corner) in (int, float) for corner in corners)
    ):
        raise TaskError(f"'bbox' must be [x, y, width, height] in pixels, or a list of these, got {shortened(corners)}")
    (x, y, width, height), (whole_width, whole_height) = corners, size
    left, right = (min(max(edge / whole_width, 0.0), 1.0) for edge in (x, x + width))
    top, bottom = (min(max(edge / whole_height, 0.0), 1.0) for edge in (y, y + height))
    return Box(left, top, right, bottom) if left < right and top < bottom else None


VSTAR = Format(
    name="vstar",
    about="V*Bench: JSONL, or one JSON file per image",
    source="vstar_bench_eval.py and visual_search.py of penghao-wu/vstar; the JSONL by other loaders",
    is_verified=True,
    columns=_LINE | _FILE,
    recognises=_recognises,
    task_of=_task_of,
    joins=is_one_image,
    documented_in="docs/tasks.md",
)
