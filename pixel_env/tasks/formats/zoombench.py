"""ZoomBench: each question about a whole image, and about the crop of it that shows the evidence.

Two forms. The published parquet has `id`, `query`, `response`, `image`, `crop_image` (both embedded) and
`question_type`; the JSON that its authors' script makes of it has `images` and `crop_images`, lists of paths, `query`
and `response`. `prompt` and `answer` are read for `query` and `response`: the script names them so. Lettered options
are within `query` (or in `options` or `choices`, of which loaders of others speak), and `response` is a letter, graded
by choice; an open answer is graded as a number if it is one, else exactly. `question_type` is the category.

"zoombench" asks about the whole images, "zoombench-crop" about the crops, "zoombench-views" about both: the difference
of their accuracies is the zooming gap. A question without a crop has no crop view. All views of a question share a
cluster.

Source: utils/convert_benchmark.py, mm-eval/infer_without_tool.py and README of inclusionAI/Zooming-without-Zooming
(commit fdc0ba1a); the columns of the parquet by loaders of others: unverified.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.task import GIVEN_CROP, WHOLE_IMAGE, Task, Variant
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row
from pixel_env.tasks.files.rows import read_rows
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.lettered import options_in
from pixel_env.tasks.formats.options import is_among, open_grader, without_options, without_placeholders
from pixel_env.tasks.formats.published_paths import images_named

_VIEW = " view"  # of `_rows_of` for `_task_of`; the blank keeps it from being a column of a file
_WHOLE = ("images", "image")
_CROPS = ("crop_images", "crop_image")
_COLUMNS = frozenset(
    {
        "id",
        "query",
        "prompt",
        "response",
        "answer",
        "question_type",
        "bbox",
        "options",
        "choices",
        _VIEW,
        *_WHOLE,
        *_CROPS,
    }
)


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    has_texts = bool(columns & {"query", "prompt"}) and bool(columns & {"response", "answer"})
    return has_texts and bool(columns & set(_WHOLE)) and bool(columns & set(_CROPS))


def _rows_with(*views: str) -> Callable[[Path], Iterable[Row]]:
    def rows_of(path: Path) -> Iterable[Row]:
        for row in read_rows(path):
            for view in views:
                if row.problem or view == WHOLE_IMAGE or row.optional(*_CROPS):
                    yield replace(row, values={**row.values, _VIEW: view})

    return rows_of


def _task_of(row: Row, images: ImageFolder) -> Task:
    question = without_placeholders(row.text("query", "prompt"))
    answers = row.texts("response", "answer")
    if not question:
        raise TaskError("its query is empty")
    stem, options = without_options(question)
    in_column = row.optional("options", "choices")
    if in_column:
        stem, options = question, options_in(in_column, "options")
    if not options or not all(is_among(answer, options) for answer in answers):
        stem, options = question, ()
    view = GIVEN_CROP if row.values.get(_VIEW) == GIVEN_CROP else WHOLE_IMAGE
    columns = _CROPS if view == GIVEN_CROP else _WHOLE
    question_id = f"zoombench-{row.name('id')}"
    return Task(
        task_id=question_id if view == WHOLE_IMAGE else f"{question_id}-{view}",
        question=stem,
        answers=answers,
        sources=images_named(row.optional(*columns), columns[0], images),
        grader="choice" if options else open_grader(answers),
        options=options,
        category=str(row.optional("question_type") or ""),
        cluster=question_id,
        variant=Variant("view", question_id, view),
    )


ZOOMBENCH = Format(
    name="zoombench",
    about="ZoomBench, the whole images",
    source="utils/convert_benchmark.py of inclusionAI/Zooming-without-Zooming",
    is_verified=False,
    columns=_COLUMNS,
    recognises=_recognises,
    task_of=_task_of,
    rows_of=_rows_with(WHOLE_IMAGE),
    below=("images",),
    documented_in="docs/benchmarks.md",
)

ZOOMBENCH_CROP = replace(
    ZOOMBENCH,
    name="zoombench-crop",
    about="ZoomBench, the crops that show the evidence",
    is_by_name_only=True,  # by its columns the file is "zoombench"
    rows_of=_rows_with(GIVEN_CROP),
)

ZOOMBENCH_VIEWS = replace(
    ZOOMBENCH,
    name="zoombench-views",
    about="ZoomBench, each question with the whole image and with the crop",
    is_by_name_only=True,
    rows_of=_rows_with(WHOLE_IMAGE, GIVEN_CROP),
)
