"""The rows of a file, whatever its syntax: parquet, JSON, JSON lines, or tab-separated text.

Depends on syntaxes and rows; independent of benchmarks and images. A row that cannot be read is a row with a `problem`;
a file that cannot be read at all raises TaskError.
"""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pixel_env.errors import MissingExtraError, TaskError
from pixel_env.tasks.files.row import Row

SUFFIXES = (".parquet", ".json", ".jsonl", ".tsv")
_PEEKED = 20
_BATCH = 1024


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of the file, in its order. Raises TaskError for a file that cannot be read."""
    match path.suffix.lower():
        case ".parquet":
            return _parquet_rows(path)
        case ".json":
            return iter(_json_rows(path))
        case ".tsv":
            from pixel_env.tasks.files.tsv import read_tsv

            return read_tsv(path)
        case _:
            return _line_rows(path)


def columns_of(path: Path) -> frozenset[str]:
    """The columns of the file's first rows; empty if no row can be read. Raises TaskError as `read_rows` does."""
    if path.suffix.lower() == ".parquet":
        return frozenset(_parquet(path).schema_arrow.names)
    if path.suffix.lower() == ".tsv":
        from pixel_env.tasks.files.tsv import header_of

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
        raise TaskError(f"cannot read {path} after row {number}: {error}. Download it again.") from error


def _parquet(path: Path) -> Any:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError.needs("a parquet file", "data") from error
    try:
        return parquet.ParquetFile(path)
    except Exception as error:  # pyarrow's errors have no common base class
        raise TaskError(f"cannot read {path}: {error}. Give a complete parquet file.") from error


def _json_rows(path: Path) -> list[Row]:
    try:
        content = json.loads(text_of(path))
    except (ValueError, RecursionError) as error:
        raise TaskError(f"cannot read {path}: {error}. Give a complete JSON file.") from error
    if isinstance(content, dict) and isinstance(content.get("data"), list):
        content = content["data"]
    entries = content if isinstance(content, list) else [content]
    return [_row_of(path, number, f"row {number}", entry) for number, entry in enumerate(entries, start=1)]


def _line_rows(path: Path) -> Iterator[Row]:
    lines = text_of(path).split("\n")  # splitlines() would also split at separators within texts
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        location = f"line {number}"
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            problem = f"not valid JSON ({error}); expected: one object per line"
            yield Row(path, number, location, problem=problem)
        else:
            yield _row_of(path, number, location, entry)


def _row_of(path: Path, number: int, location: str, entry: object) -> Row:
    if isinstance(entry, dict):
        return Row(path, number, location, entry)
    return Row(path, number, location, problem=f"expected an object, got a {type(entry).__name__}")


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
