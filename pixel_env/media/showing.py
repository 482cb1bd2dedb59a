"""The pixels of a view as a model is shown them, made once for all episodes of a process.

Depends on views, sizes and the caches; independent of tasks, episodes and dialects.
"""

import os
from collections.abc import Hashable, Sequence

import numpy as np
from PIL import Image

from pixel_env.boxes import FULL
from pixel_env.errors import ConfigError, MediaError
from pixel_env.media.bounded_cache import BoundedCache
from pixel_env.media.cache import CACHE
from pixel_env.media.sizes import fitted_size
from pixel_env.views import Cut, Step, View, ViewBudgets

SHOWN: BoundedCache[np.ndarray] = BoundedCache(256 * 2**20, lambda shown: shown.nbytes)
"""The process's shown images. Set `SHOWN.max_bytes` to change its bound.

Kept are whole images (overviews, frames) and the views that others are cut from. A crop is made in a fraction of the
time and seldom requested twice: it is shared while somebody holds it, and displaces nothing.
"""
os.register_at_fork(after_in_child=SHOWN.forget)


def show(view: View, budgets: ViewBudgets) -> np.ndarray:
    """The view's pixels as shown: uint8, (height, width, 3), read-only. Copy the array to draw on it.

    Whoever is shown the same view within the same budget gets the same array, from a cache (`SHOWN`). Raises
    MediaError if the source cannot be read, ConfigError if a step breaks its contract.
    """
    return _shown(view, budgets, keep=view.via is None and not view.steps and view.box == FULL)


def _shown(view: View, budgets: ViewBudgets, *, keep: bool) -> np.ndarray:
    return SHOWN.get(_key(view, budgets), lambda: _made(view, budgets), keep=keep)


def _key(view: View, budgets: ViewBudgets) -> Hashable:
    """What the shown pixels depend on."""
    for step in view.steps:
        if type(step).__hash__ is None:
            raise ConfigError(
                f"{_name_of(step)} cannot be hashed. Make it a frozen dataclass: @dataclass(frozen=True)."
            )
    via = None if view.via is None else _key(view.via, budgets)
    return view.source.key, view.box.corners, view.steps, via, budgets.of(view.kind), budgets.colors


def _made(view: View, budgets: ViewBudgets) -> np.ndarray:
    image, steps = _input(view, budgets)
    for step in steps:
        image = _applied(step, image)
    size = fitted_size(*image.size, budgets.of(view.kind))
    _check_size(size, "a pixel budget")
    if image.size != size:
        # Cropping before resizing keeps the filter from mixing in pixels outside of the box.
        image = image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
    shown = np.asarray(image)
    shown.setflags(write=False)
    return shown


def _input(view: View, budgets: ViewBudgets) -> tuple[Image.Image, Sequence[Step]]:
    """What the view is made from, and the steps that are left to do."""
    if view.via is None:
        return CACHE.get(view.source, budgets.colors), view.chain
    shown = _shown(view.via, budgets, keep=True)
    match view.chain:
        case (Cut(box, rounding), *steps):  # cut here: a shown image is large, and becomes Pillow's by a copy
            return _cut_out(shown, box.pixels(shown.shape[1], shown.shape[0], rounding)), steps
        case steps:
            return Image.fromarray(shown), steps


def _cut_out(shown: np.ndarray, pixels: tuple[int, int, int, int]) -> Image.Image:
    """A part (left, top, right, bottom) of a shown image, its rows copied once."""
    left, top, right, bottom = pixels
    row = 3 * shown.shape[1]
    part = shown.reshape(-1)[top * row + 3 * left :]
    return Image.frombuffer("RGB", (right - left, bottom - top), part, "raw", "RGB", row, 1)


def _applied(step: Step, image: Image.Image) -> Image.Image:
    """The result of `step`. Raises ConfigError if it is not an RGB image of the size that the step announces."""
    name = _name_of(step)
    _check_size(step.result_size(*image.size), name)
    result = step.apply(image)
    if not isinstance(result, Image.Image) or result.mode != "RGB":
        got = f"an image of mode {result.mode}" if isinstance(result, Image.Image) else f"a {type(result).__name__}"
        raise ConfigError(f"{name}.apply returned {got}; wanted: an RGB image. End it with .convert('RGB').")
    if result.size != (announced := step.result_size(*image.size)):
        raise ConfigError(
            f"{name}.apply returned an image of {result.width}x{result.height} pixels, and result_size announces "
            f"{announced[0]}x{announced[1]}. Correct result_size(self, width, height)."
        )
    return result


def _check_size(size: tuple[int, int], by: str) -> None:
    """Raises MediaError for an image larger than Pillow would read: stored views and budgets may ask for any size."""
    bound = Image.MAX_IMAGE_PIXELS
    if bound is not None and size[0] * size[1] > 2 * bound:
        raise MediaError(f"{by} makes an image of {size[0]}x{size[1]} pixels, more than {2 * bound}")


def _name_of(step: Step) -> str:
    return f"{type(step).__module__}:{type(step).__qualname__}"
