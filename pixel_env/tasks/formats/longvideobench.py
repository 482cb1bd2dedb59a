"""LongVideoBench: questions about videos of up to an hour, with their videos in `videos`.

Two forms. `lvb_val.json`: a list of {"id", "video_id", "video_path": "a.mp4", "question", "candidates": [...],
"correct_choice": 0, "duration_group": 600, "question_category", "topic_category", "duration", "subtitle_path",
"starting_timestamp_for_subtitles"}; the parquet of the validation split has `option0` to `option4` for `candidates`,
"N/A" where there is none. `correct_choice` counts from 0. The category is the duration group, the longest video in
seconds; a check compares `duration` with the file.
All questions about a video share a cluster. Subtitles are not used. Answers of the test split are not
published.

Source: longvideobench/longvideobench_dataset.py of longvideobench/LongVideoBench, and for the parquet
lmms_eval/tasks/longvideobench/utils.py of EvolvingLMMs-Lab/lmms-eval (commit 75571cfe).
"""

from pixel_env.dialects.wording import OPTION_LETTERS
from pixel_env.errors import TaskError
from pixel_env.task import Task
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row, is_finite, shortened
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.lettered import options_in, reference_of
from pixel_env.tasks.formats.published_paths import video_named

_NUMBERED = tuple(f"option{number}" for number in range(5))
_NO_OPTION = "N/A"
_COLUMNS = frozenset(
    {"id", "video_id", "video_path", "question", "question_wo_referring_query", "candidates", "correct_choice"}
    | {"topic_category", "question_category", "level", "duration_group", "duration", "subtitle_path", "view_count"}
    | {"starting_timestamp_for_subtitles", *_NUMBERED}
)


def _recognises(columns: frozenset[str], suffix: str) -> bool:
    has_options = bool(columns & {"candidates", _NUMBERED[0]})
    return has_options and {"question", "video_path", "duration_group"} <= columns


def _task_of(row: Row, images: ImageFolder) -> Task:
    options = _options(row)
    choice = row.optional("correct_choice")
    if choice is None:
        raise TaskError("it has no 'correct_choice': those of the test split are not published; use lvb_val.json")
    if not isinstance(choice, int) or isinstance(choice, bool) or not 0 <= choice < len(options):
        raise TaskError(f"'correct_choice' must be the number of an option from 0, got {shortened(choice)}")
    video, duration = row.text("video_path"), row.optional("duration")
    return Task(
        task_id=f"longvideobench-{row.name('id')}",
        question=row.text("question"),
        answers=(reference_of(OPTION_LETTERS[choice], options),),
        sources=video_named(video, images, stated_s=duration if is_finite(duration) else None),
        media="video",
        grader="choice",
        options=options,
        category=f"up to {row.value('duration_group')} s",
        cluster=video,
    )


def _options(row: Row) -> tuple[str, ...]:
    if row.optional("candidates") is not None:
        return options_in(row.optional("candidates"), "candidates")
    given = [row.optional(name) for name in _NUMBERED]
    return options_in([text for text in given if text is not None and text != _NO_OPTION], "option0")


LONGVIDEOBENCH = Format(
    name="longvideobench",
    about="LongVideoBench, its validation set",
    source="longvideobench_dataset.py of longvideobench/LongVideoBench",
    is_verified=True,
    columns=_COLUMNS,
    recognises=_recognises,
    task_of=_task_of,
    below=("videos", "video"),
    test_word="val",
    preferred_suffix=".json",
    documented_in="docs/benchmarks.md",
)
