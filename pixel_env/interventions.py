"""Interventions: replace the views that an operation returns by others, to measure whether the model uses them.

Depends on views and random generators; independent of dialects and rewards. `env.py` executes an operation, passes its
views to the intervention, and shows what the intervention returns. The text of the observation does not change: the
model reads the same and sees something else. Later operations act on the views that were shown: a crop of a blank image
is blank, a crop of a random crop lies within it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pixel_env.boxes import FULL, Box
from pixel_env.media.cache import CACHE
from pixel_env.media.sizes import shown_size
from pixel_env.media.sources import BlankSource
from pixel_env.seeding import rng_of
from pixel_env.task import Task
from pixel_env.timeline import timeline_of
from pixel_env.views import Cut, Magnified, Source, View, ViewBudgets


@dataclass(frozen=True, slots=True)
class ExecutedOperation:
    """An operation that was executed: its views, and its position in the episode.

    `turn` counts from 0; `parent` is the view that was cropped or transformed, None for selected frames; `budgets`: the
    pixel budgets of the episode.
    """

    task: Task
    turn: int
    views: tuple[View, ...]
    parent: View | None
    budgets: ViewBudgets


Look = ExecutedOperation
"""An earlier name of `ExecutedOperation`."""

Intervention = Callable[[ExecutedOperation], tuple[View, ...]]
"""From an executed operation to the views that are shown. Several threads call it, in any order."""


def unchanged(executed: ExecutedOperation) -> tuple[View, ...]:
    """The views of the operation itself."""
    return executed.views


def blank(executed: ExecutedOperation) -> tuple[View, ...]:
    """A mid-grey image instead of each view, of the same size as shown."""
    return tuple(_blanked(view) for view in executed.views)


def _blanked(view: View) -> View:
    via = None if view.via is None else _blanked(view.via)
    return replace(view, source=BlankSource.instead_of(view.source), via=via)


def withheld(executed: ExecutedOperation) -> tuple[View, ...]:
    """No image: only the text comes back."""
    return ()


def random_position(seed: int) -> Intervention:
    """A crop of the same size at a random position of the image that was cropped; for frames, as many random frames.

    The position is uniform and depends on the seed, the task's id and the turn alone. Random frames are in order of
    time, and none is repeated while there are enough.
    """

    def moved(executed: ExecutedOperation) -> tuple[View, ...]:
        rng = rng_of(f"{seed}/{executed.turn}/{executed.task.task_id}")
        if executed.parent is None:
            frame, total = _frames_to_draw_from(executed)
            count = len(executed.views)
            numbers = sorted(rng.choice(total, count, replace=count > total).tolist())
            return tuple(
                replace(view, source=frame(number)) for view, number in zip(executed.views, numbers, strict=True)
            )
        return tuple(_moved(view, executed.parent, executed.budgets, rng) for view in executed.views)

    return moved


def _frames_to_draw_from(executed: ExecutedOperation) -> tuple[Callable[[int], Source], int]:
    """The frames of the overview; all frames of the file if the operation showed others."""
    sources = executed.task.sources
    known = {source.key for source in sources}
    timeline = None if all(view.source.key in known for view in executed.views) else timeline_of(executed.task)
    return (sources.__getitem__, len(sources)) if timeline is None else (timeline.frame, timeline.frame_count)


random_place = random_position
"""An earlier name of `random_position`."""


def _moved(view: View, parent: View, budgets: ViewBudgets, rng: np.random.Generator) -> View:
    if not view.steps:
        return replace(view, box=_moved_box(view, parent.box, budgets, rng))
    *before, last = view.steps
    if isinstance(last, Magnified) and before:
        # A plain crop has its cut among its steps only because it is magnified.
        first = before[0]
        is_plain = not parent.steps and len(before) == 1 and isinstance(first, Cut) and first.rounding == "outward"
        cut = replace(view, steps=() if is_plain else tuple(before))
        return _moved(cut, parent, budgets, rng).magnified(last.factor, last.max_pixels)
    if not isinstance(last, Cut):
        return view  # the whole image, transformed: there is no other position to take it from
    box = _moved_cut(view, last, budgets, rng)
    return parent.cut(box, kind=view.kind, of_shown=view.via is not None, rounding=last.rounding)


def _moved_cut(view: View, cut: Cut, budgets: ViewBudgets, rng: np.random.Generator) -> Box:
    """A box of the same size in whole pixels, anywhere on the image that `cut`, the last step of `view`, cuts."""
    size = CACHE.size_of(view.source) if view.via is None else shown_size(view.via, budgets)
    for step in view.steps[:-1]:
        size = step.result_size(*size)
    (width, height), (left, top, right, bottom) = size, cut.box.pixels(*size, cut.rounding)
    x0 = int(rng.integers(0, width - (right - left) + 1))
    y0 = int(rng.integers(0, height - (bottom - top) + 1))
    return Box(x0 / width, y0 / height, (x0 + right - left) / width, (y0 + bottom - top) / height)


def _moved_box(view: View, within: Box, budgets: ViewBudgets, rng: np.random.Generator) -> Box:
    # By whole pixels of the image that is cropped: a fraction of a pixel could change the size at which it is shown.
    if view.via is None:
        outer, (width, height) = FULL, CACHE.size_of(view.source)
    else:
        outer, (width, height) = view.via.box, shown_size(view.via, budgets)
    left, top, right, bottom = view.box.relative_to(outer).pixels(width, height)
    first_left, first_top, last_right, last_bottom = within.relative_to(outer).pixels(width, height)
    x0 = int(rng.integers(first_left, last_right - (right - left) + 1))
    y0 = int(rng.integers(first_top, last_bottom - (bottom - top) + 1))
    x1, y1 = x0 + right - left, y0 + bottom - top
    return Box(x0 / width, y0 / height, x1 / width, y1 / height).within(outer)
