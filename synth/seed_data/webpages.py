"""Screenshots of web pages with a question, its answer and the box in which the answer stands.

Rows of JSON, JSON lines or parquet: `image` (a path), `question`, `answer` (a text or a list of texts that all count),
`bbox` ([x0, y0, x1, y1] in pixels of the screenshot, or a list of these), and optionally `id`, `url` and `options`.
Boxes in fractions are given in our own JSONL as `evidence`; which of the two is meant is never guessed from the values.

Options are graded by choice, numbers as numbers, everything else by ANLS, as text that is read from documents is.

Source: none. The authors name FineWeb pages as seeds (arXiv 2505.15966) and released neither them nor their schema, so
this one is unverified.
"""

from pixel_env.errors import TaskError
from pixel_env.task import Evidence, Task
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.options import are_numbers, is_among
from synth.seed_data.regions import box_of_corners

_NEEDED = frozenset({"image", "question", "answer", "bbox"})


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    return columns >= _NEEDED and suffix != ".tsv"


def _task_of(row: Row, pictures: ImageFolder) -> Task:
    image, answers = row.text("image"), row.texts("answer")
    options = row.texts("options") if row.optional("options") is not None else ()
    if options and (len(options) < 2 or not all(is_among(answer, options) for answer in answers)):
        raise TaskError(f"its answer {answers[0]!r} is none of its options, or there is one option only")
    source = pictures.image(image)
    size, boxes = pictures.size(image), row.value("bbox")
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
    recognises=_recognises,
    task_of=_task_of,
    below=("images", "screenshots"),
    documented_in="docs/synthesis.md",
)
