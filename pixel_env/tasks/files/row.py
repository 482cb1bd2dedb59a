"""One row of a task file, and how it says what is wrong with one of its values.

Independent of file formats and benchmarks.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixel_env.errors import TaskError


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it stands (`place`, for people) and its columns. `problem`: why it has none."""

    file: Path
    number: int
    place: str
    values: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""

    def value(self, *names: str) -> Any:
        """The first of these columns that is given and not null. Raises TaskError if none is."""
        found = self.optional(*names)
        if found is None:
            raise TaskError(f"it has no {' or '.join(map(repr, names))}")
        return found

    def optional(self, *names: str) -> Any:
        """The first of these columns that is given and not null, or None."""
        values = (self.values.get(name) for name in names)
        return next((value for value in values if value is not None and not _is_nan(value)), None)

    def text(self, *names: str) -> str:
        """A text that is not blank and can be written. Raises TaskError."""
        value = self.value(*names)
        if not isinstance(value, str) or not value.strip():
            raise TaskError(f"{names[0]!r} must be a text that is not empty, got {shortened(value)}")
        check_writable(names[0], value)
        return value.strip()

    def texts(self, *names: str) -> tuple[str, ...]:
        """A text or a list of texts, as texts that can be written; numbers count as their digits. Raises TaskError."""
        value = self.value(*names)
        items = value if isinstance(value, list) else [value]
        if not items or not all(_is_plain(item) and str(item).strip() for item in items):
            raise TaskError(f"{names[0]!r} must be a text or a list of texts, none empty, got {shortened(value)}")
        for item in items:
            check_writable(names[0], str(item))
        return tuple(str(item).strip() for item in items)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _is_plain(item: object) -> bool:
    return isinstance(item, str | int | float) and not isinstance(item, bool)


def is_finite(value: object) -> bool:
    """Whether it is a number to reckon with: JSON also has NaN, Infinity, and whole numbers too large for a float."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def is_writable(text: str) -> bool:
    """Whether UTF-8 can hold it. JSON can escape half of a surrogate pair, which no file, model or endpoint takes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_writable(name: str, text: str) -> None:
    """Raises TaskError, which calls the text `name`, unless it is writable."""
    if not is_writable(text):
        raise TaskError(
            f"{name!r} holds a lone surrogate, half of a character that UTF-8 cannot hold, got {shortened(text)}; "
            "write the character whole"
        )


def shortened(value: object) -> str:
    """`value` for a message: a row may hold a whole picture."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
