"""`SelectSegment`: look at a segment of the video, from second to second, at a higher rate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from pixel_env.failures import Failure, FailureCode
from pixel_env.operations.arguments import Drawing, argument
from pixel_env.operations.operation import Operation, OperationRule
from pixel_env.operations.time_arguments import Rate, Seconds
from pixel_env.task import Task
from pixel_env.timeline import Timeline, timeline_of
from pixel_env.views import View, ViewKind


@dataclass(frozen=True, slots=True)
class SelectSegment(Operation):
    """Look at the frames from second `start` to second `end` of the video, `rate` of them a second.

    The frames come from the file, whether or not the overview shows them; times count from the start of the task's own
    segment. How many frames that are, and which, is the dialect's `FrameRule`.
    """

    name = "select_segment"
    description = "Look at a segment of the video again, with more frames."
    observation = "Here are the frames of the segment (images {first} to {last}):"

    start: float = argument(Seconds("start_time", "Start of the segment, in seconds."))
    end: float = argument(Seconds("end_time", "End of the segment, in seconds."))
    rate: float | None = argument(Rate(), default=None)

    def run(self, views: Sequence[View], task: Task, rule: OperationRule) -> tuple[View, ...] | Failure:
        """The frames in order of time. Failures: not_a_video, no_such_frame, no_frames, too_many_frames.

        `not_a_video` also for a video of separate images whose rate is unknown.
        """
        timeline = timed(task)
        if isinstance(timeline, Failure):
            return timeline
        numbers = rule.frames.segment(timeline, self.start, self.end, self.rate, rule.max_frames)
        return numbers if isinstance(numbers, Failure) else selected(timeline, numbers)

    @classmethod
    def draw(cls, drawing: Drawing) -> Self | None:
        """A segment of which at most a few frames are requested; None without times."""
        if not drawing.seconds:
            return None
        length = drawing.seconds * float(drawing.rng.uniform(0.25, 0.75))
        start = round(float(drawing.rng.uniform(0, drawing.seconds - length)), 2)
        return cls(start, round(start + length, 2), round(float(drawing.rng.uniform(2.0, 5.0)) / length, 2))

    def shown(self) -> str:
        """For people."""
        rate = "" if self.rate is None else f" at {self.rate:g} frames/s"
        return f"select segment {self.start:g} s to {self.end:g} s{rate}"


def timed(task: Task) -> Timeline | Failure:
    """The timeline of a video that has times, or the failure `not_a_video`. Raises MediaError, MissingExtraError."""
    timeline = timeline_of(task)
    if timeline is None:
        return Failure(FailureCode.NOT_A_VIDEO, "There is no video here; look at the images instead.")
    if timeline.frames_per_second is None:
        message = "This video is a series of images without times; name its frames by number instead."
        return Failure(FailureCode.NOT_A_VIDEO, message)
    return timeline


def selected(timeline: Timeline, numbers: Sequence[int]) -> tuple[View, ...]:
    """The frames with these numbers as the model is shown them. Raises MediaError, MissingExtraError."""
    return tuple(View(timeline.frame(number), ViewKind.SELECTED_FRAME) for number in numbers)
