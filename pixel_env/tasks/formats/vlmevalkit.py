"""The tab-separated files of VLMEvalKit: VStarBench, HRBench, InfoVQA_VAL, TallyQA and others of the kind.

Columns: `index`, `question`, `image` (base64, the text of a list of them, or the index of another row that has it) or
`image_path` (paths relative to the file), `answer`, and where they apply options `A`, `B`, ..., `hint`, `category` (or
`l2-category`), `split`. With options `answer` is a letter or an option's text and graded by choice; otherwise it may be
the text of a list, and is graded by ANLS in files with "info" or "doc" in their names, as a number if it is one, else
exactly. Pictures stay in the file and are decoded when they are shown.

Source: vlmeval/dataset/image_base.py and image_mcq.py of open-compass/VLMEvalKit; the files themselves were not seen,
so columns of single ones are unverified. Its tables of videos are another form: `mvbench.py` reads that of MVBench.
"""

import itertools
import string
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.task import Task
from pixel_env.tasks.files.images import PictureFolder
from pixel_env.tasks.files.row import Row
from pixel_env.tasks.files.tsv import CellPicture, read_tsv
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.options import are_numbers, is_among, listed, reference_answers, without_marks
from pixel_env.views import Source

_COLUMNS = frozenset(
    {"index", "question", "image", "image_path", "answer", "hint", "category", "l2-category", "split", "type"}
    | {"cycle_category", "multi-choice options", "question_id", "g_index"}
    | set(string.ascii_uppercase)
)


def _told_by(columns: frozenset[str], suffix: str) -> bool:
    return suffix == ".tsv" and {"index", "question"} <= columns and bool(columns & {"image", "image_path"})


def _rows_of(path: Path) -> Iterable[Row]:
    """The rows, each with its own picture where it names that of another row."""
    rows = list(read_tsv(path))
    pictures = {str(row.values.get("index")): row.values.get("image") for row in rows}
    for row in rows:
        named = row.values.get("image")
        yield replace(row, values={**row.values, "image": pictures.get(named)}) if isinstance(named, str) else row


def _task_of(row: Row, pictures: PictureFolder) -> Task:
    question = without_marks(row.text("question"))
    hint = row.optional("hint")
    options = tuple(str(text).strip() for text in itertools.takewhile(bool, map(row.optional, string.ascii_uppercase)))
    given = row.text("answer")
    answers = (given,) if options else reference_answers(listed(given))
    if options and (len(options) < 2 or not is_among(given, options)):
        raise TaskError(f"its answer {given!r} is none of its {len(options)} option(s)")
    if not question or not answers:
        raise TaskError("it has no question or no answer")
    return Task(
        task_id=f"{row.file.stem}-{row.text('index')}",
        question=f"{hint}\n{question}" if hint else question,
        answers=answers,
        sources=_sources(row, pictures),
        grader="choice" if options else _grader(row.file.stem.lower(), answers),
        options=options,
        category=str(row.optional("category", "l2-category") or ""),
    )


def _grader(file_name: str, answers: tuple[str, ...]) -> str:
    if "info" in file_name or "doc" in file_name:
        return "anls"
    return "number" if are_numbers(answers) else "exact"


def _sources(row: Row, pictures: PictureFolder) -> tuple[Source, ...]:
    cells = row.optional("image")
    if isinstance(cells, list) and all(isinstance(cell, CellPicture) for cell in cells):
        return tuple(_whole(cell, pictures) for cell in cells)
    paths = row.optional("image_path")
    if not isinstance(paths, str):
        raise TaskError("it has no picture: 'image' is neither base64 nor the index of a row that has one")
    return tuple(pictures.picture(name) for name in listed(paths))


def _whole(cell: CellPicture, pictures: PictureFolder) -> CellPicture:
    fault = pictures.embedded_fault(cell)
    if fault:
        raise TaskError(f"its picture cannot be used: {fault}")
    return cell


VLMEVALKIT = Format(
    name="vlmevalkit",
    about="tab-separated files of VLMEvalKit, pictures in base64",
    source="vlmeval/dataset/image_base.py of open-compass/VLMEvalKit",
    is_verified=False,
    columns=_COLUMNS,
    told_by=_told_by,
    task_of=_task_of,
    rows_of=_rows_of,
)
