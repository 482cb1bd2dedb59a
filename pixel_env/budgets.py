"""What an episode may use: pixels per view, turns, images and tokens, as given by a user, a task set or a dialect.

Combines the three and reads a configuration written as JSON. Depends on dialects and task sets; independent of the
environment.
"""

import dataclasses
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Limits
from pixel_env.errors import ConfigError
from pixel_env.task import TaskSet
from pixel_env.views import ViewBudgets, ViewKind

_BYTES_PER_TOKEN = 4


def budgets_for(given: ViewBudgets | Mapping[str, Any] | None, task_set: TaskSet, dialect: Dialect) -> ViewBudgets:
    """The user's budgets as given, else the task set's pixels in the dialect's multiples, else the dialect's own.

    A dialect whose checkpoints ignore colour profiles (`colors` "stored") ignores them with any budgets. Warns if the
    user's are larger than those that the task set declares: a crop may then be unnecessary.
    """
    if given is None:
        return dialect.budgets if task_set.budgets is None else _in_multiples_of(task_set.budgets, dialect.budgets)
    budgets = given if isinstance(given, ViewBudgets) else _budgets_from(given)
    if task_set.budgets is not None:
        _warn_if_larger(budgets, task_set.budgets, task_set.name)
    return budgets.with_colors_of(dialect.budgets)


def _in_multiples_of(budgets: ViewBudgets, other: ViewBudgets) -> ViewBudgets:
    # The task set decides how many pixels are shown; the dialect decides which multiples the model can take.
    given = {kind: getattr(budgets, kind) for kind in ViewKind}
    return dataclasses.replace(
        budgets,
        **{
            kind.value: dataclasses.replace(budget, factor=other.of(kind).factor)
            for kind, budget in given.items()
            if budget is not None
        },
    ).with_colors_of(other)


def _warn_if_larger(given: ViewBudgets, declared: ViewBudgets, name: str) -> None:
    for kind in (ViewKind.ORIGINAL, ViewKind.VIDEO_FRAME):
        if given.of(kind).max_pixels > declared.of(kind).max_pixels:
            warnings.warn(
                f"the pixel budget of the kind {kind.value!r} ({given.of(kind).max_pixels}) is larger than the one for "
                f"which {name!r} was made ({declared.of(kind).max_pixels}): the answer may be readable without a crop. "
                "Leave out budgets= to use the budgets of the task set.",
                stacklevel=4,
            )


def limits_from(given: Limits | Mapping[str, Any]) -> Limits:
    """`given` as Limits; a mapping (from a spec written as JSON) has their names as keys. Raises ConfigError."""
    if isinstance(given, Limits):
        return given
    try:
        return Limits(**given)
    except (TypeError, ValueError) as error:
        names = ", ".join(field.name for field in dataclasses.fields(Limits))
        raise ConfigError(f"limits cannot be read: {error}. Wanted: Limits, or a mapping with {names}.") from error


def _budgets_from(given: Mapping[str, Any]) -> ViewBudgets:
    try:
        return ViewBudgets.from_row(given)
    except (TypeError, ValueError) as error:
        kinds = ", ".join(kind.value for kind in ViewKind)
        raise ConfigError(
            f"budgets cannot be read: {error}. Wanted: ViewBudgets, or a mapping with {kinds}, each with min_pixels, "
            "max_pixels and factor; and colors, srgb or stored."
        ) from error


def token_estimate(factor: int) -> Callable[[str, Sequence[tuple[int, int]]], int]:
    """A counter that needs no model: one token for four UTF-8 bytes, rounded up, and one for factor x factor pixels.

    For English prose this is within about 20 % of a byte-pair tokenizer; numbers, JSON and other scripts cost real
    tokenizers more. The image tokens are exact for Qwen's vision towers, without the two tokens around an image.
    """

    return partial(_estimated_tokens, factor)  # unlike a closure it can be pickled, and with it the environment


def _estimated_tokens(factor: int, text: str, sizes: Sequence[tuple[int, int]]) -> int:
    images = sum((width // factor) * (height // factor) for width, height in sizes)
    return -(-len(text.encode("utf-8", "surrogatepass")) // _BYTES_PER_TOKEN) + images
