"""Interventions: what a model is shown instead of what its operation brought.

Knows views and chance. Executes nothing and shows nothing: `env.py` executes an operation, asks the intervention for
the views to show, and shows those. The text of the observation stays that of the operation, so that with each of these
the model is told the same and sees something else. Whatever is shown is what later turns look at: a crop of a blank is
blank, a crop of a random crop lies within it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pixel_env.boxes import FULL, Box
from pixel_env.media.images import CACHE, BlankSource, shown_size
from pixel_env.seeding import rng_of
from pixel_env.task import Task
from pixel_env.views import Cut, View, ViewBudgets


@dataclass(frozen=True, slots=True)
class Look:
    """An operation that was executed: its views, and where it stands in the episode.

    `turn` counts from 0; `parent` is the view that was cropped, None for frames that were selected; `budgets` are
    those that the episode's views are shown within.
    """

    task: Task
    turn: int
    views: tuple[View, ...]
    parent: View | None
    budgets: ViewBudgets


Intervention = Callable[[Look], tuple[View, ...]]
"""From what an operation brought to what is shown. It is called by several threads, in any order."""


def unchanged(look: Look) -> tuple[View, ...]:
    """What the operation brought."""
    return look.views


def blank(look: Look) -> tuple[View, ...]:
    """A mid-grey picture in place of each, at the size at which it would have been shown."""
    return tuple(_blanked(view) for view in look.views)


def _blanked(view: View) -> View:
    via = None if view.via is None else _blanked(view.via)
    return replace(view, source=BlankSource.instead_of(view.source), via=via)


def withheld(look: Look) -> tuple[View, ...]:
    """No picture: the text alone comes back."""
    return ()


def random_place(seed: int) -> Intervention:
    """A crop of the same size at a uniform place of the picture that was cropped; for frames, as many drawn ones.

    The place depends on the seed, the task's id and the turn alone. Drawn frames come in the order of time, and none
    twice while there are enough.
    """

    def moved(look: Look) -> tuple[View, ...]:
        rng = rng_of(f"{seed}/{look.turn}/{look.task.task_id}")
        if look.parent is None:
            sources, count = look.task.sources, len(look.views)
            places = sorted(rng.choice(len(sources), count, replace=count > len(sources)).tolist())
            return tuple(replace(view, source=sources[place]) for view, place in zip(look.views, places, strict=True))
        return tuple(_moved(view, look.parent, look.budgets, rng) for view in look.views)

    return moved


def _moved(view: View, parent: View, budgets: ViewBudgets, rng: np.random.Generator) -> View:
    if not view.steps:
        return replace(view, box=_moved_box(view, parent.box, budgets, rng))
    last = view.steps[-1]
    if not isinstance(last, Cut):
        return view  # the whole image, transformed: there is no other position to take it from
    return parent.cut(_moved_cut(view, last.box, budgets, rng), kind=view.kind, of_shown=view.via is not None)


def _moved_cut(view: View, box: Box, budgets: ViewBudgets, rng: np.random.Generator) -> Box:
    """A box of the same size in whole pixels, anywhere on the image that the last step of `view` cuts."""
    size = CACHE.size_of(view.source) if view.via is None else shown_size(view.via, budgets)
    for step in view.steps[:-1]:
        size = step.result_size(*size)
    (width, height), (left, top, right, bottom) = size, box.pixels(*size)
    x0 = int(rng.integers(0, width - (right - left) + 1))
    y0 = int(rng.integers(0, height - (bottom - top) + 1))
    return Box(x0 / width, y0 / height, (x0 + right - left) / width, (y0 + bottom - top) / height)


def _moved_box(view: View, within: Box, budgets: ViewBudgets, rng: np.random.Generator) -> Box:
    # By whole pixels of what is cut: a part of a pixel could change the size at which the crop is shown.
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
