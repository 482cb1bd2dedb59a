"""The frames of segments of videos: a file is opened once, for as many threads as want its frames.

Depends on decoders; independent of tasks and episodes. A file that cannot be read raises a MediaError with its path.
"""

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from pixel_env.errors import MediaError, MissingExtraError
from pixel_env.frame_times import FrameTimes, spread
from pixel_env.media.changes import FileStamp, stamp_of
from pixel_env.media.videos.decoders import open_video
from pixel_env.media.videos.video import Video

MAX_OPEN = 32
"""Clips that are open at the same time: one for each thread that opens an episode."""
_REMEMBERED = 256


class Segment(NamedTuple):
    """The numbers of its first and last frame among all frames of the file, and their times from its start."""

    first: int
    last: int
    times: FrameTimes


def segment_of(path: Path, start_s: float | None, end_s: float | None) -> Segment:
    """A video, or the segment of it in seconds. Raises MediaError, and MissingExtraError where no decoder is installed.

    At a constant rate seconds become numbers as in MVBench, otherwise by the times of the frames (`FrameTimes`).
    """
    times = times_of(path)
    try:
        return _cut(times, start_s, end_s)
    except ValueError as error:
        raise MediaError(f"cannot read the video {path}: {error}") from error


def times_of(path: Path) -> FrameTimes:
    """When the frames of a video are on screen. Raises MediaError, MissingExtraError."""
    try:
        return _times_of(path, stamp_of(path, f"the video {path}"))
    except (MediaError, MissingExtraError):
        raise
    except Exception as error:  # a broken file makes the decoders raise nearly anything
        raise MediaError(f"cannot read the video {path}: {error}") from error


@lru_cache(maxsize=_REMEMBERED)
def _times_of(path: Path, stamp: FileStamp) -> FrameTimes:
    video = open_video(path)
    try:
        return _times_in(video)
    finally:
        video.close()


def _times_in(video: Video) -> FrameTimes:
    if video.times.count < 1:
        raise ValueError("it has no frame")
    return video.times


def _cut(times: FrameTimes, start_s: float | None, end_s: float | None) -> Segment:
    if start_s is None or end_s is None:
        return Segment(0, times.count - 1, times)
    first, last = times.segment(start_s, end_s)
    return Segment(first, last, times.of_segment(first, last, start_s, end_s))


class Clip:
    """A segment of a video, open from its first frame to its last. Threads that request the same frame decode it once.

    A frame is remembered only while a caller holds it: the caller has its own cache.
    """

    def __init__(
        self,
        path: Path,
        count: int,
        start_s: float | None,
        end_s: float | None,
        opens: Callable[[Path], Video] | None = None,
    ) -> None:
        self.path, self.count, self.start_s, self.end_s = path, count, start_s, end_s
        self.opens = opens or open_video
        self._video: Video | None = None
        self._numbers: list[int] = []
        self._frames: weakref.WeakValueDictionary[int, Image.Image] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    def frame(self, number: int) -> Image.Image:
        """Frame `number` of `count`. Raises MediaError."""
        with self._lock:
            cached = self._frames.get(number)
            if cached is not None:
                return cached
            try:
                image = self._decoded(number)
            except (MediaError, MissingExtraError):
                raise
            except Exception as error:  # a broken file makes the decoders raise nearly anything
                self._close()
                raise MediaError(f"cannot decode the video {self.path}: {error}") from error
            self._frames[number] = image
            return image

    def close(self) -> None:
        """Closes the file; the next frame opens it again."""
        with self._lock:
            self._close()

    def _decoded(self, number: int) -> Image.Image:
        if self._video is None:
            self._video = self.opens(self.path)
            segment = _cut(_times_in(self._video), self.start_s, self.end_s)
            self._numbers = spread(segment.first, segment.last, self.count)
        image = self._video.frame(self._numbers[number])
        if number == self.count - 1:
            self._close()
        return image

    def _close(self) -> None:
        if self._video is not None:
            self._video.close()
            self._video = None


class OpenClips:
    """The `max_open` clips that were requested last. Thread-safe."""

    def __init__(self, max_open: int) -> None:
        self.max_open = max_open
        self._clips: OrderedDict[tuple[object, ...], Clip] = OrderedDict()
        self._of_parents: list[OrderedDict[tuple[object, ...], Clip]] = []
        self._lock = threading.Lock()

    def clip(self, path: Path, count: int, start_s: float | None, end_s: float | None) -> Clip:
        """The clip, open or not. A changed file is another clip. Raises MediaError."""
        key = (path, stamp_of(path, f"the video {path}"), count, start_s, end_s)
        with self._lock:
            if key not in self._clips:
                self._clips[key] = Clip(path, count, start_s, end_s)
            self._clips.move_to_end(key)
            dropped = self._clips.popitem(last=False)[1] if len(self._clips) > self.max_open else None
            clip = self._clips[key]
        if dropped is not None:
            dropped.close()
        return clip

    def forget(self) -> None:
        """Starts empty in a child process, without closing any file of its parent."""
        # Kept: a decoder that is freed waits for its threads, which only the parent has, and so for ever.
        self._of_parents.append(self._clips)
        self._clips, self._lock = OrderedDict(), threading.Lock()


_OPEN_CLIPS = OpenClips(MAX_OPEN)
os.register_at_fork(after_in_child=_OPEN_CLIPS.forget)  # a child would move the position in the parent's files


def clip_frame(path: Path, number: int, count: int, start_s: float | None, end_s: float | None) -> Image.Image:
    """Frame `number` (from 0) of `count` of a video, or of a segment in seconds: RGB, native size. Raises MediaError.

    Raises MissingExtraError where no decoder is installed. Requested in order, the frames of a clip cost one pass of
    the file.
    """
    return _OPEN_CLIPS.clip(path, count, start_s, end_s).frame(number)


def video_fault(path: Path, count: int = 2, start_s: float | None = None, end_s: float | None = None) -> str:
    """Why one of `count` frames of a video, or of a segment in seconds, cannot be decoded, or "".

    Raises MissingExtraError where no decoder is installed.
    """
    clip = Clip(path, count, start_s, end_s)
    try:
        for number in range(clip.count):
            clip.frame(number)
    except MediaError as error:
        return _reason(error)
    finally:
        clip.close()
    return ""


def _reason(error: MediaError) -> str:
    # FFmpeg's own text repeats the whole path and an error number.
    cause = error.__cause__ or error
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
