"""STAR: questions about videos of Charades, each with the time span that shows its answer.

A list of {question_id: "Interaction_T1_13", question, video_id: "6H78U", start, end (seconds), answer (the text of one
choice), choices: [{choice_id, choice, ...}], ...}; the test file has no answers. Videos are VIDEO_ID.mp4 in
`Charades_v1_480` or `videos` beside the file, or directly beside it.

A task shows 16 evenly spaced frames of the whole video; its evidence are the frames between `start` and `end`, possibly
none. The kind of question (Interaction, Sequence, Prediction, Feasibility) is the category. Time stamps need the number
of frames of the video, so that a decoder must be installed.

Source: code/visualization_tools/qa_visualization.py of csbobby/STAR_Benchmark, which reads these keys. Depends on rows
and video frames; independent of filters, plans and teachers.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pixel_env.boxes import FULL
from pixel_env.errors import MediaError, TaskError
from pixel_env.frame_times import spread
from pixel_env.media.videos.clips import times_of
from pixel_env.task import VIDEO_FRAMES, Evidence, Task
from pixel_env.tasks.files.clips import clip_frames
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row, is_finite, shortened
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.options import is_among

_NEEDED = frozenset({"question_id", "question", "video_id", "start", "end", "choices"})


def frames_between(times_s: Sequence[float], start_s: float, end_s: float) -> tuple[int, ...]:
    """The indices of the frames from `start_s` to `end_s`, both included."""
    return tuple(number for number, time_s in enumerate(times_s) if start_s <= time_s <= end_s)


def shown_times(path: Path) -> tuple[float, ...]:
    """When each of the 16 frames of a task begins, in seconds, by the times in the file. Raises MediaError."""
    times = times_of(path)
    begins_s = [times.begin_of(number) for number in spread(0, times.count - 1, VIDEO_FRAMES)]
    if None in begins_s:
        raise MediaError(f"the video {path} has no times, so that its evidence in seconds cannot be found")
    return tuple(begin_s for begin_s in begins_s if begin_s is not None)


def _matches(columns: frozenset[str], suffix: str) -> bool:
    return columns >= _NEEDED


def _task_of(row: Row, folder: ImageFolder) -> Task:
    options, answer = _choices(row), row.text("answer")
    if len(options) < 2 or not is_among(answer, options):
        raise TaskError(f"its answer {answer!r} is not one of the choices {shortened(options)}")
    start_s, end_s = _seconds(row)
    path = Path(folder.path(f"{row.text('video_id')}.mp4", "video"))
    try:
        frames = frames_between(shown_times(path), start_s, end_s)
    except MediaError as error:
        raise TaskError(str(error)) from error
    name = row.text("question_id")
    return Task(
        task_id=f"star-{name}",
        question=row.text("question"),
        answers=(answer,),
        sources=clip_frames(path),
        media="video",
        grader="choice",
        options=options,
        evidence=tuple(Evidence(frame, FULL) for frame in frames),
        category=name.partition("_")[0],
    )


def _choices(row: Row) -> tuple[str, ...]:
    choices = row.value("choices")
    if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
        raise TaskError(f"'choices' must be a list of {{choice_id, choice}}, got {shortened(choices)}")
    return tuple(replace(row, values=choice).text("choice") for choice in choices)


def _seconds(row: Row) -> tuple[float, float]:
    start_s, end_s = row.value("start"), row.value("end")
    if not is_finite(start_s) or not is_finite(end_s) or not 0 <= start_s < end_s:
        raise TaskError(f"'start' and 'end' must be seconds, with start before end, got {shortened((start_s, end_s))}")
    return float(start_s), float(end_s)


STAR = Format(
    name="star",
    about="STAR: questions about videos, with the seconds of the evidence",
    source="qa_visualization.py of csbobby/STAR_Benchmark",
    is_verified=True,
    columns=_NEEDED | {"answer", "question_program", "situations"},
    recognises=_matches,
    task_of=_task_of,
    below=("Charades_v1_480", "videos"),
    test_word="val",
    documented_in="docs/synthesis.md",
)
