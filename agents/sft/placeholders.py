"""Placeholder images with a size and no pixels, so that an episode's tokens are counted without decoding files.

The number of tokens depends only on texts and shown sizes of images; with placeholders an episode is played in
milliseconds. Depends on sources and on where their sizes are recorded; independent of episodes.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

from pixel_env.errors import MediaError
from pixel_env.frame_times import FrameTimes
from pixel_env.media.cache import CACHE
from pixel_env.media.orientation import upright_size
from pixel_env.media.pictures import opened
from pixel_env.media.sources import FileSource
from pixel_env.operations.coordinates import Size
from pixel_env.samples.scenes import SceneSource
from pixel_env.task import Task
from pixel_env.tasks.files.clips import ClipFrame
from pixel_env.timeline import FileFrame
from pixel_env.views import Source


def with_placeholders(task: Task) -> Task:
    """The task with placeholders for its images. Raises MediaError, naming the file, for a missing one."""
    return replace(task, sources=tuple(_placeholder(source, index) for index, source in enumerate(task.sources)))


def _placeholder(source: Source, index: int) -> Source:
    width, height = size_of_source(source)
    if isinstance(source, FileFrame):
        return PlaceholderFrame(source, width, height)
    return PlaceholderSource(width, height, index)


@dataclass(frozen=True, slots=True)
class PlaceholderSource:
    """An image of this size whose pixels are never read; `index`: among the task's images, which frames tell apart."""

    width: int
    height: int
    index: int = 0

    @property
    def key(self) -> str:
        """All placeholders of one size are one image."""
        return _key(self.width, self.height)

    def decode(self) -> Image.Image:
        """The placeholder."""
        return _Placeholder(self.width, self.height)


@dataclass(frozen=True, slots=True)
class PlaceholderFrame(FileFrame):
    """A frame of a video file whose pixels are never read; its number and the video's length are the file's."""

    frame: FileFrame
    width: int
    height: int

    @property
    def key(self) -> str:
        """All placeholders of one size are one image."""
        return _key(self.width, self.height)

    def decode(self) -> Image.Image:
        """The placeholder."""
        return _Placeholder(self.width, self.height)

    def length(self) -> tuple[int, float]:
        """The video's own."""
        return self.frame.length()

    def times(self) -> FrameTimes:
        """The video's own."""
        return self.frame.times()

    def own_number(self) -> int:
        """The frame's own."""
        return self.frame.own_number()

    def at(self, number: int) -> Source:
        """The placeholder of another frame; all frames of a video have one size."""
        return self._of(self.frame.at(number))

    def with_key(self, key: str) -> Source | None:
        """The placeholder of the frame that has this key."""
        frame = self.frame.with_key(key)
        return None if frame is None else self._of(frame)

    def _of(self, frame: Source) -> Source:
        assert isinstance(frame, FileFrame), "a frame of a file gives frames of the same file"
        return PlaceholderFrame(frame, self.width, self.height)


def _key(width: int, height: int) -> str:
    return f"placeholder:{width}x{height}"


class _Placeholder(Image.Image):
    """Crops and resized copies of it are placeholders too; anything else sees a black image, which is made then."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__()
        self._mode, self._size = "RGB", (width, height)

    def load(self) -> Any:
        """The pixels."""
        if self._im is None:
            self._im = Image.new("RGB", self.size).im
        return super().load()

    def crop(self, box: tuple[float, float, float, float] | None = None) -> Image.Image:
        left, top, right, bottom = map(int, box or (0, 0, *self.size))
        return _Placeholder(right - left, bottom - top)

    def resize(self, size: Any, *_: Any, **__: Any) -> Image.Image:
        return _Placeholder(*size)

    @property
    def __array_interface__(self) -> dict[str, Any]:
        width, height = self.size
        return {"shape": (height, width, 3), "typestr": "|u1", "version": 3, "data": bytes(width * height * 3)}


def size_of_source(source: Source) -> Size:
    """Width and height of the source, from its header where it has one. Raises MediaError.

    Of a video one frame is decoded. Anything else that is not a file or a scene (a page, a cell of a table, an image
    in memory) is decoded, once per cache entry.
    """
    match source:
        case FileSource(path):
            return _size_of_file(path)
        case ClipFrame(path):
            return _size_of_video(path)
        case SceneSource(scene):
            return scene.size
        case _:
            return CACHE.get(source).size


@lru_cache(maxsize=2**16)
def _size_of_file(path: Path) -> Size:
    try:
        with path.open("rb") as file, opened(file) as picture:
            return upright_size(picture, file)
    except Exception as error:  # for a broken file Pillow's readers raise nearly anything
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise MediaError(f"cannot read the image {path}: {reason}") from error


@lru_cache(maxsize=2**12)
def _size_of_video(path: Path) -> Size:
    return ClipFrame(path, 0).decode().size
