"""Screenshots of web pages with a question, its answer and the box of the answer.

Rows of JSON, JSON lines or parquet: `image` (a path), `question`, `answer` (a text or a list of accepted texts),
`bbox` ([x0, y0, x1, y1] in pixels of the screenshot, or a list of these), and optionally `id`, `url` and `options`.
For boxes in fractions use our own JSONL with `evidence`; the unit is never guessed from the values.

Options are graded by choice, numbers as numbers, and everything else by ANLS, as usual for text in documents.

Source: none. The authors name FineWeb pages as seed data (arXiv 2505.15966) but released neither the pages nor their
schema, so that this schema is unverified. Depends on rows and boxes; independent of filters, plans and teachers.
"""

from pixel_env.errors import TaskError
from pixel_env.task import Evidence, Task
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.options import are_numbers, is_among
from synth.seed_data.regions import box_of_corners

_NEEDED = frozenset({"image", "question", "answer", "bbox"})


def _matches(columns: frozenset[str], suffix: str) -> bool:
    return columns >= _NEEDED and suffix != ".tsv"


def _task_of(row: Row, folder: ImageFolder) -> Task:
    image, answers = row.text("image"), row.texts("answer")
    options = row.texts("options") if row.optional("options") is not None else ()
    if options and (len(options) < 2 or not all(is_among(answer, options) for answer in answers)):
        raise TaskError(f"its answer {answers[0]!r} must be one of its options, and there must be at least two")
    source = folder.image(image)
    size, boxes = folder.size(image), row.value("bbox")
    several = boxes if isinstance(boxes, list) and boxes and isinstance(boxes[0], list) else [boxes]
    return Task(
        task_id=row.texts("id")[0] if row.optional("id") else f"{row.file.stem}:{row.number}",
        question=row.text("question"),
        answers=answers,
        sources=(source,),
        grader="choice" if options else "number" if are_numbers(answers) else "anls",
        options=options,
        evidence=tuple(Evidence(0, box_of_corners(corners, size)) for corners in several),
        category="webpage",
    )


WEBPAGES = Format(
    name="webpages",
    about="screenshots with question, answer and the answer's box in pixels",
    source="none: the authors' pages were not released",
    is_verified=False,
    columns=_NEEDED | {"id", "url", "options"},
    recognises=_matches,
    task_of=_task_of,
    below=("images", "screenshots"),
    documented_in="docs/synthesis.md",
)
