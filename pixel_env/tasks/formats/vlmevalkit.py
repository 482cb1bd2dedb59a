"""The tables of VLMEvalKit: VStarBench, HRBench, MME-RealWorld(-Lite), TreeBench, InfoVQA_VAL and others.

Tab-separated, or the parquet of HR-Bench and of MME-RealWorld for lmms-eval, which have the same columns: `index`,
`question`, `image` (base64, the text of a list of them, or the index of another row that has it; in MME-RealWorld's
parquet `bytes`) or `image_path` (paths relative to the file), `answer`, and optionally options, `hint`, `category` (or
`l2-category`), `split`. Options are in columns `A`, `B`, ..., or all in `multi-choice options`: a list or lines, each
with its letter (MME-RealWorld-Lite). With options `answer` is a letter or an option's text and graded by choice;
otherwise it may be the text of a list, and is graded by ANLS in files with "info" or "doc" in their names, as a number
if it is one, else exactly. Images are decoded from the file when they are shown.

`target_instances` (TreeBench) holds the boxes [x0, y0, x1, y1] in pixels of what the question is about: they become
evidence. `cycle_category` (HR-Bench) says that each question is asked several times, once per order of its options:
these rows are variants of one question. Rows that show the same image share a cluster.

Source: vlmeval/dataset/image_base.py and image_mcq.py of open-compass/VLMEvalKit (commit e8e78f05), for
`target_instances` inference_treebench.py of Haochen-Wang409/TreeVGR (4823ad88), for `bytes`
lmms_eval/tasks/mme_realworld/utils.py of EvolvingLMMs-Lab/lmms-eval (75571cfe); the files themselves were not
available, so the columns of single files are unverified. Tables of videos differ: see `mvbench.py`.
"""

import hashlib
import itertools
import string
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pixel_env.errors import TaskError
from pixel_env.task import Task, Variant
from pixel_env.tasks.files.embedded import EmbeddedImage
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.piece import Piece
from pixel_env.tasks.files.row import Row, shortened
from pixel_env.tasks.files.rows import read_rows
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.lettered import options_in, reference_of
from pixel_env.tasks.formats.options import (
    accepted_answers,
    are_numbers,
    is_among,
    listed,
    reference_answers,
    without_placeholders,
)
from pixel_env.tasks.formats.pixel_boxes import corners_in, evidence_of
from pixel_env.tasks.formats.rotations import Asked, rotations
from pixel_env.views import Source

_ALL_OPTIONS = "multi-choice options"
_BOXES = "target_instances"
_ROTATION = "cycle_category"
_VARIANT = " variant"  # of `_rows_of` for `_task_of`; the blank keeps it from being a column of a file

_END_CHARACTERS = 4096

_COLUMNS = frozenset(
    {"index", "question", "image", "image_path", "bytes", "answer", "hint", "category", "l2-category", "split", "type"}
    | {_ROTATION, _ALL_OPTIONS, _BOXES, _VARIANT, "question_id", "g_index"}
    | set(string.ascii_uppercase)
)


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    if not {"index", "question"} <= columns or not columns & {"image", "image_path", "bytes"}:
        return False
    has_options = {"answer", "A", "B"} <= columns or {"answer", _ALL_OPTIONS} <= columns
    return suffix == ".tsv" or (suffix == ".parquet" and has_options)


def _rows_of(path: Path) -> Iterable[Row]:
    """The rows; an image that is the index of another row is replaced by the image of that row."""
    rows = list(read_rows(path))
    images = {str(row.values.get("index")): row.values.get("image") for row in rows}
    variants = _variants(rows)
    for row in rows:
        values: dict[str, Any] = {**row.values, **({_VARIANT: variants[row.number]} if row.number in variants else {})}
        if isinstance(values.get("image"), str):
            values["image"] = images.get(values["image"])
        yield replace(row, values=values)


def _variants(rows: Iterable[Row]) -> dict[int, Variant]:
    """The variant of each row, by its number, if the file says that its options are rotated."""
    rotated = [row for row in rows if row.optional(_ROTATION) is not None]
    asked = [Asked(str(row.optional("question")), _by_letter(row), _right(row)) for row in rotated]
    return {
        row.number: Variant("rotation", f"{row.file.stem}-question-{question}", str(name))
        for row, (question, name) in zip(rotated, rotations(asked), strict=True)
    }


def _task_of(row: Row, images: ImageFolder) -> Task:
    question = without_placeholders(row.text("question"))
    hint = row.optional("hint")
    given = row.text("answer")
    options = _options(row, given)
    if len(options) == 1:
        raise TaskError(f"it has the single option {shortened(options[0])}; give at least two, or none")
    answers = (reference_of(given, options),) if options else reference_answers(listed(given))
    if not question or not answers:
        raise TaskError("its question or its answer is empty")
    sources = _sources(row, images)
    boxes = row.optional(_BOXES)
    found = row.values.get(_VARIANT)
    variant = found if isinstance(found, Variant) else None
    grader = "choice" if options else _grader(row.file.stem.lower(), answers)
    return Task(
        task_id=f"{row.file.stem}-{row.value('index')}",
        question=f"{hint}\n{question}" if hint else question,
        answers=accepted_answers(answers, grader),
        sources=sources,
        grader=grader,
        options=options,
        evidence=() if boxes is None else evidence_of(corners_in(boxes, _BOXES), sources, images, _BOXES),
        category=str(row.optional("category", "l2-category") or ""),
        cluster=variant.question_id if variant else _shared(row, sources),
        variant=variant,
    )


def _options(row: Row, answer: str) -> tuple[str, ...]:
    """The options by letter; those of the column of all, if there are none or `answer` is a letter that is missing."""
    by_letter, all_of_them = _by_letter(row), row.optional(_ALL_OPTIONS)
    if all_of_them is None or (by_letter and is_among(answer, by_letter)):
        return by_letter
    return options_in(all_of_them, _ALL_OPTIONS)


def _by_letter(row: Row) -> tuple[str, ...]:
    return tuple(str(text).strip() for text in itertools.takewhile(bool, map(row.optional, string.ascii_uppercase)))


def _right(row: Row) -> str:
    """The text of the right option; the answer itself if it is no letter."""
    answer = str(row.optional("answer")).strip()
    return str(row.optional(answer) or answer).strip() if answer in string.ascii_uppercase else answer


def _grader(file_name: str, answers: tuple[str, ...]) -> str:
    if "info" in file_name or "doc" in file_name:
        return "anls"
    return "number" if are_numbers(answers) else "exact"


def _sources(row: Row, images: ImageFolder) -> tuple[Source, ...]:
    cells = row.optional("image", "bytes")
    several = cells if isinstance(cells, list) else [cells]
    if all(isinstance(cell, EmbeddedImage) for cell in several):
        return images.sources(several)
    paths = row.optional("image_path")
    if not isinstance(paths, str):
        raise TaskError(
            "it has no image: 'image' is neither base64 nor the index of a row that has one; of a web address, "
            "download the file and give its path in 'image_path'"
        )
    return tuple(images.image(name) for name in listed(paths))


def _shared(row: Row, sources: tuple[Source, ...]) -> str:
    """The cluster of rows that show the same images."""
    return " ".join(map(_fingerprint, sources)) if row.optional("image_path") is None else str(row.value("image_path"))


def _fingerprint(source: Source) -> str:
    """Of an image within a table its length and its end: hashing all of it would read the table twice."""
    place = source.place if isinstance(source, EmbeddedImage) else None
    if not isinstance(place, Piece):
        return source.key[:16]
    with place.path.open("rb") as file:
        file.seek(place.start + max(0, place.length - _END_CHARACTERS))
        end = file.read(min(place.length, _END_CHARACTERS))
    return f"{place.length}-{hashlib.sha256(end).hexdigest()[:12]}"


VLMEVALKIT = Format(
    name="vlmevalkit",
    about="tables of VLMEvalKit, images in base64",
    source="vlmeval/dataset/image_base.py of open-compass/VLMEvalKit",
    is_verified=False,
    columns=_COLUMNS,
    recognises=_recognises,
    task_of=_task_of,
    rows_of=_rows_of,
    documented_in="docs/tasks.md",
)
