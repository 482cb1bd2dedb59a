"""`FrameAtTime`: which frame is shown at a time: a number, no image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixel_env.failures import Failure, FailureCode
from pixel_env.operations.arguments import argument
from pixel_env.operations.operation import Operation, OperationRule
from pixel_env.operations.select_segment import timed
from pixel_env.operations.time_arguments import ClockTime, as_clock
from pixel_env.task import Task
from pixel_env.timeline import Timeline
from pixel_env.views import View


@dataclass(frozen=True, slots=True)
class FrameAtTime(Operation):
    """The number of the frame that is shown at `time` (whole seconds), for `select_range`. Its result is a text.

    The observation may name `time` (as MM:SS) and `frame`.
    """

    name = "frame_at_time"
    description = "Get the number of the frame at a time of the video."
    observation = "The frame at {time} has the number {frame}."
    brings_images = False

    time: int = argument(ClockTime())

    def run(self, views: Sequence[View], task: Task, rule: OperationRule) -> tuple[View, ...] | Failure:
        """No views: the number stands in the text. Failures: not_a_video, no_such_frame."""
        timeline = timed(task)
        if isinstance(timeline, Failure):
            return timeline
        if timeline.number_at(self.time) is None:
            message = f"The time {as_clock(self.time)} lies outside of the video, which lasts {timeline.seconds:.2f} s."
            return Failure(FailureCode.NO_SUCH_FRAME, message)
        return ()

    def observation_fields(self, task: Task, rule: OperationRule) -> Mapping[str, Any]:
        """`time` and `frame`, counted from the dialect's first index."""
        timeline = timed(task)
        assert isinstance(timeline, Timeline), "the operation was executed"
        number = timeline.number_at(self.time)
        assert number is not None, "the operation was executed"
        return {"time": as_clock(self.time), "frame": number + rule.first_index}
