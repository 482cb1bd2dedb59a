"""Stored rows of evaluations and of trainings, each checked as it is read: its reader finds the values that it expects.

A row comes from a folder that anybody may have made. Its trajectory is checked where it becomes one
(`pixel_env/store.py`). Depends on stored rows; independent of tasks, images and models.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pixel_env.episode import Stop
from pixel_env.errors import ConfigError, shortened
from pixel_env.operations.arguments import is_number
from pixel_env.store import read_with_errors

_STOPS = (*Stop, None)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: object) -> bool:
    return is_number(value) and math.isfinite(value)


def _are_numbers(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_number, value.values()))


Fields = Mapping[str, tuple[Callable[[Any], bool], str]]
"""What a value must be, as a test and in words, by its key."""

_FIELDS: Fields = {
    "task_id": (_is_text, "a text"),
    "policy": (_is_text, "a text"),
    "sample": (lambda value: value is None or _is_count(value), "null or a whole number"),
    "stop": (lambda value: value in _STOPS, f"null, {', '.join(Stop)}"),
    "reward": (_is_number, "a number"),
    "question": (_is_text, "a text"),
    "answers": (lambda value: isinstance(value, list) and all(map(_is_text, value)), "a list of texts"),
    "category": (_is_text, "a text"),
}
_OPTIONAL: Fields = {
    "error": (lambda value: value is None or _is_text(value), "null or a text"),
    "turns": (lambda value: isinstance(value, list), "a list"),
    "cluster": (_is_text, "a text"),
    "unparsed": (lambda value: isinstance(value, bool), "true or false"),
    "repeated": (_is_count, "a whole number"),
}


_COUNT = (_is_count, "a whole number")
_OF_TRAINING: Fields = {
    **{name: _FIELDS[name] for name in ("task_id", "stop", "reward", "question", "answers", "category")},
    "kind": (lambda value: value in ("train", "eval"), "train or eval"),
    "use": (_is_text, "a text"),
    **dict.fromkeys(("step", "sample", "prompt_tokens", "loss_tokens"), _COUNT),
    "advantage": (_is_number, "a number"),
    "total": (lambda value: value is None or _is_number(value), "a number or null"),
    **dict.fromkeys(("parts", "weights"), (_are_numbers, "numbers by name")),
    "functions": (
        lambda value: isinstance(value, dict) and all(one is None or _is_number(one) for one in value.values()),
        "numbers or null by name",
    ),
    "runs": (lambda value: isinstance(value, list) and all(map(_is_count, value)), "a list of whole numbers"),
}


def rows_in(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of an evaluation, in order; none if there is no file. An incomplete last line is left out.

    Raises ConfigError, which names the file and the line, for a row that is broken or not of an evaluation.
    """
    return _without_errors(rows_with_errors(path))


def training_rows_in(path: Path) -> Iterator[dict[str, Any]]:
    """As `rows_in`, of the rollouts that a training kept (`agents/run_log/rollouts.py`)."""
    return _without_errors(_checked(path, _OF_TRAINING, "a training"))


def rows_with_errors(path: Path) -> Iterator[dict[str, Any] | ConfigError]:
    """As `rows_in`, but a broken row is its error, and reading goes on after it."""
    return _checked(path, _FIELDS, "an evaluation")


def _without_errors(rows: Iterable[dict[str, Any] | ConfigError]) -> Iterator[dict[str, Any]]:
    for row in rows:
        if isinstance(row, ConfigError):
            raise row
        yield row


def _checked(path: Path, fields: Fields, what: str) -> Iterator[dict[str, Any] | ConfigError]:
    for number, row in enumerate(read_with_errors(path), start=1):
        fault = None if isinstance(row, ConfigError) else _fault_of(row, fields)
        if fault is None:
            yield row
        else:
            yield ConfigError(f"{path}, line {number} is not a row of {what}: {fault}. Remove the line.")


def _fault_of(row: Mapping[str, Any], fields: Fields) -> str | None:
    if missing := next((name for name in fields if name not in row), None):
        return f"it has no {missing!r}"
    for name, (fits, wanted) in {**fields, **_OPTIONAL}.items():
        if name in row and not _holds(fits, row[name]):
            return f"{name!r} is {shortened(row[name])}, wanted: {wanted}"
    return None


def _holds(fits: Callable[[Any], bool], value: Any) -> bool:
    try:
        return fits(value)
    except (OverflowError, TypeError):  # a whole number that no float can hold; a list, which has no hash
        return False
