"""The timeline of a task's video: all of its frames by number and by time, not only those of the overview.

Depends on tasks and sources; independent of decoding and operations. The frames of a file are sources that are decoded
when they are shown. Where a task's frames are separate images, they are the whole video, and they have times only if
the task says at which rate they were taken (`Task.frames_per_second`).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PIL import Image

from pixel_env.frame_times import FrameTimes
from pixel_env.task import Task
from pixel_env.views import Source


class FileFrame(ABC):
    """A source that is a frame of a video file, or of a segment of one, and gives all other frames of it.

    Frames are numbered from 0 by the segment's own frames, in the order of presentation.
    """

    @property
    @abstractmethod
    def key(self) -> str: ...

    @abstractmethod
    def decode(self) -> Image.Image: ...

    @abstractmethod
    def length(self) -> tuple[int, float]:
        """The number of frames, and frames per second (0: unknown). Raises MediaError, MissingExtraError."""

    def times(self) -> FrameTimes:
        """When each frame is on screen: at a constant rate, unless the file says otherwise. Raises as `length`."""
        count, rate = self.length()
        return FrameTimes(count, rate or None)

    @abstractmethod
    def own_number(self) -> int:
        """The number of this frame. Raises MediaError, MissingExtraError."""

    @abstractmethod
    def at(self, number: int) -> Source:
        """Frame `number`, not decoded yet. Raises MediaError, MissingExtraError."""

    @abstractmethod
    def with_key(self, key: str) -> Source | None:
        """The frame of the same segment that has this key; None if it is of another one."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """`frame_count` frames, numbered from 0, of which `overview` are those that the episode opens with, by number.

    `frames_per_second`: the rate, the mean one where it varies; None: the frames have no times. `times`: when each
    frame is on screen; None: at that constant rate.
    """

    frame_count: int
    frames_per_second: float | None
    overview: Mapping[int, Source] = field(repr=False)
    times: FrameTimes | None = field(default=None, repr=False)

    @property
    def frame_times(self) -> FrameTimes:
        """When each frame is on screen."""
        return self.times or FrameTimes(self.frame_count, self.frames_per_second)

    @property
    def seconds(self) -> float | None:
        """How long the video lasts; None without times."""
        return self.frame_times.seconds

    def number_at(self, time_s: float) -> int | None:
        """The number of the frame that is shown at a time; None outside of the video, and without times."""
        return self.frame_times.shown_at(time_s)

    def time_of(self, number: int) -> float | None:
        """The time in seconds from which on a frame is shown; None without times."""
        return self.frame_times.begin_of(number)

    def end_of(self, number: int) -> float | None:
        """The time in seconds at which the next frame is shown, or the video ends; None without times."""
        return self.seconds if number + 1 == self.frame_count else self.time_of(number + 1)

    def number_of(self, source: Source) -> int | None:
        """The number of a frame of this video; None for any other source. Raises MediaError, MissingExtraError."""
        for number, shown in self.overview.items():
            if shown == source:
                return number
        return source.own_number() if isinstance(source, FileFrame) else None

    def frame(self, number: int) -> Source:
        """Frame `number`: that of the overview if it is in it. Raises MediaError, MissingExtraError."""
        if number in self.overview:
            return self.overview[number]
        file = next(iter(self.overview.values()))
        assert isinstance(file, FileFrame), "separate images are all in the overview"
        return file.at(number)


def timeline_of(task: Task) -> Timeline | None:
    """The timeline of a task about a video; None for any other task. Raises MediaError, MissingExtraError."""
    if task.media != "video" or not task.sources:
        return None
    first = task.sources[0]
    if not isinstance(first, FileFrame):
        return Timeline(len(task.sources), task.frames_per_second, dict(enumerate(task.sources)))
    # The first of several sources that show one frame: evidence refers to it.
    numbered = {source.own_number(): source for source in reversed(task.sources) if isinstance(source, FileFrame)}
    times = first.times()
    return Timeline(times.count, times.rate, numbered, times)


@dataclass(frozen=True, slots=True)
class FrameLabel:
    """What a text may say of a frame: its number in the video (from 0) and its time, both None where unknown."""

    number: int | None
    time_s: float | None


def frame_labels(sources: Sequence[Source], task: Task) -> list[FrameLabel]:
    """The label of each source, in order. Raises MediaError, MissingExtraError."""
    timeline = timeline_of(task)
    numbers = [None if timeline is None else timeline.number_of(source) for source in sources]
    return [
        FrameLabel(number, None if timeline is None or number is None else timeline.time_of(number))
        for number in numbers
    ]


def frame_with_key(key: str, sources: Mapping[str, Source]) -> Source | None:
    """The frame with this key of a video file of which `sources` hold a frame; None if it is of another file."""
    for source in sources.values():
        if isinstance(source, FileFrame) and (frame := source.with_key(key)) is not None:
            return frame
    return None
