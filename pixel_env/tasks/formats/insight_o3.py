"""The annotation files of InSight-o3, one schema for several sets: a JSON object per line, images beside it.

A row has `question`, `answer`, `image` (or `file_name`), optionally `options` (lines "A. one" or "(A) one"), `category`
(or `subset`), `question_id`, and `target_instances`: boxes [x0, y0, x1, y1] in pixels of what is asked about, which
become evidence. O3-Bench has `layout_infos` ({number: {"bbox": [x0, y0, x1, y1]}}) instead, of which `target_layouts`
are the evidence, and `explanation`, which is not used. Published so are V*, HR-Bench 4K, TreeBench, VisualProbe-Hard
and MME-RealWorld-Lite (annotations alone: the images come from each set) and O3-Bench (`test/metadata.jsonl`).

With options `answer` is a letter and graded by choice; otherwise it is graded as a number if it is one, else exactly.
In a file in which every question comes once per order of its options (HR-Bench), these rows are variants of one
question. Rows that show one image share a cluster.

Source: data/README.md, the five files in data/ and insight_o3/scripts/evaluate.py of m-Just/InSight-o3 (commit
21acec87); for O3-Bench notebooks/visualize_o3_bench.ipynb there, since its own files were not available.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pixel_env.errors import TaskError
from pixel_env.task import Evidence, Task, Variant
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row, shortened
from pixel_env.tasks.files.rows import read_rows
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.lettered import options_in, reference_of
from pixel_env.tasks.formats.options import open_grader, without_placeholders
from pixel_env.tasks.formats.pixel_boxes import corners_in, evidence_of
from pixel_env.tasks.formats.published_paths import images_named
from pixel_env.tasks.formats.rotations import Asked, are_all_rotated, rotations
from pixel_env.views import Source

_VARIANT = " variant"  # of `_rows_of` for `_task_of`; the blank keeps it from being a column of a file
_COLUMNS = frozenset(
    {"question", "answer", "image", "file_name", "options", "category", "subset", "question_id", "target_instances"}
    | {"layout_infos", "target_layouts", "explanation", _VARIANT}
)


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    if suffix != ".jsonl" or not {"question", "answer"} <= columns or not columns & {"image", "file_name"}:
        return False
    is_grouped = bool(columns & {"category", "subset"})
    return is_grouped and bool(columns & {"question_id", "subset", "file_name", "target_instances", "target_layouts"})


def _rows_of(path: Path) -> Iterable[Row]:
    """The rows, those of a file that rotates its options with the variant that each is."""
    rows = list(read_rows(path))
    variants = _variants(rows)
    for row in rows:
        yield row if row.number not in variants else replace(row, values={**row.values, _VARIANT: variants[row.number]})


def _variants(rows: Iterable[Row]) -> dict[int, Variant]:
    asked: dict[int, Asked] = {}
    for row in rows:
        options = _readable_options(row)
        if not options:
            return {}
        asked[row.number] = Asked(str(row.optional("question")), options, _right(row, options))
    numbers = rotations(asked.values())
    if not are_all_rotated(numbers, list(asked.values())):
        return {}
    names = ((f"question-{question}", str(rotation)) for question, rotation in numbers)
    return {row: Variant("rotation", *name) for row, name in zip(asked, names, strict=True)}


def _readable_options(row: Row) -> tuple[str, ...]:
    try:
        return _options(row)
    except TaskError:  # the reading of the row itself reports it
        return ()


def _options(row: Row) -> tuple[str, ...]:
    return () if row.optional("options") is None else options_in(row.optional("options"), "options")


def _right(row: Row, options: tuple[str, ...]) -> str:
    answer = str(row.optional("answer")).strip()
    place = ord(answer) - ord("A") if len(answer) == 1 else -1
    return options[place] if 0 <= place < len(options) else answer


def _task_of(row: Row, images: ImageFolder) -> Task:
    question = without_placeholders(row.text("question"))
    if not question:
        raise TaskError("its question is empty")
    options, answers = _options(row), row.texts("answer")
    if options:
        answers = (reference_of(answers[0], options),)
    name = row.value("image", "file_name")
    sources = images_named(name, "image", images)
    found = row.values.get(_VARIANT)
    variant = found if isinstance(found, Variant) else None
    return Task(
        task_id=f"{row.file.stem}-{row.name('question_id')}",
        question=question,
        answers=answers,
        sources=sources,
        grader="choice" if options else open_grader(answers),
        options=options,
        evidence=_evidence(row, sources, images),
        category=str(row.optional("category", "subset") or ""),
        cluster=variant.question_id if variant else str(name),
        variant=variant,
    )


def _evidence(row: Row, sources: tuple[Source, ...], images: ImageFolder) -> tuple[Evidence, ...]:
    boxes = row.optional("target_instances")
    if boxes is not None:
        return evidence_of(corners_in(boxes, "target_instances"), sources, images, "target_instances")
    targets, layouts = row.optional("target_layouts"), row.optional("layout_infos")
    if targets is None or layouts is None:
        return ()
    if not isinstance(targets, list) or not isinstance(layouts, Mapping):
        raise TaskError(f"'target_layouts' must be a list of keys of 'layout_infos', got {shortened(targets)}")
    boxes = [_box(layouts.get(str(target)), target) for target in targets]
    return evidence_of(corners_in(boxes, "layout_infos"), sources, images, "layout_infos")


def _box(layout: Any, target: object) -> object:
    if not isinstance(layout, Mapping) or "bbox" not in layout:
        raise TaskError(f"'layout_infos' has no box for the target {shortened(target)}")
    return layout["bbox"]


INSIGHT_O3 = Format(
    name="insight-o3",
    about="annotations in the schema of InSight-o3 and O3-Bench, images beside them",
    source="data/README.md of m-Just/InSight-o3",
    is_verified=True,
    columns=_COLUMNS,
    recognises=_recognises,
    task_of=_task_of,
    rows_of=_rows_of,
    below=("images", "images_4k", "images_8k", "imgs", "data"),
    documented_in="docs/benchmarks.md",
)
