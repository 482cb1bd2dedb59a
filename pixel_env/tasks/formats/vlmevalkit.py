"""The tab-separated files of VLMEvalKit: VStarBench, HRBench, InfoVQA_VAL, TallyQA and others of the kind.

Columns: `index`, `question`, `image` (base64, the text of a list of them, or the index of another row that has it) or
`image_path` (paths relative to the file), `answer`, and optionally options `A`, `B`, ..., `hint`, `category` (or
`l2-category`), `split`. With options `answer` is a letter or an option's text and graded by choice; otherwise it may be
the text of a list, and is graded by ANLS in files with "info" or "doc" in their names, as a number if it is one, else
exactly. Images are decoded from the file when they are shown.

Source: vlmeval/dataset/image_base.py and image_mcq.py of open-compass/VLMEvalKit; the files themselves were not
available, so the columns of single files are unverified. Tables of videos differ: `mvbench.py` reads that of MVBench.
"""

import itertools
import string
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.task import Task
from pixel_env.tasks.files.embedded import EmbeddedImage
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row, shortened
from pixel_env.tasks.files.tsv import read_tsv
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.options import (
    accepted_answers,
    are_numbers,
    is_among,
    listed,
    reference_answers,
    without_placeholders,
)
from pixel_env.views import Source

_COLUMNS = frozenset(
    {"index", "question", "image", "image_path", "answer", "hint", "category", "l2-category", "split", "type"}
    | {"cycle_category", "multi-choice options", "question_id", "g_index"}
    | set(string.ascii_uppercase)
)


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    return suffix == ".tsv" and {"index", "question"} <= columns and bool(columns & {"image", "image_path"})


def _rows_of(path: Path) -> Iterable[Row]:
    """The rows; an image that is the index of another row is replaced by the image of that row."""
    rows = list(read_tsv(path))
    images = {str(row.values.get("index")): row.values.get("image") for row in rows}
    for row in rows:
        named = row.values.get("image")
        yield replace(row, values={**row.values, "image": images.get(named)}) if isinstance(named, str) else row


def _task_of(row: Row, images: ImageFolder) -> Task:
    question = without_placeholders(row.text("question"))
    hint = row.optional("hint")
    options = tuple(str(text).strip() for text in itertools.takewhile(bool, map(row.optional, string.ascii_uppercase)))
    given = row.text("answer")
    answers = (given,) if options else reference_answers(listed(given))
    if options and (len(options) < 2 or not is_among(given, options)):
        raise TaskError(f"its answer {shortened(given)} is not one of its {len(options)} option(s)")
    if not question or not answers:
        raise TaskError("its question or its answer is empty")
    grader = "choice" if options else _grader(row.file.stem.lower(), answers)
    return Task(
        task_id=f"{row.file.stem}-{row.text('index')}",
        question=f"{hint}\n{question}" if hint else question,
        answers=accepted_answers(answers, grader),
        sources=_sources(row, images),
        grader=grader,
        options=options,
        category=str(row.optional("category", "l2-category") or ""),
    )


def _grader(file_name: str, answers: tuple[str, ...]) -> str:
    if "info" in file_name or "doc" in file_name:
        return "anls"
    return "number" if are_numbers(answers) else "exact"


def _sources(row: Row, images: ImageFolder) -> tuple[Source, ...]:
    cells = row.optional("image")
    if isinstance(cells, list) and all(isinstance(cell, EmbeddedImage) for cell in cells):
        return images.sources(cells)
    paths = row.optional("image_path")
    if not isinstance(paths, str):
        raise TaskError("it has no image: 'image' is neither base64 nor the index of a row that has one")
    return tuple(images.image(name) for name in listed(paths))


VLMEVALKIT = Format(
    name="vlmevalkit",
    about="tab-separated files of VLMEvalKit, images in base64",
    source="vlmeval/dataset/image_base.py of open-compass/VLMEvalKit",
    is_verified=False,
    columns=_COLUMNS,
    recognises=_recognises,
    task_of=_task_of,
    rows_of=_rows_of,
    documented_in="docs/tasks.md",
)
