"""The pictures of a page: small JPEGs by name, each made once, source after source.

Knows views, sizes and JPEG. Knows nothing of pages: whoever asks keeps the bytes, in the page or in a folder beside it.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image

from pixel_env.errors import MediaError
from pixel_env.media.encoding import encoded
from pixel_env.media.images import CACHE, show
from pixel_env.views import Source, View, ViewBudgets

SOURCE_SIDE = 768
"""The longer side of a task's picture on the page, in pixels, at most."""
FRAME_SIDE = 224
"""The same of a frame in a film strip."""
VIEW_SIDE = 512
"""The same of what the model was shown."""
_SMALL_SIDE = 256  # below, JPEG's noise would be taken for what the model saw
_WORKERS = 4


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels, before the page's own limit: of a source its own, of a view as the model saw it."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a picture is not there."""

    reason: str


Keep = Callable[[str, bytes], None]
"""Takes the name and the bytes of a picture; called from several threads."""


@dataclass(frozen=True, slots=True)
class _Job:
    """A picture to make: of `source`, or of `view` as it was shown."""

    name: str
    source: Source
    side: int
    view: View | None = None
    budgets: ViewBudgets | None = None


class PictureList:
    """The pictures that a page asks for, each once however often it is asked for."""

    def __init__(self) -> None:
        self._by_source: dict[str, dict[str, _Job]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_source.values()))

    def of_source(self, source: Source, side: int) -> str:
        """The name of the picture of the whole source, at most `side` pixels long."""
        return self._add(_Job(_name("source", source.key, side), source, side))

    def of_view(self, view: View, budgets: ViewBudgets) -> str:
        """The name of the picture of what the model was shown."""
        name = _name("view", view.key, _budgets_of(view, budgets), VIEW_SIDE)
        return self._add(_Job(name, view.source, VIEW_SIDE, view, budgets))

    def make(self, keep: Keep) -> Iterator[tuple[str, Size | Unreadable]]:
        """Makes all of them, some side by side; gives each one's name and size as they are done."""

        def made(jobs: dict[str, _Job]) -> list[tuple[str, Size | Unreadable]]:
            return [(job.name, _make(job, keep)) for job in jobs.values()]

        # One source, one thread: it is decoded once, and its pictures are cut while it is in the cache.
        with ThreadPoolExecutor(min(_WORKERS, os.cpu_count() or 1)) as pool:
            for pictures in pool.map(made, self._by_source.values()):
                yield from pictures

    def _add(self, job: _Job) -> str:
        self._by_source.setdefault(job.source.key, {}).setdefault(job.name, job)
        return job.name


def _make(job: _Job, keep: Keep) -> Size | Unreadable:
    try:
        if job.view is None or job.budgets is None:
            picture = CACHE.get(job.source)
        else:
            picture = Image.fromarray(show(job.view, job.budgets))
    except MediaError as error:
        return Unreadable(str(error))
    size = Size(picture.width, picture.height)
    keep(job.name, _jpeg(picture, job.side))
    return size


def _jpeg(picture: Image.Image, side: int) -> bytes:
    if max(picture.size) > side:
        picture = picture.copy()  # the cache's pictures are shared
        picture.thumbnail((side, side), reducing_gap=2.0)
    is_small = max(picture.size) <= _SMALL_SIDE
    return encoded(picture, "jpeg", quality=92 if is_small else 82, subsampling=0 if is_small else 2)


def _name(*told: object) -> str:
    """A name by content: equal names mean equal pixels, so that a second page beside the first finds them made."""
    return hashlib.sha256(repr(told).encode()).hexdigest()[:20]


def _budgets_of(view: View, budgets: ViewBudgets) -> tuple[object, ...]:
    return (budgets.of(view.kind), *(() if view.via is None else _budgets_of(view.via, budgets)))
