"""Reward functions of TRL's form, whose errors name the function and the task.

TRL calls such a function with lists, one entry per rollout, and expects a list of numbers, None where it does not
apply. Depends on that form; independent of the trainer, of rollouts and of group rewards.
"""

import functools
import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Real
from typing import Any

from pixel_env.errors import ConfigError, shortened
from rewards.parts import raised_by

RewardFunction = Callable[..., Any]
"""TRL's: lists by name (`prompts`, `completions`, `completion_ids`, columns) -> a number or None per rollout."""

_OF_TRL = "trl.rewards"
_EXPECTED = "Return a list with one number per completion, None where the function does not apply."


def checked_function(function: Any) -> Any:
    """`function` with its returned values checked; a reward model, or the name of one, is returned unchanged.

    The functions of `trl.rewards` read a completion as one message: they are given the model's last one, with the
    answer. The returned function raises ConfigError, which names `function`, for an error in it, and for values other
    than one finite number or None per completion.
    """
    if isinstance(function, str) or not callable(function) or hasattr(function, "parameters"):
        return function
    name, takes_one_message = function_name(function), _module_of(function).startswith(_OF_TRL)

    def given(inputs: dict[str, Any]) -> dict[str, Any]:
        if not takes_one_message:
            return inputs
        return {**inputs, "completions": [[_last_of_model(messages)] for messages in inputs["completions"]]}

    if _is_async(function):

        async def called_async(**inputs: Any) -> list[float | None]:
            with _named(name, inputs):
                returned = await function(**given(inputs))
            return checked_values(returned, len(inputs["completions"]), name)

        return _titled(called_async, function)

    def called(**inputs: Any) -> list[float | None]:
        with _named(name, inputs):
            returned = function(**given(inputs))
        return checked_values(returned, len(inputs["completions"]), name)

    return _titled(called, function)


def checked_values(returned: Any, rollouts: int, name: str) -> list[float | None]:
    """The values as a list. Raises ConfigError, with what was returned, if they are not one number or None each."""
    values = returned.tolist() if hasattr(returned, "tolist") else returned
    what = f"The reward function {name} returned"
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise ConfigError(f"{what} {shortened(returned)}, a {type(returned).__name__}. {_EXPECTED}")
    if len(values) != rollouts:
        raise ConfigError(f"{what} {len(values)} values for {rollouts} completions: {shortened(returned)}. {_EXPECTED}")
    for index, value in enumerate(values):
        if value is not None and not (isinstance(value, Real) and math.isfinite(value)):
            raise ConfigError(f"{what} {shortened(value)} for completion {index}. {_EXPECTED}")
    return [None if value is None else float(value) for value in values]


def function_name(function: Any) -> str:
    """The function as a user would find it: 'module:function', or the type of an object that can be called."""
    inner = _inner(function)
    name = getattr(inner, "__qualname__", type(inner).__qualname__)
    return f"'{_module_of(inner)}:{name}'"


def _inner(function: Any) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    return function


def _module_of(function: Any) -> str:
    inner = _inner(function)
    return str(getattr(inner, "__module__", None) or type(inner).__module__)


def _is_async(function: Any) -> bool:
    inner = _inner(function)
    return inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(getattr(inner, "__call__", None))  # noqa: B004


def _titled(called: RewardFunction, function: Any) -> RewardFunction:
    """`called` under the name of `function`, by which TRL logs it."""
    inner = _inner(function)
    called.__name__ = getattr(inner, "__name__", type(inner).__name__)
    called.__wrapped__ = function  # type: ignore[attr-defined]
    return called


@contextmanager
def _named(name: str, inputs: Mapping[str, Any]) -> Iterator[None]:
    with raised_by(f"The reward function {name}", sorted(set(inputs.get("task_id", ())))):
        yield


def _last_of_model(messages: Sequence[Mapping[str, str]]) -> Mapping[str, str]:
    return next(message for message in reversed(messages) if message["role"] == "assistant")
