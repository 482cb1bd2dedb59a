"""TallyQA's JSON: a list of {answer, data_source, image, image_id, issimple, question, question_id}.

`answer` is a count; `image` a path such as VG_100K_2/2410408.jpg below the file's folder, or below `images` in it;
`issimple` divides the questions: the benchmark of the paper, TallyQA-Complex, has those of the category "complex".
"tallyqa-complex:PATH" reads only these.

The hub's copy with the images inside (vikhyatk/tallyqa-test) has one row an image, `image` and `qa`: a list of
{question, answer, is_simple, data_source}; each of them is a task, and those of an image are a cluster.

Source: the README of manoja328/TallyQA_dataset; loaders of the hub's copy that read its shards and the fields of `qa`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.task import Task
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row, shortened
from pixel_env.tasks.files.rows import read_rows
from pixel_env.tasks.formats.format import Format

_COLUMNS = frozenset(
    {"answer", "data_source", "image", "image_id", "issimple", "question", "question_id", "is_simple", "qa"}
)

_LONGEST_COUNT = 9  # digits


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    is_original = {"question", "answer", "image", "issimple", "question_id"} <= columns and suffix != ".tsv"
    return is_original or {"image", "qa"} <= columns


def _rows_of(path: Path) -> Iterator[Row]:
    """The rows; a row with several questions about its image becomes one row for each."""
    for row in read_rows(path):
        questions = row.values.get("qa")
        if not isinstance(questions, list):
            yield row
            continue
        name = f"{row.file.stem}:{row.number}"
        for number, asked in enumerate(questions):
            if not isinstance(asked, dict):
                yield replace(row, problem=f"'qa' must be a list of objects, got {shortened(questions)}")
                break
            is_simple = asked.get("is_simple", asked.get("issimple"))
            own = {"issimple": is_simple, "question_id": f"{name}-{number}", "image_id": name}
            yield replace(row, values={"image": row.values.get("image"), **asked, **own})


def _task_of(row: Row, images: ImageFolder) -> Task:
    count, is_simple = row.value("answer"), row.value("issimple")
    if isinstance(count, str) and count.isdecimal() and len(count) <= _LONGEST_COUNT:
        count = int(count)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise TaskError(f"'answer' must be a count, got {shortened(count)}")
    if not isinstance(is_simple, bool):
        raise TaskError(f"'issimple' must be true or false, got {shortened(is_simple)}")
    return Task(
        task_id=f"tallyqa-{row.value('question_id')}",
        question=row.text("question"),
        answers=(str(count),),
        sources=images.sources(row.value("image")),
        grader="number",
        category="simple" if is_simple else "complex",
        cluster=f"tallyqa-{row.optional('image_id') or row.optional('image')}",
    )


def _complex_rows(path: Path) -> Iterable[Row]:
    return (row for row in _rows_of(path) if row.values.get("issimple") is not True)


TALLYQA = Format(
    name="tallyqa",
    about="TallyQA's JSON, simple and complex questions as categories",
    source="README of manoja328/TallyQA_dataset",
    is_verified=True,
    columns=_COLUMNS,
    recognises=_recognises,
    task_of=_task_of,
    rows_of=_rows_of,
    below=("images",),
    documented_in="docs/tasks.md",
)

TALLYQA_COMPLEX = replace(
    TALLYQA,
    name="tallyqa-complex",
    about="TallyQA's JSON, only its complex questions",
    is_by_name_only=True,  # by its columns the file is "tallyqa"
    rows_of=_complex_rows,
)
