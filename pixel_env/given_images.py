"""What users hold as images, as sources: paths, PIL images and arrays.

Depends on media; independent of tasks. Everything is checked once, when the tasks are made.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from pixel_env.errors import MissingExtraError, TaskError, shortened
from pixel_env.media.pictures import has_more_frames, opened
from pixel_env.media.sources import FileSource, ImageSource
from pixel_env.views import Source

GivenImage = Source | str | Path | Image.Image | np.ndarray
"""An image as a user holds it: a source, the path of a file, a PIL image, or an array."""

_WANTED = "wanted: a path, a PIL image, an array (height, width, 3) of uint8, or a Source"


def image_sources(given: Sequence[GivenImage]) -> tuple[Source, ...]:
    """The images, in order, as sources; what is one already is kept.

    Arrays are uint8: (height, width) grey, (height, width, 3) RGB, (height, width, 4) with transparency; they are
    copied. Files must exist and begin as an image. Raises TaskError, whose message names the item.
    """
    if not isinstance(given, list | tuple):
        raise TaskError(
            f"sources are given as a list or tuple of images, got a {type(given).__name__}. "
            "Put one image in a list: sources=[image]."
        )
    return tuple(_source(item, f"sources[{position}]") for position, item in enumerate(given))


def _source(item: GivenImage, name: str) -> Source:
    match item:
        case str() | Path():
            return _of_path(item, name)
        case Image.Image():
            if min(item.size) < 1:
                raise TaskError(f"{name} is a PIL image of {item.width}x{item.height}, without a pixel")
            return ImageSource(item)
        case np.ndarray():
            return ImageSource(_of_array(item, name))
        case _:
            # Not isinstance with the protocol, which would compute the key of every source.
            if not callable(getattr(type(item), "decode", None)) or isinstance(item, bytes | bytearray):
                raise TaskError(f"{name} is a {type(item).__name__}; {_WANTED}")
            return item


def _of_path(path: str | Path, name: str) -> FileSource:
    file = Path(path).expanduser()
    try:
        is_file = file.is_file()
    except (OSError, ValueError):  # a name that no file can have: too long, or with a zero character
        is_file = False
    if not is_file:
        advice = "Download it first." if "://" in str(path) else "Give the path of an image file."
        raise TaskError(f"{name} is {shortened(str(path))}, and there is no such file. {advice}")
    try:
        with opened(file) as picture:
            has_more = has_more_frames(picture)
    except MissingExtraError:
        raise
    except Exception as error:  # a broken file makes Pillow's readers raise nearly anything
        raise TaskError(
            f"{name} is {shortened(str(path))}, which is no image that can be read. Of a video, give the frames: "
            "clip_frames(path) of pixel_env.tasks.files.clips."
        ) from error
    if has_more:
        warnings.warn(
            f"{name} is {shortened(str(path))}, which has several frames or pages; the first one is shown. To show "
            "more, give each as an image of its own.",
            stacklevel=5,
        )
    return FileSource(file)


def _of_array(array: np.ndarray, name: str) -> Image.Image:
    got = f"{name} is an array of shape {array.shape} and type {array.dtype}"
    if array.dtype != np.uint8:
        raise TaskError(f"{got}; wanted: uint8, 0 to 255. Scale and round it, and then call .astype(numpy.uint8).")
    if array.ndim == 3 and array.shape[0] in (1, 3, 4) and array.shape[2] not in (1, 3, 4):
        raise TaskError(f"{got}; wanted: (height, width, 3). Move the channels last: array.transpose(1, 2, 0).")
    if array.ndim == 4:
        raise TaskError(f"{got}; wanted: one image an item. Give the frames as a list: sources=list(array).")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or 0 in array.shape:
        raise TaskError(f"{got}; wanted: (height, width, 3)")
    # Copied: a buffer that is filled anew for the next image must not change this one.
    return Image.fromarray(array.copy())
