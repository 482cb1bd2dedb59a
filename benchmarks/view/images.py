"""The images of a page: small JPEGs by name, each made once, grouped by source.

Depends on views, sizes and JPEG; independent of pages: the caller stores the bytes, in the page or in a folder.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image

from pixel_env.errors import MediaError
from pixel_env.media.cache import CACHE
from pixel_env.media.encoding import encoded
from pixel_env.media.showing import show
from pixel_env.views import Source, View, ViewBudgets

SOURCE_SIDE = 768
"""Maximum of the longer side of a task's image on the page, in pixels."""
FRAME_SIDE = 224
"""The same for a frame in a film strip."""
VIEW_SIDE = 512
"""The same for an image that the model saw."""
_SMALL_SIDE = 256  # smaller ones need a high quality: JPEG artefacts would be mistaken for the model's input
_WORKERS = 4


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels, before the page's limit: of a source its own, of a view as the model saw it."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why an image is missing."""

    reason: str


Keep = Callable[[str, bytes], None]
"""Stores an image under a name; called from several threads."""


@dataclass(frozen=True, slots=True)
class _Job:
    """An image to make: of `source`, or of `view` as it was shown."""

    name: str
    source: Source
    side: int
    view: View | None = None
    budgets: ViewBudgets | None = None


class ImageList:
    """The images of a page, without duplicates."""

    def __init__(self) -> None:
        self._by_source: dict[str, dict[str, _Job]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_source.values()))

    def of_source(self, source: Source, side: int) -> str:
        """The name of the image of the whole source, with a longer side of at most `side` pixels."""
        return self._add(_Job(_name("source", source.key, side), source, side))

    def of_view(self, view: View, budgets: ViewBudgets) -> str:
        """The name of the image of a view as the model saw it."""
        name = _name("view", view.key, _budgets_of(view, budgets), VIEW_SIDE)
        return self._add(_Job(name, view.source, VIEW_SIDE, view, budgets))

    def make(self, keep: Keep) -> Iterator[tuple[str, Size | Unreadable]]:
        """Makes all images, several in parallel; yields the name and size of each finished one."""

        def made(jobs: dict[str, _Job]) -> list[tuple[str, Size | Unreadable]]:
            return [(job.name, _make(job, keep)) for job in jobs.values()]

        # One thread for each source: it is decoded once, and its crops are made while it is in the cache.
        with ThreadPoolExecutor(min(_WORKERS, os.cpu_count() or 1)) as pool:
            for results in pool.map(made, self._by_source.values()):
                yield from results

    def _add(self, job: _Job) -> str:
        self._by_source.setdefault(job.source.key, {}).setdefault(job.name, job)
        return job.name


def _make(job: _Job, keep: Keep) -> Size | Unreadable:
    try:
        if job.view is None or job.budgets is None:
            image = CACHE.get(job.source)
        else:
            image = Image.fromarray(show(job.view, job.budgets))
    except MediaError as error:
        return Unreadable(str(error))
    size = Size(image.width, image.height)
    keep(job.name, _jpeg(image, job.side))
    return size


def _jpeg(image: Image.Image, side: int) -> bytes:
    if max(image.size) > side:
        image = image.copy()  # the cache's images are shared
        image.thumbnail((side, side), reducing_gap=2.0)
    is_small = max(image.size) <= _SMALL_SIDE
    return encoded(image, "jpeg", quality=92 if is_small else 82, subsampling=0 if is_small else 2)


def _name(*identity: object) -> str:
    """A name by content: equal names mean equal pixels, so that two pages in one folder can share files."""
    return hashlib.sha256(repr(identity).encode()).hexdigest()[:20]


def _budgets_of(view: View, budgets: ViewBudgets) -> tuple[object, ...]:
    colors = () if budgets.colors == "srgb" else (budgets.colors,)
    return (budgets.of(view.kind), *colors, *(() if view.via is None else _budgets_of(view.via, budgets)))
