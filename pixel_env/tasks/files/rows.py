"""The rows of a file, whatever its syntax: parquet, Arrow, JSON, JSON lines, separated text, or an archive of samples.

Images within a file become references to their bytes. Depends on syntaxes and rows; independent of benchmarks. A row
that cannot be read is a row with a `problem`; a file that cannot be read at all raises TaskError.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.tasks.files.lfs import pointer_fault
from pixel_env.tasks.files.row import Row

SUFFIXES = (".parquet", ".arrow", ".json", ".jsonl", ".jsonl.gz", ".tsv", ".csv")
"""Of files that hold rows. An archive (.tar) holds rows if it is one of samples (`webdataset.py`)."""

_PEEKED = 20


def syntax_of(path: Path) -> str:
    """The suffix that says how the file is read, in lower case: the one of `SUFFIXES` it has, else its last one."""
    name = path.name.lower()
    return next((suffix for suffix in SUFFIXES if name.endswith(suffix)), path.suffix.lower())


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of the file, in its order. Raises TaskError for a file that cannot be read."""
    _refuse_pointer(path)
    match syntax_of(path):
        case ".parquet":
            from pixel_env.tasks.files.parquet import read_parquet

            return read_parquet(path)
        case ".arrow":
            from pixel_env.tasks.files.arrow import read_arrow

            return read_arrow(path)
        case ".tsv" | ".csv":
            from pixel_env.tasks.files.tsv import read_tsv

            return read_tsv(path)
        case ".tar":
            from pixel_env.tasks.files.webdataset import read_samples

            return read_samples(path)
        case _:
            from pixel_env.tasks.files.json_text import read_json

            return read_json(path)


def read_plain_rows(path: Path) -> Iterator[Row]:
    """The rows of a file, with the base64 in JSON as the text that it is. Raises TaskError."""
    if syntax_of(path) in (".parquet", ".arrow", ".tsv", ".csv", ".tar"):
        return read_rows(path)
    _refuse_pointer(path)
    from pixel_env.tasks.files.json_text import read_plain_json

    return read_plain_json(path)


def columns_of(path: Path) -> frozenset[str]:
    """The columns of the file's first rows; empty if no row can be read. Raises TaskError as `read_rows` does."""
    _refuse_pointer(path)
    match syntax_of(path):
        case ".parquet":
            from pixel_env.tasks.files.parquet import parquet_columns

            return parquet_columns(path)
        case ".arrow":
            from pixel_env.tasks.files.arrow import arrow_columns

            return arrow_columns(path)
        case ".tsv" | ".csv":
            from pixel_env.tasks.files.tsv import header_of

            return frozenset(header_of(path))
        case _:
            return frozenset(name for row in islice(read_rows(path), _PEEKED) for name in row.values)


def _refuse_pointer(path: Path) -> None:
    fault = pointer_fault(path)
    if fault:
        raise TaskError(f"cannot read {path}: {fault}")
