"""One row of a task file, with access to its values that reports what is wrong with them.

Depends on values; independent of file formats and benchmarks.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixel_env.errors import TaskError, shortened

_LONGEST_PATH = 300  # a longer text given as a path is something else, such as an image in base64


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its location ("line 3") and its columns. `problem`: why it could not be read, or ""."""

    file: Path
    number: int
    location: str
    values: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""

    def value(self, *names: str) -> Any:
        """The first of these columns that is given and not null. Raises TaskError if none is."""
        value = self.optional(*names)
        if value is None:
            raise TaskError(f"it has no {' or '.join(map(repr, names))}")
        return value

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

    def name(self, *names: str) -> str:
        """The first of these columns that is given, as a text; the row's number if none is."""
        value = self.optional(*names)
        return str(self.number if value is None else value)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _is_plain(item: object) -> bool:
    return isinstance(item, str | int | float) and not isinstance(item, bool)


def missing(path: Path) -> TaskError:
    """The error for a path where nothing is."""
    name = str(path)
    shown = repr(name) if len(name) <= _LONGEST_PATH else shortened(name)
    return TaskError(
        f"there is no file or folder {shown}. Give a path, the id of a data set on the hub (owner/name), or an "
        "embedded set (sample:NAME)."
    )


def is_finite(value: object) -> bool:
    """Whether it is a finite number: JSON also has NaN, Infinity, and whole numbers too large for a float."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def is_writable(text: str) -> bool:
    """Whether UTF-8 can encode it. JSON can escape half of a surrogate pair, which no file or endpoint accepts."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_writable(name: str, text: str) -> None:
    """Raises TaskError unless the text is writable; the message calls it `name`."""
    if not is_writable(text):
        raise TaskError(
            f"{name!r} holds a lone surrogate, half of a character, which UTF-8 cannot encode, got {shortened(text)}; "
            "write the whole character"
        )
