"""Videos read by PyAV.

Depends on PyAV and on the index of a file's frames; independent of segments and threads.
"""

import bisect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from pixel_env.media.changes import stamp_of
from pixel_env.media.transparency import on_white
from pixel_env.media.videos.frame_index import decoded, frame_index, opened
from pixel_env.media.videos.upright import upright
from pixel_env.media.videos.video import check_size

_REFERRING = (2, 3)
"""AVPictureType of P and B frames, which refer to others."""


class PyAvVideo:
    """A video read by PyAV: frame i is the i-th that a decoder gives from the file's start on, to the byte.

    Where the packets are listed (`frame_index`), decoding starts at the last frame or at the key frame before the
    requested one, whichever is nearer; other files are read forward, and from their start where a frame lies behind.
    """

    def __init__(self, path: Path) -> None:
        self._index = frame_index(path, stamp_of(path, f"the video {path}"))
        self._path = path
        self._is_open = False
        self._open()
        self.times = self._index.times
        self._begins, self._keys = self._index.begins or (), self._index.keys

    def _open(self) -> None:
        self.close()
        self._container, self._stream, self._decoder = opened(self._path)
        self._is_open = True
        self._frames: Iterator[Any] = decoded(self._container, self._stream, self._decoder)
        self._last: Any = None
        self._next = 0
        self._is_at_start = True

    def frame(self, number: int) -> Image.Image:
        """The frame. Raises ValueError where it cannot be decoded or shown, and what PyAV raises."""
        frame = self._sought(self._begins[number]) if self._begins else self._counted(number)
        if frame is None:
            raise ValueError(f"frame {number} of {self.times.count} is missing")
        return as_image(frame, self._index.transpose)

    def close(self) -> None:
        """Closes the file."""
        if self._is_open:
            self._is_open = False
            self._container.close()

    def _counted(self, number: int) -> Any:
        if number < self._next - 1:
            self._open()
        while self._next <= number:
            self._last = next(self._frames, None)
            self._next += 1
            if self._last is None:
                return None
        return self._last

    def _sought(self, begin: int) -> Any:
        """The frame that begins at this time; of a damaged file the first one behind it that can be decoded."""
        key = self._key_before(begin)
        if self._last is None or not self._begin_of(key) <= self._last.pts <= begin:
            self._start_at(key)
        if self._forward_to(begin) is not None and self._last.pts == begin:
            return self._last
        self._start_at(self._key_before(begin) - 1)
        return self._forward_to(begin)

    def _key_before(self, begin: int) -> int:
        """The number of the last key frame that begins by then; -1: the start of the file."""
        return bisect.bisect_right([key_begin for key_begin, _ in self._keys], begin) - 1

    def _begin_of(self, key: int) -> int:
        return self._keys[key][0] if key >= 0 else self._begins[0]

    def _start_at(self, key: int) -> None:
        """Continues at a key frame, or at the start of the file where the key frames do not stand for themselves."""
        if key <= 0:
            if not self._is_at_start:
                self._open()
            return
        begin, decoding_time = self._keys[key]
        # By decoding time: a seek by presentation time may go past the key frame.
        self._container.seek(decoding_time, stream=self._stream)
        self._decoder.flush_buffers()
        self._frames, self._last = decoded(self._container, self._stream, self._decoder), None
        frame = self._forward_to(begin)
        if frame is None or frame.pts != begin or frame.pict_type in _REFERRING:
            # As with periodic intra refresh, where a picture is whole only some frames behind its "key frame".
            self._keys = []
            self._open()

    def _forward_to(self, begin: int) -> Any:
        self._is_at_start = False
        while self._last is None or self._last.pts is None or self._last.pts < begin:
            self._last = next(self._frames, None)
            if self._last is None:
                return None
        return self._last


def as_image(frame: Any, transpose: Image.Transpose | None) -> Image.Image:
    """A decoded frame as RGB, upright, what is transparent on white. Raises ValueError for one that is too large."""
    check_size(frame.width, frame.height)
    has_alpha = any(component.is_alpha for component in frame.format.components)
    image = on_white(Image.fromarray(frame.to_ndarray(format="rgba"))) if has_alpha else frame.to_image()
    return upright(image, transpose)
