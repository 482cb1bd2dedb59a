"""Frames of video files, decoded by whichever library is installed.

Depends on video decoders; independent of tasks, episodes and models. A decoder decodes forward within a group of
pictures and seeks only to key frames, so frames that are requested in order cost one pass. A file that cannot be read
raises a MediaError with its path.
"""

import bisect
import importlib
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from pixel_env.errors import MediaError, MissingExtraError, UnknownNameError

MAX_OPEN = 32
"""Clips that are open at the same time: one for each thread that opens an episode."""


class Video(Protocol):
    """An open video: frames by their number from 0 in the order of presentation, RGB, at native size."""

    frame_count: int
    frames_per_second: float

    def frame(self, number: int) -> Image.Image: ...
    def close(self) -> None: ...


class PyAvVideo:
    """A video read by PyAV. Its packets are listed once, without decoding, for exact numbers and key frames."""

    def __init__(self, path: Path) -> None:
        import av

        self._container = av.open(str(path))
        # A file may hold the same video in several sizes: take the best one, as the other decoders do.
        self._stream = self._container.streams.best("video")
        if self._stream is None:
            raise ValueError("it holds no video")
        # Frame threads would decode frames ahead that the next seek drops; slice threads cost nothing.
        self._stream.thread_type = "SLICE"
        times, keys = [], []
        for packet in self._container.demux(self._stream):
            if packet.size and not packet.is_discard:  # the last one is empty; an edit list discards others
                time: int = packet.pts if packet.pts is not None else packet.dts
                times.append(time)
                if packet.is_keyframe:
                    keys.append((time, packet.dts if packet.dts is not None else time))
        self._times, keys = sorted(times), sorted(keys)
        self._key_times, self._key_decoding_times = (
            [time for time, _ in keys],
            [decoding_time for _, decoding_time in keys],
        )
        self._frames: Iterator[Any] = iter(())
        self._last: Any = None
        self.frame_count = len(self._times)
        self.frames_per_second = float(self._stream.average_rate or 0)

    def frame(self, number: int) -> Image.Image:
        """The frame, after decoding from the last one, or from the key frame before it if that is nearer."""
        target_time = self._times[number]
        key = max(bisect.bisect_right(self._key_times, target_time) - 1, 0)
        if self._last is None or self._last.pts > target_time or self._last.pts < self._key_times[key]:
            # By decoding time: an AVI file has no other, and seeking by presentation time goes past the key frame.
            self._container.seek(self._key_decoding_times[key], stream=self._stream)
            self._frames, self._last = self._container.decode(self._stream), None
        while self._last is None or self._last.pts < target_time:
            self._last = next(self._frames, None)
            if self._last is None:
                raise ValueError(f"frame {number} of {self.frame_count} is missing")
        image: Image.Image = self._last.to_image()
        return image

    def close(self) -> None:
        """Closes the file."""
        self._container.close()


class TorchcodecVideo:
    """A video read by torchcodec, which counts frames exactly and decodes forward by itself."""

    def __init__(self, path: Path) -> None:
        decoders: Any = importlib.import_module("torchcodec.decoders")
        self._decoder = decoders.VideoDecoder(str(path), dimension_order="NHWC", seek_mode="exact")
        self.frame_count = len(self._decoder)
        self.frames_per_second = float(self._decoder.metadata.average_fps)

    def frame(self, number: int) -> Image.Image:
        """The frame."""
        return Image.fromarray(self._decoder.get_frame_at(number).data.numpy())

    def close(self) -> None:
        """Closes the decoder."""
        del self._decoder


class DecordVideo:
    """A video read by decord, which decodes forward by itself.

    Except in AVI files: decord 0.6.0 seeks to wrong frames in them without an error, so they are read from the start.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._is_seekable = path, path.suffix.lower() != ".avi"
        self._open()
        self.frame_count = len(self._reader)
        self.frames_per_second = float(self._reader.get_avg_fps())

    def _open(self) -> None:
        import decord

        self._reader = decord.VideoReader(str(self._path), ctx=decord.cpu(0), num_threads=1)
        self._next = 0

    def frame(self, number: int) -> Image.Image:
        """The frame."""
        if self._is_seekable:
            return Image.fromarray(self._reader[number].asnumpy())
        if number < self._next:
            self._open()
        for _ in range(number - self._next):
            self._reader.next()  # its skip_frames is wrong too
        self._next = number + 1
        return Image.fromarray(self._reader.next().asnumpy())

    def close(self) -> None:
        """Closes the reader."""
        del self._reader


DECODERS: dict[str, Callable[[Path], Video]] = {"av": PyAvVideo, "torchcodec": TorchcodecVideo, "decord": DecordVideo}
"""By the package that each needs, the fastest first. av and torchcodec are exact. decord 0.6.0 was measured to be off
by two frames in MPEG-4 Part 2 with B-frames (H.264 and VP9 are right) and reads no GIF: it is the last choice."""


def decoder_named(name: str) -> Callable[[Path], Video]:
    """The decoder that uses the package `name`. Raises UnknownNameError."""
    if name not in DECODERS:
        raise UnknownNameError.among("video decoder", name, DECODERS)
    return DECODERS[name]


@cache
def installed_decoder() -> Callable[[Path], Video]:
    """The first decoder whose package can be imported. Raises MissingExtraError if there is none."""
    for name, decoder in DECODERS.items():
        try:
            importlib.import_module(name)
        except (ImportError, OSError, RuntimeError):  # installed without the FFmpeg that it was built for
            continue
        return decoder
    raise MissingExtraError.needs("a video file", "video")


def clip_numbers(video: Video, count: int, start_s: float | None, end_s: float | None) -> list[int]:
    """The numbers of `count` evenly spaced frames, including the first and the last of the segment.

    The rounding of `numpy.linspace(first, last, count, dtype=int)`; a segment with fewer frames repeats some. Seconds
    become numbers as in MVBench: rounded at the average rate. Raises ValueError for a segment after the video's end.
    """
    first, last = 0, video.frame_count - 1
    if start_s is not None and end_s is not None:
        first = max(0, round(start_s * video.frames_per_second))
        if first > last:
            raise ValueError(f"the segment starts at {start_s} s, after the last of its {video.frame_count} frames")
        last = max(first, min(last, round(end_s * video.frames_per_second)))
    return [first + index * (last - first) // max(count - 1, 1) for index in range(count)]


def segment_facts(path: Path, start_s: float | None, end_s: float | None) -> tuple[int, int, float]:
    """The numbers of the first and the last frame of a video, or of a segment in seconds, and frames per second.

    Raises MediaError, and MissingExtraError where no decoder is installed.
    """
    try:
        return _segment_facts(path, os.stat(path).st_mtime_ns, start_s, end_s)
    except (MediaError, MissingExtraError):
        raise
    except OSError as error:
        raise MediaError(f"cannot read the video {path}: {error.strerror}") from error
    except Exception as error:  # a broken file makes the decoders raise nearly anything
        raise MediaError(f"cannot read the video {path}: {error}") from error


@lru_cache(maxsize=1024)
def _segment_facts(path: Path, changed_ns: int, start_s: float | None, end_s: float | None) -> tuple[int, int, float]:
    video = installed_decoder()(path)
    try:
        if video.frame_count < 1:
            raise ValueError("it has no frame")
        first, last = clip_numbers(video, 2, start_s, end_s)
        return first, last, video.frames_per_second
    finally:
        video.close()


class Clip:
    """A segment of a video, open from its first frame to its last. Threads that request the same frame decode it once.

    A frame is remembered only while a caller holds it: the caller has its own cache.
    """

    def __init__(
        self, path: Path, count: int, start_s: float | None, end_s: float | None, decoder: Callable[[Path], Video]
    ) -> None:
        self.path, self.count, self.start_s, self.end_s, self.decoder = path, count, start_s, end_s, decoder
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
            self._video = self.decoder(self.path)
            if self._video.frame_count < 1:
                raise ValueError("it has no frame")
            self._numbers = clip_numbers(self._video, self.count, self.start_s, self.end_s)
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
        try:
            changed_ns = os.stat(path).st_mtime_ns
        except OSError as error:
            raise MediaError(f"cannot read the video {path}: {error.strerror}") from error
        key = (path, changed_ns, count, start_s, end_s)
        with self._lock:
            if key not in self._clips:
                self._clips[key] = Clip(path, count, start_s, end_s, installed_decoder())
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
    clip = Clip(path, count, start_s, end_s, installed_decoder())
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
