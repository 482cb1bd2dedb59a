"""Videos read by decord.

Depends on decord; independent of segments and threads.
"""

from pathlib import Path

from PIL import Image

from pixel_env.frame_times import FrameTimes
from pixel_env.media.videos.measured_limits import QUARTER_TURNS, limit_of
from pixel_env.media.videos.video import check_size

_CODECS = ("avc1", "avc3", "hev1", "hvc1", "vp09")


class DecordVideo:
    """A video read by decord, which turns frames by itself: forward from its start, because its seeks are off.

    As measured with decord 0.6.0, read forward: right in MP4 and MOV files of H.264, H.265 and VP9 at a constant rate,
    except for interlaced H.264 (other colours). A seek is off in AVI and MPEG-PS files, in MPEG-4 Part 2 with B-frames,
    in open groups of pictures and behind the cuts of an edit list; MPEG-TS is off even forward. Mirrored frames are
    turned by 180 degrees or not at all, in Matroska nothing is turned, AV1 and GIF are not read, alpha is dropped.
    """

    def __init__(self, path: Path) -> None:
        if limit := decord_limit(path):
            raise ValueError(f"decord may show other frames of it: {limit}. Install PyAV: pip install av")
        self._path = path
        self._open()
        self.times = FrameTimes(len(self._reader), float(self._reader.get_avg_fps()))

    def _open(self) -> None:
        import decord

        self._reader = decord.VideoReader(str(self._path), ctx=decord.cpu(0), num_threads=1)
        self._next = 0

    def frame(self, number: int) -> Image.Image:
        """The frame. Raises ValueError where it is missing."""
        if number < self._next:
            self._open()
        for _ in range(number - self._next):
            self._reader.next()  # its skip_frames is wrong too
        self._next = number + 1
        try:
            image = Image.fromarray(self._reader.next().asnumpy())
        except StopIteration as error:  # which a generator of the caller would take for its own end
            raise ValueError(f"frame {number} of {self.times.count} is missing") from error
        check_size(*image.size)
        return image

    def close(self) -> None:
        """Closes the reader."""
        self._reader = None


def decord_limit(path: Path) -> str:
    """Why decord is not used for the file, or ""."""
    return limit_of(path, _CODECS, QUARTER_TURNS)
