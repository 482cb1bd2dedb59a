"""Evenly spaced frames of a video: of a file, or of a folder of images.

Depends on the numbers of frames that a task shows; independent of decoding (`pixel_env/media/video.py`).
"""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TypeVar

from PIL import Image

from pixel_env.errors import MediaError
from pixel_env.media.video import clip_frame, segment_facts, video_fault
from pixel_env.task import VIDEO_FRAMES
from pixel_env.timeline import FileFrame

VIDEO_SUFFIXES = (".mp4", ".avi", ".webm", ".mkv", ".mov", ".gif")

_END_BYTES = 1 << 16

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
        """The frame, and a hash of the file's size and ends: hashing a whole video would cost more than decoding."""
        try:
            facts = os.stat(self.path)
            content = _hash_of_ends(self.path, facts.st_size, facts.st_mtime_ns)
        except OSError as error:
            raise MediaError(f"cannot read the video {self.path}: {error.strerror}") from error
        return f"{content}:{self.start_s}-{self.end_s}:{self.number}/{self.count}"

    def length(self) -> tuple[int, float]:
        """The number of frames of the segment, and frames per second."""
        first, last, rate = segment_facts(self.path, self.start_s, self.end_s)
        return last - first + 1, rate

    def own_number(self) -> int:
        """The number of this frame among all frames of the segment, from 0."""
        # The rounding of `clip_numbers`.
        return self.number * (self.length()[0] - 1) // max(self.count - 1, 1)

    def at(self, number: int) -> "ClipFrame":
        """Frame `number` of all frames of the segment."""
        return replace(self, number=number, count=self.length()[0])

    def with_key(self, key: str) -> "ClipFrame | None":
        """The frame of the same segment of the same file that has this key."""
        segment, _, place = key.rpartition(":")
        found = re.fullmatch(r"(\d+)/(\d+)", place)
        if found is None or segment != self.key.rpartition(":")[0]:
            return None
        return replace(self, number=int(found[1]), count=int(found[2]))

    def decode(self) -> Image.Image:
        """The frame, RGB, at native size."""
        return clip_frame(self.path, self.number, self.count, self.start_s, self.end_s)


@lru_cache(maxsize=1024)
def _hash_of_ends(path: Path, size: int, changed_ns: int) -> str:
    with path.open("rb") as file:
        head = file.read(_END_BYTES)
        file.seek(max(0, size - _END_BYTES))
        return hashlib.sha256(b"%d:" % size + head + file.read()).hexdigest()


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
