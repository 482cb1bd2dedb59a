"""JSON and JSON lines: rows, with references to the images in the file.

An image in base64 becomes a place in the file. Depends on rows and cells; independent of benchmarks.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

from pixel_env.errors import TaskError
from pixel_env.tasks.files.cells import Steps, with_images
from pixel_env.tasks.files.piece import Piece
from pixel_env.tasks.files.row import Row, missing, shortened

_COMPRESSED = ".gz"
_BOM = b"\xef\xbb\xbf"


def read_json(path: Path) -> Iterator[Row]:
    """The rows of a .json, or of JSON lines, with an `EmbeddedImage` for each image. Raises TaskError."""
    return (_with_images(row, images) for row, images in _rows(path))


def read_plain_json(path: Path) -> Iterator[Row]:
    """The same rows as they are written: base64 stays a text. Raises TaskError."""
    return (row for row, _ in _rows(path))


def _rows(path: Path) -> Iterator[tuple[Row, "_Images"]]:
    return _rows_of_whole(path) if path.suffix.lower() == ".json" else _rows_of_lines(path)


def _rows_of_whole(path: Path) -> Iterator[tuple[Row, "_Images"]]:
    """The entries of a list, of the list `data` of an object, or of an object of objects; or the object."""
    text = text_of(path)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TaskError(f"cannot read {path}: {error}. Give a complete JSON file.") from error
    if isinstance(content, dict) and isinstance(content.get("data"), list):
        content = content["data"]
    elif isinstance(content, dict) and content and all(isinstance(entry, dict) for entry in content.values()):
        content = list(content.values())
    entries = content if isinstance(content, list) else [content]
    images = _Images(path, text.encode("utf-8", "surrogatepass"), _bom_length(path))
    for number, entry in enumerate(entries, start=1):
        yield _row_of(path, number, f"row {number}", entry), images


def _rows_of_lines(path: Path) -> Iterator[tuple[Row, "_Images"]]:
    """One object a line; empty lines are skipped."""
    start = 0
    with _opened(path) as file:
        for number, line in enumerate(_lines(file, path), start=1):
            if number == 1 and line.startswith(_BOM):
                line, start = line[len(_BOM) :], len(_BOM)
            if line.strip():
                yield _line_row(path, number, line), _Images(path, line, start)
            start += len(line)


def _line_row(path: Path, number: int, line: bytes) -> Row:
    location = f"line {number}"
    try:
        entry = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise TaskError(f"cannot read the task file {path}: {error}. Give a text file in UTF-8.") from error
    except (ValueError, RecursionError) as error:
        problem = f"not valid JSON ({error}); expected: one object per line"
        return Row(path, number, location, problem=problem)
    return _row_of(path, number, location, entry)


def _row_of(path: Path, number: int, location: str, entry: object) -> Row:
    if isinstance(entry, dict):
        return Row(path, number, location, entry)
    return Row(path, number, location, problem=f"expected an object, got {shortened(entry)}")


def _with_images(row: Row, images: "_Images") -> Row:
    try:
        return replace(row, values=with_images(row.values, images.place_of))
    except TaskError as error:
        return replace(row, problem=str(error))


def _opened(path: Path) -> BinaryIO:
    try:
        return cast(BinaryIO, gzip.open(path)) if path.suffix.lower() == _COMPRESSED else path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error


def _lines(file: BinaryIO, path: Path) -> Iterator[bytes]:
    try:
        yield from file  # split at line feeds alone: texts may hold other separators
    except (OSError, EOFError, ValueError) as error:
        raise _unreadable(path, error) from error


def _bom_length(path: Path) -> int:
    with path.open("rb") as file:
        return len(_BOM) if file.read(len(_BOM)) == _BOM else 0


class _Images:
    """The places of the images in a part of a JSON text that begins at byte `start` of the file."""

    def __init__(self, path: Path, content: bytes, start: int) -> None:
        self._path, self._content, self._start = path, content, start
        self._searched = 0  # images are asked for in the order of the text

    def place_of(self, steps: Steps, text: str | None) -> Piece:
        """The place of the base64 `text`. Raises TaskError if the file does not hold it plainly."""
        if self._path.suffix.lower() == _COMPRESSED:
            raise TaskError(f"it holds an image, which cannot be read from a compressed file; run: gunzip {self._path}")
        written = (text or "").encode()
        for form in (written, written.replace(b"/", rb"\/"), json.dumps(text)[1:-1].encode()):
            for begin in (self._searched, 0):
                found = self._content.find(form, begin)
                if found >= 0:
                    self._searched = found + len(form)
                    return Piece(self._path, self._start + found, len(form), is_base64=True)
        raise TaskError(f"the base64 in {steps[0]!r} is written with escapes; write it with plain characters")


def text_of(path: Path) -> str:
    """The file's text. Raises TaskError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> TaskError:
    if isinstance(error, FileNotFoundError):
        return missing(path)
    if isinstance(error, UnicodeDecodeError):
        return TaskError(f"cannot read the task file {path}: {error}. Give a text file in UTF-8.")
    return TaskError(f"cannot read the task file {path}: {error}. Give a complete text file in UTF-8.")
