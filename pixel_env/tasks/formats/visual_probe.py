r"""Mini-o3's JSON: VisualProbe (easy, medium, hard), and its other sets of the same schema.

A list of {"images": ["VisualProbe_Hard/data/1.jpg"], "problem": "<image>\n...", "solution": "white", "doc_id": ...,
"data_source": "visual_probe_hard"}. Image paths begin with the repository's name, which a download lacks. `solution`
is an open answer, graded as a number if it is one, else exactly; `data_source` is the category. A problem with lettered
options whose letter is the solution (V* in this schema) is graded by choice.

Source: docs/mini_o3_demo.md, verl/utils/dataset/multimodal_dataset.py and verl/utils/reward_score/__init__.py of
Mini-o3/Mini-o3 (commit 8654dbf4), and the questions and answers of VisualProbe-Hard in m-Just/InSight-o3; the files
themselves were not available.
"""

from pixel_env.errors import TaskError
from pixel_env.task import Task
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.options import is_among, open_grader, without_options, without_placeholders
from pixel_env.tasks.formats.published_paths import images_named

_COLUMNS = frozenset({"images", "problem", "solution", "doc_id", "data_source"})


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    return suffix in (".json", ".jsonl") and {"images", "problem", "solution", "data_source"} <= columns


def _task_of(row: Row, images: ImageFolder) -> Task:
    question = without_placeholders(row.text("problem"))
    answers = row.texts("solution")
    if not question:
        raise TaskError("its problem is empty")
    stem, options = without_options(question)
    if not options or not all(is_among(answer, options) for answer in answers):
        stem, options = question, ()
    category = str(row.optional("data_source") or "")
    return Task(
        task_id=f"{category}-{row.name('doc_id')}",
        question=stem,
        answers=answers,
        sources=images_named(row.optional("images"), "images", images),
        grader="choice" if options else open_grader(answers),
        options=options,
        category=category,
        cluster=str(row.optional("images")),
    )


VISUAL_PROBE = Format(
    name="visual-probe",
    about="VisualProbe and the other sets of Mini-o3 (val.json)",
    source="docs/mini_o3_demo.md of Mini-o3/Mini-o3",
    is_verified=True,
    columns=_COLUMNS,
    recognises=_recognises,
    task_of=_task_of,
    below=("data", "images"),
    test_word="val",
    documented_in="docs/benchmarks.md",
)
