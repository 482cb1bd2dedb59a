"""Parquet files: rows without the bytes of their images, and the images one by one when they are used.

A row group holds up to some hundred megabytes of images. They are left in the file: of a column of images only the
paths are read. An image that is used is found by reading its row group forward from its first row, so a few readers are
kept open, and images in the order of their rows cost one pass. Depends on rows, cells and pyarrow; independent of
benchmarks.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixel_env.errors import MissingExtraError, TaskError
from pixel_env.media.changes import FileStamp
from pixel_env.tasks.files.arrow import content_at, is_bytes, location_of, rows_of
from pixel_env.tasks.files.cells import Steps, Unread, with_images
from pixel_env.tasks.files.embedded import Ends
from pixel_env.tasks.files.row import Row

_BATCH_BYTES = 1 << 24
_MOST_ROWS = 1024
_OPEN_READERS = 2
_KEPT_BYTES = 1 << 25
"""Bytes of rows that a reader keeps behind it: threads ask for images nearly in order."""


@dataclass(frozen=True, slots=True)
class ParquetPlace:
    """An image in row `index` of row group `group`; `number`: that of the row in the file, from 1."""

    path: Path
    number: int
    group: int
    index: int
    steps: Steps

    @property
    def location(self) -> str:
        """The row and the way to the value in it."""
        return location_of(self.number, self.steps)

    def read(self) -> bytes:
        """The bytes of the image."""
        column, *rest = self.steps
        return content_at(_READERS.cell(self.path, self.group, str(column), self.index), rest)

    def ends(self) -> Ends | None:
        """None: the rows before it are read with it."""
        return None


def parquet_columns(path: Path) -> frozenset[str]:
    """The names of the columns. Raises TaskError."""
    return frozenset(_opened(path).schema_arrow.names)


def read_parquet(path: Path) -> Iterator[Row]:
    """The rows. Raises TaskError for a file that cannot be read."""
    file, number = _opened(path), 0
    try:
        for group in range(file.num_row_groups):
            for index, values in enumerate(_values(file, group)):
                number += 1
                place = _places(path, number, group, index)
                yield Row(path, number, f"row {number}", with_images(values, place))
    except (OSError, ValueError, TypeError, KeyError, NotImplementedError) as error:  # pyarrow's are of these kinds
        raise TaskError(f"cannot read {path} after row {number}: {error}. Download it again.") from error


def _places(path: Path, number: int, group: int, index: int) -> Any:
    return lambda steps, text: ParquetPlace(path, number, group, index, _shared(steps))


_STEPS: dict[Steps, Steps] = {}


def _shared(steps: Steps) -> Steps:
    """The same tuple for the same way: a hundred thousand rows have a few ways."""
    return _STEPS.setdefault(steps, steps)


def _values(file: Any, group: int) -> Iterator[dict[str, Any]]:
    """The rows of a row group, with `Unread` for bytes. Bytes that every row has are not even read."""
    facts = file.metadata.row_group(group)
    chunks = [facts.column(number) for number in range(facts.num_columns)]
    for number, chunk in enumerate(chunks):  # pyarrow ends the process when it reads statistics of another type
        if chunk.physical_type != file.schema.column(number).physical_type:
            raise ValueError(f"its footer says that {chunk.path_in_schema!r} holds {chunk.physical_type}")
    left = {chunk.path_in_schema: column for chunk in chunks if (column := _column_left_out(file, chunk)) is not None}
    read = [chunk for chunk in chunks if chunk.path_in_schema not in left]
    if not read:  # without any column pyarrow does not count rows
        read, left = chunks, {}
    size = sum(chunk.total_uncompressed_size for chunk in read)
    count = min(_MOST_ROWS, max(1, _BATCH_BYTES * facts.num_rows // max(1, size)))
    names = [chunk.path_in_schema for chunk in read]
    for batch in file.iter_batches(count, row_groups=[group], columns=names, use_threads=False):
        for row in rows_of(batch):
            yield row | {column: _with_unread(row.get(column, Unread.BYTES)) for column in left.values()}


def _column_left_out(file: Any, chunk: Any) -> str | None:
    """The column that the leaf's bytes belong to, if they need not be read: none is null; else None."""
    column, *rest = chunk.path_in_schema.split(".")
    schema = file.schema_arrow
    if schema.names.count(column) != 1 or not _is_image_column(schema.field(column).type):
        return None
    is_bytes_leaf = rest[-1:] == ["bytes"] if rest else True
    statistics = chunk.statistics
    is_full = statistics is not None and statistics.has_null_count and statistics.null_count == 0
    return column if is_bytes_leaf and is_full else None


def _is_image_column(kind: Any) -> bool:
    """Whether it holds bytes, objects of bytes and path, or lists of these objects."""
    from pyarrow import types

    if types.is_list(kind) or types.is_large_list(kind):
        return types.is_struct(kind.value_type) and _is_image_column(kind.value_type)
    if types.is_struct(kind):
        names = {field.name for field in kind}
        return names == {"bytes", "path"} and is_bytes(kind.field("bytes").type)
    return is_bytes(kind)


def _with_unread(value: Any) -> Any:
    """The cell with the bytes that were left out."""
    if isinstance(value, list):
        return [_with_unread(item) for item in value]
    return {**value, "bytes": Unread.BYTES} if isinstance(value, dict) else value


def _opened(path: Path) -> Any:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError.needs("a parquet file", "data") from error
    try:
        return parquet.ParquetFile(path, buffer_size=1 << 20)
    except Exception as error:  # pyarrow's errors have no common base class
        raise TaskError(f"cannot read {path}: {error}. Give a complete parquet file.") from error


# -------------------------------------------------------------------------------------------------- images, on use


class _Reader:
    """The cells of a column of a row group, read forward; it starts again for a row that it no longer keeps."""

    def __init__(self, path: Path, group: int, column: str) -> None:
        self._path, self._group, self._column = path, group, column
        self._lock = threading.Lock()
        self._start_again()

    def _start_again(self) -> None:
        file = _opened(self._path)
        facts = file.metadata.row_group(self._group)
        chunks = [facts.column(number) for number in range(facts.num_columns)]
        mine = [chunk for chunk in chunks if chunk.path_in_schema.split(".")[0] == self._column]
        size = sum(chunk.total_uncompressed_size for chunk in mine)
        count = min(_MOST_ROWS, max(1, (_KEPT_BYTES // 4) * facts.num_rows // max(1, size)))
        names = [chunk.path_in_schema for chunk in mine]
        self._batches = file.iter_batches(count, row_groups=[self._group], columns=names, use_threads=False)
        self._kept: OrderedDict[int, Any] = OrderedDict()  # by the index of the first row
        self._next = 0

    def cell(self, index: int) -> Any:
        """The Arrow value in row `index` of the row group. Raises ValueError if there is none."""
        with self._lock:
            if index < self._next and index < next(iter(self._kept), self._next):
                self._start_again()
            while index >= self._next:
                self._read_on()
            start = max(first for first in self._kept if first <= index)
            return self._kept[start][index - start]

    def _read_on(self) -> None:
        try:
            column = next(self._batches).column(0)
        except StopIteration:
            raise ValueError("the file has changed: there is no such row any more") from None
        self._kept[self._next] = column
        self._next += len(column)
        while len(self._kept) > 1 and sum(kept.nbytes for kept in self._kept.values()) > _KEPT_BYTES:
            self._kept.popitem(last=False)


class _Readers:
    """The readers that were used last. Thread-safe."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Closes all readers."""
        self._lock = threading.Lock()
        self._readers: OrderedDict[tuple[Path, FileStamp, int, str], _Reader] = OrderedDict()

    def cell(self, path: Path, group: int, column: str, index: int) -> Any:
        """The Arrow value of a cell. Raises OSError or ValueError if it cannot be read."""
        try:
            return self._reader(path, group, column).cell(index)
        except TaskError as error:
            raise ValueError(str(error)) from error

    def _reader(self, path: Path, group: int, column: str) -> _Reader:
        key = (path, FileStamp.of(path), group, column)  # a reader keeps what a file held that is written over
        with self._lock:
            if key not in self._readers:
                self._readers[key] = _Reader(path, group, column)
            self._readers.move_to_end(key)
            if len(self._readers) > _OPEN_READERS:
                self._readers.popitem(last=False)
            return self._readers[key]


_READERS = _Readers()
os.register_at_fork(after_in_child=_READERS.forget)  # a child must not wait for a lock of the parent's threads
