"""The rows of a file, whatever its syntax: parquet, JSON, JSON lines, or tab-separated text.

Knows syntaxes, and how a row says what is wrong with one of its values. Knows no benchmark and opens no picture. A row
that cannot be read is a row with a `problem`; a file that cannot be read at all raises TaskError.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from pixel_env.errors import MissingExtraError, TaskError

SUFFIXES = (".parquet", ".json", ".jsonl", ".tsv")
_PEEKED = 20
_BATCH = 1024


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


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of the file, in its order. Raises TaskError for a file that cannot be read."""
    match path.suffix.lower():
        case ".parquet":
            return _parquet_rows(path)
        case ".json":
            return iter(_json_rows(path))
        case ".tsv":
            from pixel_env.tasks.tsv import read_tsv

            return read_tsv(path)
        case _:
            return _line_rows(path)


def columns_of(path: Path) -> frozenset[str]:
    """The columns of the file's first rows; empty if no row can be read. Raises TaskError as `read_rows` does."""
    if path.suffix.lower() == ".parquet":
        return frozenset(_parquet(path).schema_arrow.names)
    if path.suffix.lower() == ".tsv":
        from pixel_env.tasks.tsv import header_of

        return frozenset(header_of(path))
    return frozenset(name for row in islice(read_rows(path), _PEEKED) for name in row.values)


def _parquet_rows(path: Path) -> Iterator[Row]:
    number = 0
    try:
        for batch in _parquet(path).iter_batches(_BATCH):
            for values in batch.to_pylist():
                number += 1
                yield Row(path, number, f"row {number}", values)
    except Exception as error:  # as in _parquet
        raise TaskError(f"cannot read {path} after row {number}: {error}. Fetch it again.") from error


def _parquet(path: Path) -> Any:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError.needs("a parquet file", "data") from error
    try:
        return parquet.ParquetFile(path)
    except Exception as error:  # pyarrow's errors have nearly any of Python's as their base
        raise TaskError(f"cannot read {path}: {error}. Give a whole parquet file.") from error


def _json_rows(path: Path) -> list[Row]:
    try:
        content = json.loads(text_of(path))
    except (ValueError, RecursionError) as error:
        raise TaskError(f"cannot read {path}: {error}. Give a whole JSON file.") from error
    if isinstance(content, dict) and isinstance(content.get("data"), list):
        content = content["data"]
    entries = content if isinstance(content, list) else [content]
    return [_row_of(path, number, f"row {number}", entry) for number, entry in enumerate(entries, start=1)]


def _line_rows(path: Path) -> Iterator[Row]:
    lines = text_of(path).split("\n")  # splitlines() would cut at separators inside of texts
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            problem = f"not valid JSON ({error}); one object a line is expected"
            yield Row(path, number, place, problem=problem)
        else:
            yield _row_of(path, number, place, entry)


def _row_of(path: Path, number: int, place: str, entry: object) -> Row:
    if isinstance(entry, dict):
        return Row(path, number, place, entry)
    return Row(path, number, place, problem=f"an object is expected, got a {type(entry).__name__}")


def text_of(path: Path) -> str:
    """The file's text. Raises TaskError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise TaskError(
            f"there is no file or folder {str(path)!r}. Give a path, the id of a data set on the hub (owner/name), or "
            "an embedded set (sample:NAME)."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"cannot read the task file {path}: {error}. Give a text file in UTF-8.") from error
