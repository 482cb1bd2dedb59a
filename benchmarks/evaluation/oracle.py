"""The oracle: it knows where the evidence is, looks there, and gives the right answer.

A player without a model: what it scores is what the questions and the environment allow. Knows tasks, dialects and the
window that the trace templates call the right one. Knows nothing of policies.
"""

from collections.abc import Sequence

from agents.rollout import EpisodeSettings
from pixel_env.actions import write
from pixel_env.boxes import FULL
from pixel_env.episode import Action, Answer
from pixel_env.errors import ConfigError
from pixel_env.media.images import shown_size
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import Task
from pixel_env.tasks.files.clips import evenly
from pixel_env.views import View, ViewKind
from synth.plans.windows import right_window


def oracle_turns(task: Task, settings: EpisodeSettings) -> list[str]:
    """What the oracle writes, turn by turn: its looks, then the answer. Raises ConfigError as they do."""
    return [*oracle_looks(task, settings), oracle_answer(task, settings)]


def oracle_looks(task: Task, settings: EpisodeSettings) -> list[str]:
    """Its calls, as many as leave a turn for the answer and room for their pictures.

    Of pictures: a crop around each evidence box. Of a video: the frames of the evidence, then a crop around the first
    box. Raises ConfigError for a task without evidence, and for a look that the dialect cannot say.
    """
    if not task.evidence:
        raise ConfigError(
            f"the task {task.task_id!r} has no evidence box, so nobody knows where an oracle would look. "
            "Add 'evidence' to its row, or leave the oracle out."
        )
    room = settings.limits.max_images - (1 if task.media == "video" else len(task.sources))
    frames = _frames(task, settings)[: max(room, 0)]
    views = [*task.opening_views, *(View(task.sources[frame], ViewKind.SELECTED_FRAME) for frame in frames)]
    looks = (_video_looks(task, frames) if task.media == "video" else _crops(task))[: settings.limits.max_turns - 1]
    return [_written(look, views, task, settings) for look in _affordable(looks, room)]


def oracle_answer(task: Task, settings: EpisodeSettings) -> str:
    """The right answer, as the dialect writes it. Raises ConfigError for a question that has none."""
    if not task.answers:
        raise ConfigError(
            f"the task {task.task_id!r} has no answer, which an oracle would have to give; add one to its row"
        )
    return write(Answer(task.answers[0]), settings.dialect)


def _frames(task: Task, settings: EpisodeSettings) -> list[int]:
    """The frames of the evidence that are selected, the first one always among them; none of pictures."""
    if task.media != "video":
        return []
    return evenly(list(dict.fromkeys(item.image for item in task.evidence)), settings.dialect.max_frames)


def _crops(task: Task) -> Sequence[Action]:
    return list(dict.fromkeys(CropImage(item.image, right_window(item.box)) for item in task.evidence))


def _video_looks(task: Task, frames: Sequence[int]) -> Sequence[Action]:
    # The selected frames are numbered after the video's own, and the first one is that of the first evidence.
    crop = CropImage(len(task.sources), right_window(task.evidence[0].box))
    return [SelectFrames(tuple(frames)), *([crop] if crop.box != FULL else [])] if frames else []


def _affordable(looks: Sequence[Action], room: int) -> list[Action]:
    """The first looks whose pictures, together, are at most `room`."""
    kept = []
    for look in looks:
        room -= len(look.frames) if isinstance(look, SelectFrames) else 1
        if room < 0:
            break
        kept.append(look)
    return kept


def _written(look: Action, views: Sequence[View], task: Task, settings: EpisodeSettings) -> str:
    in_pixels = settings.dialect.coordinates.unit == "pixel"
    sizes = [shown_size(view, settings.budgets) for view in views] if in_pixels else []
    try:
        return write(look, settings.dialect, sizes)
    except ValueError as error:
        raise ConfigError(
            f"an oracle cannot look where the answer to {task.task_id!r} is: {error}. Give another --dialect."
        ) from error
