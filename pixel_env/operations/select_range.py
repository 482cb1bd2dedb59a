"""`SelectRange`: look at evenly spaced frames between two frames of the video."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from pixel_env.failures import Failure, FailureCode
from pixel_env.operations.arguments import Drawing, argument
from pixel_env.operations.operation import Operation, OperationRule
from pixel_env.operations.select_segment import selected
from pixel_env.operations.time_arguments import FrameNumber
from pixel_env.task import Task
from pixel_env.timeline import timeline_of
from pixel_env.views import View


@dataclass(frozen=True, slots=True)
class SelectRange(Operation):
    """Look at up to `max_frames` evenly spaced frames from frame `first` to frame `last` (from 0) of the video.

    The numbers are those of all frames of the file, whether or not the overview shows them; of separate images, their
    order. How the frames are spaced is the dialect's `FrameRule`.
    """

    name = "select_range"
    description = "Look at evenly spaced frames between two frames of the video."
    observation = "Here are the frames of the range (images {first} to {last}):"

    first: int = argument(FrameNumber("first_frame", "Number of the first frame."))
    last: int = argument(FrameNumber("last_frame", "Number of the last frame."))

    def run(self, views: Sequence[View], task: Task, rule: OperationRule) -> tuple[View, ...] | Failure:
        """The frames in order. Failures: not_a_video, no_such_frame, no_frames."""
        timeline = timeline_of(task)
        if timeline is None:
            return Failure(FailureCode.NOT_A_VIDEO, "There is no video here; look at the images instead.")
        numbers = rule.frames.range(self.first, self.last, timeline, rule.max_frames, rule.first_index)
        return numbers if isinstance(numbers, Failure) else selected(timeline, numbers)

    @classmethod
    def draw(cls, drawing: Drawing) -> Self | None:
        """A range of two or more frames; None for a video of one frame and without a video."""
        if drawing.frames < 2:
            return None
        first, last = sorted(drawing.rng.choice(drawing.frames, 2, replace=False).tolist())
        return cls(first, last)

    def shown(self) -> str:
        """For people; frames count from 1."""
        return f"select frames {self.first + 1} to {self.last + 1}"
