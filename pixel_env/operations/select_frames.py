"""`SelectFrames`: look closer at frames of the video."""

from dataclasses import dataclass

from pixel_env.dialects.table import Dialect
from pixel_env.failures import Failure, FailureCode
from pixel_env.task import Task
from pixel_env.views import View, ViewKind


@dataclass(frozen=True, slots=True)
class SelectFrames:
    """Look at these frames (from 0) of the video, larger."""

    frames: tuple[int, ...]


def select_frames(action: SelectFrames, task: Task, dialect: Dialect) -> tuple[View, ...] | Failure:
    """The frames that `action` asks for, in the order in which it names them."""
    first, count = dialect.first_index, len(task.sources)
    if task.media != "video":
        return Failure(FailureCode.NOT_A_VIDEO, "Frames can be selected from a video only; crop the image instead.")
    if not action.frames:
        return Failure(FailureCode.NO_FRAMES, f"No frame was named; name 1 to {dialect.max_frames} frames.")
    if len(action.frames) > dialect.max_frames:
        return Failure(
            FailureCode.TOO_MANY_FRAMES,
            f"{len(action.frames)} frames were selected; at most {dialect.max_frames} are allowed.",
        )
    if not all(0 <= frame < count for frame in action.frames):
        return Failure(
            FailureCode.NO_SUCH_FRAME, f"A frame does not exist; frames are numbered {first} to {first + count - 1}."
        )
    return tuple(View(task.sources[frame], ViewKind.SELECTED_FRAME) for frame in action.frames)
