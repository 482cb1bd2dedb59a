"""LVBench: questions about videos of half an hour to two hours.

Two forms. The authors' `video_info.meta.jsonl`: a line per video, {"key": the video's name, "type": "cartoon",
"video_info", "qa": [{"uid", "question", "answer": "B", "question_type": [...], "time_reference"}]}; and lmms-lab's
parquet with a row per question: `key`, `type`, `uid`, `video_path`, `question`, `answer`, `question_type`,
`time_reference`. The options are lines of the question, "(A) one". The videos come apart from the questions: they are
`videos/KEY.mp4` (or in `all_videos`). A question has several types, which its category joins with " + ". All questions
about a video share a cluster. `time_reference`, where the answer is seen, is not used.

Source: README, lvbench/metrics/compute_accuracy.py and scripts/ of THUDM/LVBench and loaders of others for the
questions' texts; lmms_eval/tasks/lvbench/utils.py of EvolvingLMMs-Lab/lmms-eval (commit 75571cfe). The file itself was
not available: unverified.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.task import Task
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row, shortened
from pixel_env.tasks.files.rows import read_rows
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.lettered import options_in, reference_of
from pixel_env.tasks.formats.options import without_options
from pixel_env.tasks.formats.published_paths import video_named

_PER_VIDEO = frozenset({"key", "type", "qa", "video_info"})
_PER_QUESTION = frozenset(
    {"id", "key", "type", "uid", "video", "video_path", "question", "options", "answer", "question_type"}
    | {"time_reference", "video_info"}
)


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    is_per_question = {"uid", "question", "answer", "question_type", "time_reference"} <= columns
    return {"key", "qa"} <= columns or (is_per_question and bool(columns & {"key", "video_path"}))


def _rows_of(path: Path) -> Iterable[Row]:
    """A row per question. The questions of a line are its rows "line 3, question 2"."""
    number = 0
    for line in read_rows(path):
        if line.problem or line.optional("qa") is None:
            number += 1
            yield replace(line, number=number)
            continue
        asked = line.values["qa"] if isinstance(line.values["qa"], list) else [line.values["qa"]]
        shared = {name: value for name, value in line.values.items() if name != "qa"}
        for place, question in enumerate(asked, start=1):
            number += 1
            location = f"{line.location}, question {place}"
            if isinstance(question, Mapping):
                yield Row(path, number, location, {**shared, **question})
            else:
                yield Row(path, number, location, problem=f"'qa' must hold objects, got {shortened(question)}")


def _task_of(row: Row, images: ImageFolder) -> Task:
    question, options = without_options(row.text("question"))
    if row.optional("options") is not None:
        question, options = row.text("question"), options_in(row.optional("options"), "options")
    if not options:
        raise TaskError(f"its question holds no options (A), (B), ...: {shortened(row.text('question'))}")
    answer = reference_of(row.text("answer"), options)
    video = row.text("video_path", "key")
    return Task(
        task_id=f"lvbench-{row.name('uid')}",
        question=question,
        answers=(answer,),
        sources=video_named(video, images),
        media="video",
        grader="choice",
        options=options,
        category=" + ".join(row.texts("question_type")) if row.optional("question_type") else "",
        cluster=video,
    )


LVBENCH = Format(
    name="lvbench",
    about="LVBench, with its videos",
    source="README and scripts of THUDM/LVBench; lmms_eval/tasks/lvbench of EvolvingLMMs-Lab/lmms-eval",
    is_verified=False,
    columns=_PER_VIDEO | _PER_QUESTION,
    recognises=_recognises,
    task_of=_task_of,
    rows_of=_rows_of,
    below=("videos", "all_videos", "video", "data"),
    documented_in="docs/benchmarks.md",
)
