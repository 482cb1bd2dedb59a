"""A table of questions whose columns have the usual names: sets of the hub that have no reader of their own.

Read are (`columns.py`): a question; images, in the file or as paths, or a video's path; options in one column or in
columns of their own; the answer; a category; an id. Options within the question's text, lettered, count if the answer
is one of them. Graders: choice with options, number for numbers, exact for the rest.

A row that would be asked without something is refused: a column that looks like options, or an image in a column of
another name.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.media.pictures import IMAGE_SUFFIXES
from pixel_env.task import MediaKind, Task
from pixel_env.tasks.files.clips import VIDEO_SUFFIXES, evenly
from pixel_env.tasks.files.embedded import EmbeddedImage
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row, shortened
from pixel_env.tasks.files.rows import columns_of, read_rows
from pixel_env.tasks.formats.columns import (
    ANSWER_COLUMNS,
    CATEGORY_COLUMNS,
    ID_COLUMNS,
    OPTION_CELLS,
    OPTION_COLUMNS,
    QUESTION_COLUMNS,
    answer_of,
    index_of_answer,
    options_of,
)
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.jsonl import OWN
from pixel_env.tasks.formats.options import (
    are_numbers,
    is_among,
    without_letter_request,
    without_options,
    without_placeholders,
)
from pixel_env.views import Source

IMAGE_COLUMNS = (
    *("image", "images", "decoded_image", "image_path", "image_paths", "img", "img_path", "image_file", "image_name"),
    *("picture", "pil_image", "image_bytes"),
)
VIDEO_COLUMNS = ("video", "video_path", "video_file")

_NUMBERED_IMAGE = re.compile(r"(?:image|img)[_ ]?(\d{1,2})", re.IGNORECASE)
_COLUMNS = frozenset(
    {*QUESTION_COLUMNS, *OPTION_COLUMNS, *ANSWER_COLUMNS, *CATEGORY_COLUMNS, *ID_COLUMNS, *IMAGE_COLUMNS}
    | {*VIDEO_COLUMNS, *OPTION_CELLS, "hint", "split"}
    | {f"{word}{sign}{number}" for word in ("image", "img") for sign in ("", "_", " ") for number in range(21)}
)


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    if not (columns & {*QUESTION_COLUMNS} and columns & {*ANSWER_COLUMNS}):
        return False
    if _is_of_classification(columns):
        return False
    # A JSONL with an unknown column is more likely the user's own with a mistyped key, which is named.
    return suffix not in (".jsonl", ".jsonl.gz") or columns - OWN.columns <= _COLUMNS


def _is_of_classification(columns: frozenset[str]) -> bool:
    """Whether the columns are those of texts with classes: "text" and "label" are no question without more."""
    if columns & {*QUESTION_COLUMNS} != {"text"} or columns & {*ANSWER_COLUMNS} != {"label"}:
        return False
    return not columns & {*OPTION_COLUMNS, *OPTION_CELLS} and not _media_columns(columns)


def _media_columns(columns: Iterable[str]) -> list[str]:
    return [name for name in columns if name in (*IMAGE_COLUMNS, *VIDEO_COLUMNS) or _NUMBERED_IMAGE.fullmatch(name)]


def _rows_of(path: Path) -> Iterable[Row]:
    """The rows. Raises no error for what is wrong with all of them: each gets a problem."""
    names = _media_columns(columns_of(path))
    if names and not any(row.problem or any(row.optional(name) for name in names) for row in read_rows(path)):
        return (_without_media(row, names) for row in read_rows(path))
    return _rows_with_indexes(path)


def _without_media(row: Row, names: Sequence[str]) -> Row:
    return replace(
        row,
        problem=f"{' and '.join(map(repr, names[:2]))} is empty in every row of this file; write the images again, or, "
        "if the questions need none, leave the column out",
    )


def _rows_with_indexes(path: Path) -> Iterable[Row]:
    """The rows. Whole-number answers that count from 1 are a problem of their rows."""
    rows = iter(read_rows(path))
    first = next(rows, None)
    if first is None or _index_of(first)[0] is None:
        return read_rows(path)
    found = [pair for row in read_rows(path) if (pair := _index_of(row))[0] is not None]
    indexes = {index for index, _ in found}
    if 0 in indexes or all(index != count for index, count in found):
        return read_rows(path)
    return (_counted_from_one(row) for row in read_rows(path))


def _index_of(row: Row) -> tuple[int | None, int]:
    try:
        options = options_of(row)
        return index_of_answer(row, options), len(options)
    except TaskError:
        return None, 0


def _counted_from_one(row: Row) -> Row:
    if _index_of(row)[0] is None:
        return row
    return replace(
        row,
        problem="the whole-number answers of this file seem to count its options from 1: none is 0, and one is the "
        "number of options; write the options' letters, or count from 0",
    )


def _task_of(row: Row, images: ImageFolder) -> Task:
    question = without_placeholders(row.text(*QUESTION_COLUMNS))
    if not question:
        raise TaskError("its question is empty")
    options = options_of(row)
    answers = answer_of(row, options)
    question, options = _with_options_of_text(question, options, answers)
    media, sources = _sources(row, images)
    hint, name = row.optional("hint"), row.optional(*ID_COLUMNS)
    return Task(
        task_id=f"{row.file.stem}-{name}" if isinstance(name, str | int) else f"{row.file.stem}:{row.number}",
        question=f"{hint}\n{question}" if isinstance(hint, str) else question,
        answers=answers,
        sources=sources,
        media=media,
        grader="choice" if options else "number" if are_numbers(answers) else "exact",
        options=options,
        category=_category(row),
    )


def _with_options_of_text(
    question: str, options: tuple[str, ...], answers: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """The question without the options that it repeats, and the options: those of the text if there are no others."""
    stem, in_text = without_options(without_letter_request(question))
    if options:
        return (stem, options) if in_text == options else (question, options)
    if in_text and all(is_among(answer, in_text) for answer in answers):
        return stem, in_text
    return question, ()


def _category(row: Row) -> str:
    value = row.optional(*CATEGORY_COLUMNS)
    return str(value) if isinstance(value, str | int) else ""


def _sources(row: Row, images: ImageFolder) -> tuple[MediaKind, tuple[Source, ...]]:
    video = next((name for name in VIDEO_COLUMNS if row.optional(name) is not None), None)
    if video is not None:
        return "video", _frames(row.value(video), video, images)
    sources = _numbered(row, images) or next(
        (images.sources(row.value(name), name) for name in _by_preference(row) if row.optional(name)), ()
    )
    if not sources:
        _refuse_unread_images(row)
    return ("image" if sources else "text"), sources


def _by_preference(row: Row) -> list[str]:
    """The columns of images, those that hold them before those that name them."""
    return sorted(IMAGE_COLUMNS, key=lambda name: not _holds_image(row.optional(name)))


def _numbered(row: Row, images: ImageFolder) -> tuple[Source, ...]:
    """The images of image_1, image_2, ...; empty if a column holds all of them."""
    if any(row.optional(name) for name in IMAGE_COLUMNS):
        return ()
    numbers = {int(match[1]): name for name in row.values if (match := _NUMBERED_IMAGE.fullmatch(name))}
    return tuple(
        source for number in sorted(numbers) for source in images.sources(row.optional(numbers[number]), "image")
    )


def _frames(value: object, column: str, images: ImageFolder) -> tuple[Source, ...]:
    if isinstance(value, str):
        return images.clip(value)
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        if len(value) == 1 and value[0].lower().endswith(VIDEO_SUFFIXES):
            return images.clip(value[0])
        return images.sources(evenly(value), column)
    raise TaskError(
        f"{column!r} must be the path of a video or a list of the paths of its frames, got {shortened(value)}"
    )


def _holds_image(value: object) -> bool:
    return isinstance(value, EmbeddedImage) or (isinstance(value, list) and any(map(_holds_image, value)))


def _refuse_unread_images(row: Row) -> None:
    for name, value in row.values.items():
        is_path = isinstance(value, str) and value.lower().endswith((*IMAGE_SUFFIXES, *VIDEO_SUFFIXES))
        if _holds_image(value) or (is_path and "\n" not in str(value)):
            raise TaskError(f"its column {name!r} holds an image and is not read; rename it to 'image'")


TABLE = Format(
    name="table",
    about="a table of questions with the usual names of columns, from any syntax",
    source="docs/tasks.md",
    is_verified=True,
    columns=_COLUMNS,
    recognises=_recognises,
    task_of=_task_of,
    is_general=True,
    rows_of=_rows_of,
    below=("images", "image", "videos"),
    documented_in="docs/tasks.md",
)
