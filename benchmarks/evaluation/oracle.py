"""The oracle: a scripted player that crops or selects the evidence and gives the right answer.

Its score is the highest that the questions and the environment allow. Depends on tasks, dialects and the window around
the evidence that the trace templates use; independent of models and policies.
"""

from collections.abc import Sequence

from agents.rollout import EpisodeSettings
from benchmarks.evaluation.oracle_frames import OTHERS, frames_shown, showing
from pixel_env.actions import sizes_for, write
from pixel_env.boxes import FULL
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Action, Answer
from pixel_env.errors import ConfigError
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.operation import Operation
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.operations.select_range import SelectRange
from pixel_env.operations.select_segment import SelectSegment
from pixel_env.task import Task
from pixel_env.tasks.files.clips import evenly
from pixel_env.views import View, ViewKind
from synth.plans.windows import right_window

NEEDS_EVIDENCE = (
    "The oracle needs tasks with evidence: add 'evidence' to the rows, or use another --engine and --model."
)
"""The way out of a task that the oracle cannot play."""


def oracle_turns(task: Task, settings: EpisodeSettings) -> list[str]:
    """The texts of the oracle's turns: its operations, then the answer. Raises ConfigError as the two functions do."""
    return [*oracle_operations(task, settings), oracle_answer(task, settings)]


def oracle_operations(task: Task, settings: EpisodeSettings) -> list[str]:
    """The oracle's calls, limited so that a turn remains for the answer and the image budget holds.

    For images: a crop around each evidence box. For a video: the frames of the evidence, then a crop around the first
    box. Raises ConfigError for a task without evidence, and for an operation that the dialect cannot express.
    """
    if not task.evidence:
        raise ConfigError(f"the task {task.task_id!r} has no evidence box. {NEEDS_EVIDENCE}")
    room = settings.limits.max_images - (1 if task.media == "video" else len(task.sources))
    frames = _frames(task, settings)[: max(room, 0)]
    views = [*task.opening_views, *(View(task.sources[frame], ViewKind.SELECTED_FRAME) for frame in frames)]
    operations = _video_operations(task, frames, settings.dialect) if task.media == "video" else _crops(task)
    affordable = _affordable(operations[: settings.limits.max_turns - 1], room, task, settings.dialect)
    return [_written(operation, views, task, settings) for operation in affordable]


def oracle_answer(task: Task, settings: EpisodeSettings) -> str:
    """The right answer, as the dialect writes it. Raises ConfigError for a question that has none."""
    if not task.answers:
        raise ConfigError(
            f"the task {task.task_id!r} has no reference answer, which the oracle needs. Add one to its row."
        )
    return write(Answer(task.answers[0]), settings.dialect)


def _frames(task: Task, settings: EpisodeSettings) -> list[int]:
    """Indices of the evidence frames to select, always including the first; none for tasks of images."""
    if task.media != "video":
        return []
    return evenly(list(dict.fromkeys(item.image for item in task.evidence)), settings.dialect.max_frames)


def _crops(task: Task) -> Sequence[Operation]:
    return list(dict.fromkeys(CropImage(item.image, right_window(item.box)) for item in task.evidence))


def _video_operations(task: Task, frames: Sequence[int], dialect: Dialect) -> Sequence[Operation]:
    if not frames:
        return []
    selections = showing(task, frames, dialect)
    if not any(map(dialect.can_call, OTHERS)):
        # The selected frames are numbered after the video's own, and the first one is that of the first evidence.
        shown: Sequence[int | None] = frames
    else:
        shown = [frame for selection in selections for frame in frames_shown(selection, task, dialect)]
        if task.evidence[0].image not in shown or not dialect.can_call(CropImage.name):
            return selections
    crop = CropImage(len(task.sources) + shown.index(task.evidence[0].image), right_window(task.evidence[0].box))
    return [*selections, *([crop] if crop.box != FULL else [])]


def _affordable(operations: Sequence[Operation], room: int, task: Task, dialect: Dialect) -> list[Operation]:
    """The first operations that together bring at most `room` images."""
    kept = []
    for operation in operations:
        match operation:
            case SelectFrames(frames):
                room -= len(frames)
            case SelectSegment() | SelectRange():
                room -= len(frames_shown(operation, task, dialect))
            case _:
                room -= 1
        if room < 0:
            break
        kept.append(operation)
    return kept


def _written(operation: Action, views: Sequence[View], task: Task, settings: EpisodeSettings) -> str:
    try:
        return write(operation, settings.dialect, *sizes_for(settings.dialect, views, settings.budgets))
    except ValueError as error:
        raise ConfigError(
            f"the oracle's operation for the task {task.task_id!r} cannot be written: {error}. Give another --dialect."
        ) from error
