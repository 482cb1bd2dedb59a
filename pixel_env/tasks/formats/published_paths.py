"""Paths in published files, which name images and videos as they lie on their author's disk.

A row says "VisualProbe_Hard/data/7.jpg" or "../ZoomBench/images/7.png"; after a download the file is at "data/7.jpg" or
"images/7.png". Depends on the data folder; independent of formats.
"""

import stat
from collections.abc import Iterator, Sequence

from pixel_env.errors import TaskError
from pixel_env.tasks.files.clips import VIDEO_SUFFIXES, ClipFrame
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import shortened
from pixel_env.views import Source

_MOST_PARTS = 4  # of an end that is looked up
_VIDEO_ENDINGS = ("", ".mp4", ".MP4", ".mkv", ".webm", *(ending for ending in VIDEO_SUFFIXES if ending != ".mp4"))


def images_named(value: object, column: str, images: ImageFolder) -> tuple[Source, ...]:
    """The images of a cell: in the task file, or by path, whose first folders may be missing. Raises TaskError."""
    items = value if isinstance(value, list | tuple) else [value]
    if not items or value is None:
        raise TaskError(f"it has no image: {column!r} is empty")
    return tuple(_image(item, column, images) for item in items)


def _image(item: object, column: str, images: ImageFolder) -> Source:
    found = _found(item, images) if isinstance(item, str) else None
    [source] = images.sources([item if found is None else found], column)
    return source


def video_named(name: str, images: ImageFolder, stated_s: float | None = None) -> tuple[ClipFrame, ...]:
    """The frames of the video, whose first folders and whose ending may be missing. Raises TaskError.

    `stated_s`: how many seconds it lasts, as the row says.
    """
    for ending in _VIDEO_ENDINGS:
        found = _found(f"{name}{ending}", images)
        if found is not None:
            return images.clip(found, stated_s=stated_s)
    folders = ", ".join(folder for folder in images.below if folder)
    raise TaskError(f"there is no video {shortened(name)}; put it beside the task file, or into {folders} there")


def _found(name: str, images: ImageFolder) -> str | None:
    """The longest end of the path that is a file of the data folder, None if there is none."""
    return next((end for end in _ends(name.split("/")) if images.find(end, stat.S_ISREG) is not None), None)


def _ends(parts: Sequence[str]) -> Iterator[str]:
    """The whole path, then its ends, the longest first; none of them leads out of a folder."""
    inside = [part for part in parts if part not in ("", ".")]
    start = max((number for number, part in enumerate(inside) if part == ".."), default=-1) + 1
    for first in dict.fromkeys((start, *range(max(start, len(inside) - _MOST_PARTS), len(inside)))):
        yield "/".join(inside[first:])
