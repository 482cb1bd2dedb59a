"""The size of a view, natively and as it is shown.

Depends on views and the cache; independent of tasks, episodes and dialects.
"""

import math

from pixel_env.errors import MediaError
from pixel_env.media.cache import CACHE
from pixel_env.views import Cut, PixelBudget, View, ViewBudgets

MAX_ASPECT_RATIO = 200.0
"""Longer images are refused (Qwen's smart_resize has the same bound)."""

_NOISE = 1e-9


def ratio_fault(width: int, height: int) -> str:
    """Why an image of this size is too long to be shown, or ""."""
    if max(width, height) <= MAX_ASPECT_RATIO * min(width, height):
        return ""
    return f"{width}x{height} is longer than {MAX_ASPECT_RATIO:.0f} to 1"


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
