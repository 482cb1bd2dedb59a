"""CharXiv, its reasoning questions: open questions about charts of scientific papers.

Two forms. The authors' repository: `reasoning_val.json`, an object by figure of {"figure_id", "query", "answer",
"inst_category", "qa_source"}, with `images/FIGURE.jpg` from images.zip. The published parquet: `image` (embedded),
`figure_path`, `reasoning_q`, `reasoning_a`, `reasoning_a_type` and columns of the descriptive questions, which are not
read. The type of the answer (1 to 4) is the category: text in the chart, text in general, number in the chart, number
in general.

The authors let GPT-4o judge each answer. Here an answer of the types 3 and 4 that is a number is graded as one, all
others exactly; a judge is a matter of the evaluation. As the authors' prompt does, a question of type 4 says how many
decimal places its answer has. Answers of the test split are not published.

Source: data/reasoning_val.json, src/reasoning_utils.py and README of princeton-nlp/CharXiv (commit 7ebe88f7); the
columns of the parquet by loaders of others: unverified.
"""

from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.task import Task
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row, shortened
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.options import are_numbers, open_grader
from pixel_env.tasks.formats.published_paths import images_named

_CATEGORIES = {1: "text-in-chart", 2: "text-in-general", 3: "number-in-chart", 4: "number-in-general"}
_JSON = frozenset({"figure_id", "query", "answer", "inst_category", "qa_source"})
_PARQUET = frozenset({"image", "figure_path", "reasoning_q", "reasoning_a", "reasoning_a_type", "reasoning_q_source"})
_UNUSED = frozenset(
    {"category", "year", "original_figure_path", "original_id", "num_subplots", "subplot_row", "subplot_col"}
    | {"subplot_loc"}
    | {f"descriptive_{kind}{number}" for kind in "qa" for number in range(1, 5)}
)


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    return _JSON - {"answer", "qa_source"} <= columns or {"reasoning_q", "reasoning_a_type", "figure_path"} <= columns


def _root_of(file: Path) -> Path:
    """In the authors' repository the images are beside the folder of the questions."""
    is_apart = file.parent.name == "data" and not (file.parent / "images").is_dir()
    return file.parent.parent if is_apart and file.suffix == ".json" else file.parent


def _task_of(row: Row, images: ImageFolder) -> Task:
    kind = row.value("inst_category", "reasoning_a_type")
    if not isinstance(kind, int) or kind not in _CATEGORIES:
        raise TaskError(f"'inst_category' must be 1, 2, 3 or 4, got {shortened(kind)}")
    if row.optional("answer", "reasoning_a") is None:
        raise TaskError("it has no answer: those of the test split are not published; use the validation file")
    answers = row.texts("answer", "reasoning_a")
    image = row.optional("image", "figure_path")
    return Task(
        task_id=f"charxiv-{row.name('figure_id', 'figure_path')}",
        question=" ".join(filter(None, (row.text("query", "reasoning_q"), _asked_for(kind, answers[0])))),
        answers=answers,
        sources=images_named(f"{row.value('figure_id')}.jpg" if image is None else image, "image", images),
        grader=open_grader(answers) if kind in (3, 4) else "exact",
        category=_CATEGORIES[kind],
    )


def _asked_for(kind: int, answer: str) -> str:
    """How precise the answer is to be: a number that is computed could be given with any number of places."""
    if kind != 4 or not are_numbers((answer,)):
        return ""
    places = len(answer.partition(".")[2])
    return (
        f"Give a number with {places} decimal place{'s' if places > 1 else ''}." if places else "Give a whole number."
    )


CHARXIV = Format(
    name="charxiv-reasoning",
    about="CharXiv, its reasoning questions",
    source="src/reasoning_utils.py of princeton-nlp/CharXiv",
    is_verified=True,
    columns=_JSON | _PARQUET | _UNUSED,
    recognises=_recognises,
    task_of=_task_of,
    root_of=_root_of,
    below=("images",),
    test_word="val",
    documented_in="docs/benchmarks.md",
)
