"""Arrow files: rows, with references to the images in the file, which is mapped into memory and never read as a whole.

Streams (the cache of `datasets`, `save_to_disk`) and files with a footer (Feather) are read. Depends on rows, cells and
pyarrow; independent of benchmarks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pixel_env.errors import MissingExtraError, TaskError
from pixel_env.media.changes import FileStamp
from pixel_env.tasks.files.cells import Steps, Unread, with_images
from pixel_env.tasks.files.embedded import Ends, ends_of
from pixel_env.tasks.files.piece import decoded
from pixel_env.tasks.files.row import Row

_BATCH_BYTES = 1 << 24
_MOST_ROWS = 1024


@dataclass(frozen=True, slots=True)
class ArrowPlace:
    """An image in row `index` of record batch `batch`; `number`: that of the row in the file, from 1."""

    path: Path
    number: int
    batch: int
    index: int
    steps: Steps

    @property
    def location(self) -> str:
        """The row and the way to the value in it."""
        return location_of(self.number, self.steps)

    def read(self) -> bytes:
        """The bytes of the image."""
        column, *rest = self.steps
        batch = _mapped(self.path)[self.batch]
        return content_at(batch.column(batch.schema.get_field_index(column))[self.index], rest)

    def ends(self) -> Ends:
        """The first and the last bytes of the image."""
        return ends_of(self.read())


def location_of(number: int, steps: Steps) -> str:
    """'image' of row 3; with its position where a cell holds several."""
    column, *rest = steps
    inner = "".join(f"[{step}]" for step in rest if step != "bytes")
    return f"{column!r}{inner} of row {number}"


def content_at(scalar: Any, steps: list[str | int]) -> bytes:
    """The bytes of an image at the end of `steps` from an Arrow value. Raises ValueError if there are none."""
    for step in steps:
        scalar = scalar[step]
    value = scalar.as_py()
    if isinstance(value, str):
        return decoded(value.encode())
    if not isinstance(value, bytes):
        raise ValueError("the file has changed: there is no image any more")
    return value


def arrow_columns(path: Path) -> frozenset[str]:
    """The names of the columns. Raises TaskError."""
    return frozenset(name for batch in _opened(path)[:1] for name in batch.schema.names)


def read_arrow(path: Path) -> Iterator[Row]:
    """The rows. Raises TaskError for a file that cannot be read."""
    number = 0
    for position, batch in enumerate(_opened(path)):
        for start, values in _in_slices(batch):
            for index, row in enumerate(values, start=start):
                number += 1
                place = _places(path, number, position, index)
                yield Row(path, number, f"row {number}", with_images(row, place))


def _places(path: Path, number: int, batch: int, index: int) -> Any:
    return lambda steps, text: ArrowPlace(path, number, batch, index, steps)


def _in_slices(batch: Any) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """The rows of a batch from each start, few at a time where they are large."""
    size = min(_MOST_ROWS, max(1, _BATCH_BYTES * batch.num_rows // max(1, batch.nbytes)))
    for start in range(0, batch.num_rows, size):
        yield start, rows_of(batch.slice(start, size))


def rows_of(batch: Any) -> list[dict[str, Any]]:
    """The rows of a record batch; bytes become `Unread`, which copies none of them."""
    columns = [values_of(column) for column in batch.columns]
    return [dict(zip(batch.schema.names, row, strict=True)) for row in zip(*columns, strict=True)]


def values_of(array: Any) -> list[Any]:
    """The Python values of an Arrow array, with `Unread` for bytes."""
    from pyarrow import types

    kind = array.type
    if not _holds_bytes(kind):
        values: list[Any] = array.to_pylist()
        return values
    valid = array.is_valid().to_pylist()
    if types.is_struct(kind):
        fields = {field.name: values_of(child) for field, child in zip(kind, array.flatten(), strict=True)}
        return [
            {name: column[index] for name, column in fields.items()} if is_there else None
            for index, is_there in enumerate(valid)
        ]
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        items = iter(values_of(array.flatten()))
        lengths = array.value_lengths().to_pylist()
        return [
            [next(items) for _ in range(length)] if is_there else None
            for length, is_there in zip(lengths, valid, strict=True)
        ]
    return [Unread.BYTES if is_there else None for is_there in valid]


def _holds_bytes(kind: Any) -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        return any(_holds_bytes(field.type) for field in kind)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _holds_bytes(kind.value_type)
    return is_bytes(kind)


def is_bytes(kind: Any) -> bool:
    """Whether the Arrow type is that of bytes."""
    from pyarrow import types

    return types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind)


def _opened(path: Path) -> list[Any]:
    try:
        return _mapped(path)
    except MissingExtraError:
        raise
    except Exception as error:  # pyarrow's errors have no common base class
        raise TaskError(f"cannot read {path}: {error}. Give a complete Arrow file.") from error


def _mapped(path: Path) -> list[Any]:
    """The record batches of the file, anew if it has changed. Raises OSError or ValueError."""
    return _batches(path, FileStamp.of(path))


@lru_cache(maxsize=64)  # a mapped file takes addresses, not memory
def _batches(path: Path, stamp: FileStamp) -> list[Any]:
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtraError.needs("an Arrow file", "data") from error
    mapped = pyarrow.memory_map(str(path))
    try:
        batches = list(pyarrow.ipc.open_stream(mapped))
    except pyarrow.ArrowInvalid:
        mapped.seek(0)
        reader = pyarrow.ipc.open_file(mapped)
        batches = [reader.get_batch(number) for number in range(reader.num_record_batches)]
    for batch in batches:
        batch.validate(full=True)  # a damaged offset would be read as an address
    return batches
