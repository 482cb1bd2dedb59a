"""The pixels of a view as a model is shown them.

Depends on views, sizes and the cache; independent of tasks, episodes and dialects.
"""

import numpy as np
from PIL import Image

from pixel_env.errors import ConfigError
from pixel_env.media.cache import CACHE
from pixel_env.media.sizes import fitted_size
from pixel_env.views import Step, View, ViewBudgets


def show(view: View, budgets: ViewBudgets) -> np.ndarray:
    """The view's pixels as shown: uint8, (height, width, 3), a new array.

    Raises MediaError if the source cannot be read, ConfigError if a step breaks its contract.
    """
    image = CACHE.get(view.source, budgets.colors) if view.via is None else Image.fromarray(show(view.via, budgets))
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
