"""Pixels: sources, the size a view is shown at, and a bounded cache of decoded images.

Depends on views and Pillow; independent of tasks, episodes and dialects. Decoding happens late, once per source, and
only here; this module returns either a `View` (a reference) or the array that a model is shown.
"""

import hashlib
import math
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps

from pixel_env.errors import ConfigError, MediaError
from pixel_env.views import Cut, PixelBudget, Source, Step, View, ViewBudgets

MAX_ASPECT_RATIO = 200.0
"""Longer images are refused (Qwen's smart_resize has the same bound)."""

BLANK_PREFIX = "blank:"
"""Prefix of the key of a blank image."""

_NOISE = 1e-9
_UPRIGHT = 1


@dataclass(frozen=True)
class FileSource:
    """An image in a file. `key` is the content's hash, so copies of a file share one cache entry."""

    path: Path

    @cached_property
    def key(self) -> str:
        """sha256 of the file's bytes."""
        try:
            return hashlib.sha256(self.path.read_bytes()).hexdigest()
        except OSError as error:
            raise MediaError(f"cannot read the image {self.path}: {error.strerror}") from error

    def decode(self) -> Image.Image:
        """The image, turned upright by its EXIF tag, transparency on white."""
        try:
            with Image.open(self.path) as opened:
                ImageOps.exif_transpose(opened, in_place=True)  # not in place, an upright image would be copied
                return as_rgb(opened)
        except Exception as error:  # a broken file makes Pillow's readers raise nearly anything
            raise MediaError(f"cannot decode the image {self.path}: {error}") from error


@dataclass(frozen=True, eq=False)
class ImageSource:
    """An image that the user already holds in memory. Like a file's, it is shown upright by its EXIF tag."""

    image: Image.Image

    @cached_property
    def key(self) -> str:
        """sha256 of the pixels and their size."""
        rgb = self.decode()
        return hashlib.sha256(repr(rgb.size).encode() + rgb.tobytes()).hexdigest()

    def decode(self) -> Image.Image:
        """The image as RGB, upright. Raises MediaError if it cannot be read, as one whose file is closed already."""
        try:
            is_turned = self.image.getexif().get(ExifTags.Base.Orientation, _UPRIGHT) != _UPRIGHT
            return as_rgb(ImageOps.exif_transpose(self.image) if is_turned else self.image)
        except Exception as error:  # a broken file makes Pillow's readers raise nearly anything
            advice = "One that Image.open reads in a `with` block needs image.load() in that block."
            raise MediaError(f"cannot decode the PIL image that was given: {error}. {advice}") from error


_GREY = (128, 128, 128)


@dataclass(frozen=True, slots=True)
class BlankSource:
    """A mid-grey image of the size of the source `of`, shown instead of it."""

    of: Source

    @classmethod
    def instead_of(cls, source: Source) -> "BlankSource":
        """The blank image for `source`; a blank source is returned as it is."""
        return source if isinstance(source, cls) else cls(source)

    @property
    def key(self) -> str:
        """Contains the key of the source that it replaces, so that the viewer can show where the operation was."""
        return f"{BLANK_PREFIX}{self.of.key}"

    def decode(self) -> Image.Image:
        """The blank image. Raises MediaError if the source cannot be read."""
        # Not through the cache: a decoder that waits for another one could wait forever.
        return Image.new("RGB", self.of.decode().size, _GREY)


def as_rgb(image: Image.Image) -> Image.Image:
    """`image` as RGB; transparent pixels lie on white, 16 bits a channel become 8."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode == "RGB":
        image.load()
        return image
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


_SIZES = 100_000
"""Images whose size is remembered: about 20 MB."""


class DecodeCache:
    """Decoded images by source key, the least recently used dropped once `max_bytes` are held. Thread-safe.

    A source is decoded by one thread at a time, the others wait for it; `decoders` sources at once at most, because an
    image of 45 million pixels takes 180 MB while it is made.
    """

    def __init__(self, max_bytes: int, decoders: int | None = None) -> None:
        self.max_bytes = max_bytes
        self._decoders = threading.BoundedSemaphore(decoders or max(2, (os.cpu_count() or 2) // 4))
        self._turns: dict[str, threading.Lock] = {}
        self._images: OrderedDict[str, Image.Image] = OrderedDict()
        self._sizes: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, source: Source) -> Image.Image:
        """The decoded image of `source`. Do not draw on it: it is shared."""
        key = source.key
        if (image := self._kept(key)) is not None:
            return image
        with self._lock:
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            if (image := self._kept(key)) is not None:
                return image
            try:
                with self._decoders:
                    image = source.decode()
                self._keep(key, image)
            finally:
                with self._lock:
                    self._turns.pop(key, None)
        return image

    def size_of(self, source: Source) -> tuple[int, int]:
        """Width and height of the image, which are remembered longer than its pixels."""
        key = source.key
        with self._lock:
            size = self._sizes.get(key)
        return self.get(source).size if size is None else size

    def _kept(self, key: str) -> Image.Image | None:
        with self._lock:
            if key in self._images:
                self._images.move_to_end(key)
            return self._images.get(key)

    def _keep(self, key: str, image: Image.Image) -> None:
        with self._lock:
            self._sizes[key] = image.size
            if len(self._sizes) > _SIZES:
                self._sizes.popitem(last=False)
            if key not in self._images:
                self._images[key] = image
                self._bytes += _bytes_of(image)
            while self._bytes > self.max_bytes and len(self._images) > 1:
                _, dropped = self._images.popitem(last=False)
                self._bytes -= _bytes_of(dropped)


def _bytes_of(image: Image.Image) -> int:
    return image.width * image.height * (4 if image.mode == "RGB" else len(image.getbands()))  # Pillow pads RGB


CACHE = DecodeCache(max_bytes=256 * 2**20)
"""The process's cache. Set `CACHE.max_bytes` to change its bound."""


def fitted_size(width: int, height: int, budget: PixelBudget) -> tuple[int, int]:
    """Width and height at which a `width` x `height` image is shown.

    Qwen's `smart_resize` (qwen_vl_utils/vision_process.py): both sides rounded to multiples of the factor, scaled
    into [min_pixels, max_pixels] with the aspect ratio kept as far as the rounding allows. The one difference: a side
    that misses a multiple by rounding noise of floating point counts as that multiple.
    """
    factor = budget.factor
    width, height = _first_scaled(width, height, budget)
    if max(width, height) / min(width, height) > MAX_ASPECT_RATIO:
        raise MediaError(f"an image of {width}x{height} is longer than {MAX_ASPECT_RATIO:.0f} to 1")
    shown_width = max(factor, round(width / factor) * factor)
    shown_height = max(factor, round(height / factor) * factor)
    if shown_width * shown_height > budget.max_pixels:
        scale = math.sqrt(width * height / budget.max_pixels)
        shown_width = max(factor, math.floor(width / scale / factor + _NOISE) * factor)
        shown_height = max(factor, math.floor(height / scale / factor + _NOISE) * factor)
    elif shown_width * shown_height < budget.min_pixels:
        scale = math.sqrt(budget.min_pixels / (width * height))
        shown_width = math.ceil(width * scale / factor - _NOISE) * factor
        shown_height = math.ceil(height * scale / factor - _NOISE) * factor
    return shown_width, shown_height


def _first_scaled(width: int, height: int, budget: PixelBudget) -> tuple[int, int]:
    """The size after the rules of a budget that come before its bounds."""
    scale = budget.scale
    if budget.max_short_side is not None:
        scale = min(scale, budget.max_short_side / min(width, height))
    return (width, height) if scale == 1.0 else (max(1, int(width * scale)), max(1, int(height * scale)))


def native_size(view: View) -> tuple[int, int]:
    """Width and height of the view in pixels of the source, before it is resized to its budget.

    For a view of shown pixels (`View.via`): the size of its region of the source.
    """
    size = CACHE.size_of(view.source)
    if view.via is not None:
        return Cut(view.box).result_size(*size)
    for step in view.chain:
        size = step.result_size(*size)
    return size


def shown_size(view: View, budgets: ViewBudgets) -> tuple[int, int]:
    """Width and height at which the view is shown."""
    size = CACHE.size_of(view.source) if view.via is None else shown_size(view.via, budgets)
    for step in view.chain:
        size = step.result_size(*size)
    return fitted_size(*size, budgets.of(view.kind))


def show(view: View, budgets: ViewBudgets) -> np.ndarray:
    """The view's pixels as shown: uint8, (height, width, 3), a new array.

    Raises MediaError if the source cannot be read, ConfigError if a step breaks its contract.
    """
    image = CACHE.get(view.source) if view.via is None else Image.fromarray(show(view.via, budgets))
    for step in view.chain:
        image = _applied(step, image)
    size = fitted_size(*image.size, budgets.of(view.kind))
    if image.size == size:
        return np.array(image)
    # Cropping before resizing keeps the filter from mixing in pixels outside of the box.
    return np.array(image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0))


def _applied(step: Step, image: Image.Image) -> Image.Image:
    """The result of `step`. Raises ConfigError if it is not an RGB image of the size that the step announces."""
    result = step.apply(image)
    name = f"{type(step).__module__}:{type(step).__qualname__}"
    if not isinstance(result, Image.Image) or result.mode != "RGB":
        got = f"an image of mode {result.mode}" if isinstance(result, Image.Image) else f"a {type(result).__name__}"
        raise ConfigError(f"{name}.apply returned {got}; wanted: an RGB image. End it with .convert('RGB').")
    if result.size != (announced := step.result_size(*image.size)):
        raise ConfigError(
            f"{name}.apply returned an image of {result.width}x{result.height} pixels, and result_size announces "
            f"{announced[0]}x{announced[1]}. Correct result_size(self, width, height)."
        )
    return result
