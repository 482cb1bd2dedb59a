"""`SelectFrames`: look at frames of the video, larger."""

from collections.abc import Sequence
from dataclasses import dataclass

from pixel_env.failures import Failure, FailureCode
from pixel_env.operations.argument_kinds import FrameNumbers
from pixel_env.operations.arguments import argument
from pixel_env.operations.operation import Operation, OperationRule
from pixel_env.task import Task
from pixel_env.views import View, ViewKind


@dataclass(frozen=True, slots=True)
class SelectFrames(Operation):
    """Look at these frames (from 0) of the video, larger: 1 to `max_frames` of them, repeated ones are allowed."""

    name = "select_frames"
    description = "Look at frames of the video, larger."
    observation = "Here are the selected frames (images {first} to {last}):"

    frames: tuple[int, ...] = argument(FrameNumbers())

    def run(self, views: Sequence[View], task: Task, rule: OperationRule) -> tuple[View, ...] | Failure:
        """The frames in the order of the call. Failures: not_a_video, no_frames, too_many_frames, no_such_frame."""
        first, count = rule.first_index, len(task.sources)
        if task.media != "video":
            return Failure(FailureCode.NOT_A_VIDEO, "Frames can be selected from a video only; crop the image instead.")
        if not self.frames:
            return Failure(FailureCode.NO_FRAMES, f"No frame was named; name 1 to {rule.max_frames} frames.")
        if len(self.frames) > rule.max_frames:
            return Failure(
                FailureCode.TOO_MANY_FRAMES,
                f"{len(self.frames)} frames were selected; at most {rule.max_frames} are allowed.",
            )
        if not all(0 <= frame < count for frame in self.frames):
            return Failure(
                FailureCode.NO_SUCH_FRAME,
                f"A frame does not exist; frames are numbered {first} to {first + count - 1}.",
            )
        return tuple(View(task.sources[frame], ViewKind.SELECTED_FRAME) for frame in self.frames)

    def shown(self) -> str:
        """For people; frames count from 1."""
        return f"select frames {' '.join(str(frame + 1) for frame in self.frames)}"
