"""Evenly spaced frames of a video: of a file, or of a folder of images.

Depends on the numbers of frames that a task shows; independent of decoding (`pixel_env/media/videos`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from PIL import Image

from pixel_env.frame_times import FrameTimes, spread
from pixel_env.media.changes import changed
from pixel_env.media.videos.clips import Segment, clip_frame, segment_of, video_fault
from pixel_env.media.videos.content import content_of
from pixel_env.task import VIDEO_FRAMES
from pixel_env.timeline import FileFrame

VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".vob"),
    *(".ts", ".mts", ".m2ts", ".wmv", ".asf", ".flv", ".f4v", ".ogv", ".gif"),
)
"""A name that ends so may be a video; what it is, its content tells when it is opened."""

Item = TypeVar("Item")


@dataclass(frozen=True)
class ClipFrame(FileFrame):
    """Frame `number` (from 0) of `count` evenly spaced ones of a video, or of its segment `start_s` to `end_s`."""

    path: Path
    number: int
    count: int = VIDEO_FRAMES
    start_s: float | None = None
    end_s: float | None = None

    @cached_property
    def key(self) -> str:
        """The frame, and a hash of the file's size and of blocks spread over it. Raises MediaError."""
        return f"{content_of(self.path)}:{self.start_s}-{self.end_s}:{self.number}/{self.count}"

    def length(self) -> tuple[int, float]:
        """The number of frames of the segment, and frames per second: the mean ones where the rate varies, 0 unknown.

        Raises MediaError, also for a file that is another one than that of the key.
        """
        times = self.times()
        return times.count, times.rate or 0.0

    def times(self) -> FrameTimes:
        """When each frame of the segment is on screen, from the segment's start. Raises MediaError."""
        return self._segment().times

    def own_number(self) -> int:
        """The number of this frame among all frames of the segment, from 0."""
        segment = self._segment()
        return spread(0, segment.last - segment.first, self.count)[self.number]

    def at(self, number: int) -> "ClipFrame":
        """Frame `number` of all frames of the segment."""
        return replace(self, number=number, count=self.length()[0])

    def _segment(self) -> Segment:
        self._check_content()
        return segment_of(self.path, self.start_s, self.end_s)

    def _check_content(self) -> None:
        """Raises MediaError if the file has changed since the key was made."""
        if content_of(self.path) != self.key.partition(":")[0]:
            raise changed(f"the video {self.path}")

    def with_key(self, key: str) -> "ClipFrame | None":
        """The frame of the same segment of the same file that has this key."""
        segment, _, place = key.rpartition(":")
        found = re.fullmatch(r"(\d+)/(\d+)", place)
        if found is None or segment != self.key.rpartition(":")[0]:
            return None
        return replace(self, number=int(found[1]), count=int(found[2]))

    def decode(self) -> Image.Image:
        """The frame, RGB, upright, at native size. Raises MediaError, also if the file is not that of the key."""
        frame = clip_frame(self.path, self.number, self.count, self.start_s, self.end_s)
        self._check_content()  # afterwards: it may be written over at any time before
        return frame


def clip_frames(path: Path, start_s: float | None = None, end_s: float | None = None) -> tuple[ClipFrame, ...]:
    """The frames that a task shows of a video file."""
    return tuple(ClipFrame(path, number, VIDEO_FRAMES, start_s, end_s) for number in range(VIDEO_FRAMES))


def clip_fault(frames: Sequence[ClipFrame]) -> str:
    """Why a frame of a clip cannot be decoded, or "". Raises MissingExtraError where no decoder is installed."""
    first = frames[0]
    return video_fault(first.path, first.count, first.start_s, first.end_s)


def evenly(frames: Sequence[Item], count: int = VIDEO_FRAMES) -> list[Item]:
    """At most `count` evenly spaced frames, including the first and the last."""
    if len(frames) <= count:
        return list(frames)
    return [frames[index * (len(frames) - 1) // (count - 1)] for index in range(count)]
