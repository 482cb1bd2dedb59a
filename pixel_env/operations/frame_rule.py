"""How a segment of a video becomes frames: `FrameRule`, and the numbers that it chooses.

Depends on timelines; independent of operations, dialects and call syntaxes. Numbers count frames from 0.
"""

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pixel_env.errors import UnknownNameError
from pixel_env.failures import Failure, FailureCode
from pixel_env.timeline import Timeline

_CHOICES = {
    "edges": ("inside", "before"),
    "excess": ("refuse", "spread"),
    "overhang": ("refuse", "clamp"),
    "spacing": ("nearest", "down"),
    "short_range": ("all", "refuse"),
}


_HAIR = 1e-6
"""Of a frame: 0.28 s at 100 frames/s is frame 28, although 0.28 * 100 is a little more."""
_HAIR_S = 1e-6
"""Of a second, where the rate varies."""


@dataclass(frozen=True, slots=True)
class FrameRule:
    """A dialect's rule for segments (from second to second) and ranges (from frame to frame) of a video.

    `rate`: frames per second of a call that names none. `edges`: a segment holds the frames that begin "inside" of it,
    and its length is that of these frames (qwen_vl_utils, `calculate_video_frame_range`); or its ends are the frames
    that are shown at them ("before"), and its length is what the call says (VideoZoomer, `extract_video_clip`). The
    number of frames is rate x length, rounded down to a multiple of `multiple`, at least `min_frames`. `excess`: more
    than `max_frames` of the dialect are refused, or that many are spread over the segment. `overhang`: a segment that
    leaves the video is refused, or ends with it. `spacing`: evenly spaced positions are rounded to the nearest frame or
    down. `range_ends`: a range includes the two frames that it names. `short_range`: a range that has no more than
    `max_frames` frames between its ends gives all of them, or is refused (FrameThinker).
    """

    rate: float = 1.0
    edges: Literal["inside", "before"] = "inside"
    min_frames: int = 1
    multiple: int = 1
    excess: Literal["refuse", "spread"] = "refuse"
    overhang: Literal["refuse", "clamp"] = "clamp"
    spacing: Literal["nearest", "down"] = "nearest"
    range_ends: bool = True
    short_range: Literal["all", "refuse"] = "all"

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                raise UnknownNameError.among(f"value of FrameRule.{name}", str(getattr(self, name)), known)
        if not (0 < self.rate < math.inf and self.min_frames >= 0 and self.multiple >= 1):
            raise ValueError(f"a FrameRule has rate > 0, min_frames >= 0 and multiple >= 1, got {self}")

    def segment(
        self, timeline: Timeline, start_s: float, end_s: float, rate: float | None, max_frames: int
    ) -> Sequence[int] | Failure:
        """The numbers of the frames of a segment, in order. The timeline has times.

        Failures: no_such_frame (outside of the video), no_frames (nothing between start and end), too_many_frames.
        """
        assert timeline.seconds is not None, "checked by the operation"
        if not start_s < end_s:
            message = f"The segment from {start_s:g} to {end_s:g} s is empty; its start must come before its end."
            return Failure(FailureCode.NO_FRAMES, message)
        is_outside = start_s >= timeline.seconds or end_s <= 0
        if is_outside or (self.overhang == "refuse" and (start_s < 0 or end_s > timeline.seconds)):
            message = f"The segment leaves the video, which lasts from 0 to {timeline.seconds:.2f} s."
            return Failure(FailureCode.NO_SUCH_FRAME, message)
        first, last = self._ends(timeline, start_s, end_s)
        length_s = end_s - start_s if self.edges == "before" else _length_s(timeline, first, last)
        count = self._count((self.rate if rate is None else rate) * length_s)
        if self.edges == "inside":
            count = min(count, max(last - first + 1, 0))
        if count < max(1, self.min_frames):
            message = f"No frame lies between {start_s:g} and {end_s:g} s at that rate; give a longer segment."
            return Failure(FailureCode.NO_FRAMES, message)
        if count > max_frames and self.excess == "refuse":
            message = (
                f"The segment has {count} frames at that rate; at most {max_frames} are allowed. "
                "Give a shorter segment or a lower rate."
            )
            return Failure(FailureCode.TOO_MANY_FRAMES, message)
        return self._spaced(first, last, min(count, max_frames))

    def _ends(self, timeline: Timeline, start_s: float, end_s: float) -> tuple[int, int]:
        times, final = timeline.frame_times, timeline.frame_count - 1
        if times.begins_s is not None:
            begun = bisect.bisect_right(times.begins_s, min(end_s, times.end_s) + _HAIR_S) - 1
            shown = times.shown_at(max(start_s, 0.0)) if self.edges == "before" else times.first_from(start_s)
            return min(shown or 0, final), begun
        assert times.rate is not None, "checked by the operation"
        # Clamped first: a model can write any number, and a large one times the rate is infinite.
        start = max(start_s, 0.0) * times.rate
        end = min(end_s, final / times.rate) * times.rate
        first = math.ceil(start - _HAIR) if self.edges == "inside" else math.floor(start + _HAIR)
        return min(first, final), min(math.floor(end + _HAIR), final)

    def _count(self, wanted: float) -> int:
        """The number of frames for `wanted` ones, before any limit."""
        return max(self.min_frames, math.floor(min(wanted, 1e9) + _HAIR) // self.multiple * self.multiple)

    def range(
        self, first: int, last: int, timeline: Timeline, max_frames: int, first_index: int
    ) -> Sequence[int] | Failure:
        """The numbers of at most `max_frames` evenly spaced frames of a range. Failures: no_such_frame, no_frames."""
        final = timeline.frame_count - 1
        if not first < last:
            message = "The range is empty; its first frame must come before its last."
            return Failure(FailureCode.NO_FRAMES, message)
        if first < 0 or first > final or (last > final and self.overhang == "refuse"):
            message = f"The range leaves the video; frames are numbered {first_index} to {final + first_index}."
            return Failure(FailureCode.NO_SUCH_FRAME, message)
        last = min(last, final)
        if self.short_range == "refuse" and last - first <= max_frames:
            message = f"The range is too short; its ends must lie more than {max_frames} frames apart."
            return Failure(FailureCode.NO_FRAMES, message)
        if not self.range_ends:
            first, last = first + 1, last - 1
        if first > last:
            return Failure(FailureCode.NO_FRAMES, "No frame lies between the two; name frames that lie further apart.")
        return self._spaced(first, last, min(last - first + 1, max_frames))

    def _spaced(self, first: int, last: int, count: int) -> list[int]:
        """`count` numbers from `first` to `last`, both included, evenly spaced and rounded."""
        steps = max(count - 1, 1)
        if self.spacing == "down":
            return [first + index * (last - first) // steps for index in range(count)]
        # Halves to the even number, as torch and numpy round.
        return [round(first + index * (last - first) / steps) for index in range(count)]


def _length_s(timeline: Timeline, first: int, last: int) -> float:
    """How long frames `first` to `last` are on screen; nothing for none."""
    times = timeline.frame_times
    if times.begins_s is None:
        assert times.rate is not None, "checked by the operation"
        return (last - first + 1) / times.rate
    end_s = times.end_s if last + 1 >= times.count else times.begins_s[last + 1]
    return max(0.0, end_s - times.begins_s[first])
