"""When the frames of a video are on screen: `FrameTimes`, and the frames of a segment in seconds.

Depends on numbers alone; independent of decoders, tasks and operations. Frames are numbered from 0 in the order of
presentation, and the first one begins at 0 s.
"""

import bisect
import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_HAIR_S = 1e-6
"""Noise of floating point in a time: far below the time between two frames."""
CONSTANT_WITHIN = 0.5
"""Frames by which a frame may lie off a constant rate: where none lies further off, counting at the rate finds the
same frames as the times do, to the frame."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameTimes:
    """`count` frames at a constant `rate` a second, or with the times at which they begin.

    `rate`: frames per second, the mean one where it varies; None: the frames have no times. `begins_s`: None where the
    rate is constant, and frame i begins at i / `rate`; otherwise when each frame begins, in order. `end_s`: then, when
    the last frame ends.
    """

    count: int
    rate: float | None
    begins_s: Sequence[float] | None = None
    end_s: float = 0.0

    @property
    def seconds(self) -> float | None:
        """How long the frames last; None without times."""
        if self.begins_s is not None:
            return self.end_s
        return None if self.rate is None else self.count / self.rate

    def begin_of(self, number: int) -> float | None:
        """When frame `number` begins, in seconds; None without times."""
        if self.begins_s is not None:
            return self.begins_s[number]
        return None if self.rate is None else number / self.rate

    def shown_at(self, time_s: float) -> int | None:
        """The number of the frame on screen at a time; None outside of the video, and without times."""
        if self.rate is None or not math.isfinite(time_s):
            return None
        if self.begins_s is None:
            number = math.floor(time_s * self.rate)
            return number if 0 <= number < self.count else None
        if not 0 <= time_s < self.end_s:
            return None
        return max(bisect.bisect_right(self.begins_s, time_s + _HAIR_S) - 1, 0)

    def first_from(self, time_s: float) -> int:
        """The number of the first frame that begins at a time or later, `count` if there is none; for varying rates."""
        assert self.begins_s is not None, "asked where the rate varies"
        return bisect.bisect_left(self.begins_s, time_s - _HAIR_S)

    def segment(self, start_s: float, end_s: float) -> tuple[int, int]:
        """The numbers of the first and the last frame of a segment in seconds, which ends with the video at the latest.

        At a constant rate both are rounded, as in MVBench; otherwise they are the frames on screen at its ends. Raises
        ValueError for a segment behind the end, and without times.
        """
        if self.rate is None:
            raise ValueError("its frames have no times, so that a segment in seconds cannot be found")
        last = self.count - 1
        if self.begins_s is None:
            first = max(0, round(start_s * self.rate))
            if first > last:
                raise ValueError(f"the segment starts at {start_s} s, after the last of its {self.count} frames")
            return first, max(first, min(last, round(end_s * self.rate)))
        shown = self.shown_at(max(start_s, 0.0))
        if shown is None:
            raise ValueError(f"the segment starts at {start_s} s, after the video's end at {self.end_s:.2f} s")
        return shown, max(shown, min(last, bisect.bisect_right(self.begins_s, end_s + _HAIR_S) - 1))

    def of_segment(self, first: int, last: int, start_s: float, end_s: float) -> "FrameTimes":
        """The times of frames `first` to `last` as a video of their own, which begins at `start_s`."""
        count = last - first + 1
        if self.begins_s is None:
            return FrameTimes(count, self.rate)
        begins_s = tuple(max(0.0, begin_s - start_s) for begin_s in self.begins_s[first : last + 1])
        seconds = min(end_s, self.end_s) - start_s
        return FrameTimes(count, count / seconds, begins_s, seconds)


def frame_times(begins_s: Sequence[float], last_s: float, stated_rate: float | None) -> FrameTimes:
    """The times of frames that begin at `begins_s` (in order, in seconds, from any origin).

    `last_s`: how long the last frame lasts, 0 if unknown: then as long as the median frame. `stated_rate`: the rate
    that the file states; the rate is constant if no frame lies further than `CONSTANT_WITHIN` frames from where this
    rate, or the mean one, puts it.
    """
    count = len(begins_s)
    times_s = array("d", (begin_s - begins_s[0] for begin_s in begins_s))
    if count == 1 and not stated_rate and last_s > 0:
        return FrameTimes(1, 1 / last_s)
    mean_rate = (count - 1) / times_s[-1] if count > 1 and times_s[-1] > 0 else None
    for rate in (stated_rate, mean_rate):
        if rate and all(abs(time_s * rate - number) <= CONSTANT_WITHIN for number, time_s in enumerate(times_s)):
            return FrameTimes(count, rate)
    if mean_rate is None:
        return FrameTimes(count, None)
    gaps_s = sorted(after - before for before, after in pairwise(times_s))
    end_s = times_s[-1] + (last_s if last_s > 0 else gaps_s[len(gaps_s) // 2])
    return FrameTimes(count, count / end_s, times_s, end_s)


def spread(first: int, last: int, count: int) -> list[int]:
    """`count` evenly spaced numbers from `first` to `last`, both included.

    The rounding of `numpy.linspace(first, last, count, dtype=int)`; a segment with fewer frames repeats some.
    """
    return [first + index * (last - first) // max(count - 1, 1) for index in range(count)]
