"""Tab- and comma-separated text as pandas writes it: rows, with references to the images in the file.

A file of this kind may hold its images as base64 and be gigabytes long, so it is read once, line by line, and an image
becomes a place in the file. Depends on rows; independent of benchmarks.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pixel_env.errors import TaskError
from pixel_env.tasks.files.cells import SHORTEST_IMAGE, is_image_text
from pixel_env.tasks.files.embedded import EmbeddedImage
from pixel_env.tasks.files.piece import Piece
from pixel_env.tasks.files.row import Row

_IMAGE = re.compile(rb"(?:data:image/[a-z+.-]+;base64,)?([A-Za-z0-9+/]{%d,}={0,2})" % SHORTEST_IMAGE)
_IMAGE_COLUMN = "image"  # VLMEvalKit reads a shorter text in it as the index of another row
_LONGEST_RECORD = 500  # lines
_LONGEST_HEADER = 1 << 20


@dataclass(frozen=True, slots=True)
class _Syntax:
    """A record, and a cell with what ends it; `separator`: between two cells."""

    separator: bytes
    record: re.Pattern[bytes]
    cell: re.Pattern[bytes]


def _syntax_of(separator: bytes) -> _Syntax:
    # Runs between quotes are taken whole: character by character, a cell of 100 MB takes gigabytes to match.
    field = rb'(?:"[^"]*+(?:""[^"]*+)*+"|(?!")[^%b\n]*+)' % separator
    record = re.compile(rb"%b(?:%b%b)*\r?\n?\Z" % (field, separator, field))
    return _Syntax(separator, record, re.compile(rb"(%b)(?:%b|\r?\n?\Z)" % (field, separator)))


_SYNTAXES = {".tsv": _syntax_of(b"\t"), ".csv": _syntax_of(b",")}


def _syntax(path: Path) -> _Syntax:
    return _SYNTAXES[path.suffix.lower()]


def header_of(path: Path) -> list[str]:
    """The names of the columns. Raises TaskError."""
    with _opened(path) as file:
        return _names(path, _header(file, _syntax(path)), _syntax(path))


def read_tsv(path: Path) -> Iterator[Row]:
    """The rows of a .tsv or .csv. A cell of base64 becomes an `EmbeddedImage`, `image` a list; an empty one None."""
    syntax = _syntax(path)
    with _opened(path) as file:
        header = _header(file, syntax)
        names, start = _names(path, header, syntax), len(header)
        for number, (record, lines) in enumerate(_records(file, syntax), start=1):
            yield _row(path, number, names, record, lines, start)
            start += len(record)


def _header(file: BinaryIO, syntax: _Syntax) -> bytes:
    header = file.readline(_LONGEST_HEADER)
    while b'"' in header and not syntax.record.match(header) and len(header) < _LONGEST_HEADER:
        line = file.readline(_LONGEST_HEADER)
        if not line:
            break
        header += line
    return header


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise TaskError(f"cannot read {path}: {error}. Give a file that you may read.") from error


def _names(path: Path, line: bytes, syntax: _Syntax) -> list[str]:
    try:
        names = [_text(cell) or "" for cell, _ in _cells(line.removeprefix(b"\xef\xbb\xbf"), syntax)]
    except UnicodeDecodeError:
        names = []
    if len(names) < 2 or len(set(names)) != len(names):
        kind = "comma" if syntax.separator == b"," else "tab"
        wanted = f"Give {kind}-separated text in UTF-8."
        raise TaskError(f"cannot read {path}: its first line is not a header with column names. {wanted}")
    return names


def _records(file: BinaryIO, syntax: _Syntax) -> Iterator[tuple[bytes, int]]:
    """Each record with the number of its lines: a quoted cell may hold line breaks."""
    lines: list[bytes] = []
    for line in file:
        lines.append(line)
        # Without a quote a line is a record, or continues one: only a quote can close the cell that is open.
        is_complete = len(lines) == 1 if b'"' not in line else syntax.record.match(b"".join(lines)) is not None
        if is_complete or len(lines) == _LONGEST_RECORD:
            yield b"".join(lines), len(lines)
            lines = []
    if lines:
        yield b"".join(lines), len(lines)


def _row(path: Path, number: int, names: list[str], record: bytes, lines: int, start: int) -> Row:
    location, syntax = f"row {number}", _syntax(path)
    if b'"' in record and not syntax.record.match(record):
        return Row(
            path, number, location, problem=f"a cell opens with a quote that is not closed within {lines} line(s)"
        )
    cells = _cells(record, syntax)
    if len(cells) != len(names):
        return Row(path, number, location, problem=f"it has {len(cells)} cells, the header has {len(names)}")
    values: dict[str, object] = {}
    try:
        for name, (cell, offset) in zip(names, cells, strict=True):
            values[name] = _value(path, name, cell, start + offset)
    except UnicodeDecodeError as error:
        return Row(path, number, location, problem=f"it is not UTF-8: {error}")
    return Row(path, number, location, values)


def _cells(record: bytes, syntax: _Syntax) -> list[tuple[bytes, int]]:
    """The cells of a record, verbatim, each with its offset in the record."""
    if b'"' in record:
        quoted = [(match[1], match.start(1)) for match in syntax.cell.finditer(record)]
        # At the end of the record the pattern matches the empty text once more, unless the record ends in a separator.
        return quoted[:-1] if quoted[-1] == (b"", len(record)) and not record.endswith(syntax.separator) else quoted
    cells: list[tuple[bytes, int]] = []
    offset = 0
    for cell in record.removesuffix(b"\n").removesuffix(b"\r").split(syntax.separator):
        cells.append((cell, offset))
        offset += len(cell) + 1
    return cells


def _text(cell: bytes) -> str | None:
    text = cell.decode("utf-8").rstrip("\r")
    if text.startswith('"'):
        text = text[1:-1].replace('""', '"')
    return text if text.strip() else None


def _value(path: Path, column: str, cell: bytes, start: int) -> str | EmbeddedImage | Sequence[EmbeddedImage] | None:
    if len(cell) < SHORTEST_IMAGE:
        return _text(cell)
    if column == _IMAGE_COLUMN and (images := _images(path, cell, start)):
        return images
    text = _text(cell)
    if text is None or not is_image_text(text):
        return text
    is_quoted = cell.startswith(b'"')
    return EmbeddedImage(Piece(path, start + is_quoted, len(cell) - 2 * is_quoted, is_base64=True))


def _images(path: Path, cell: bytes, start: int) -> list[EmbeddedImage]:
    """The images of a cell: one, or the Python list of several; empty if it holds something else."""
    return [
        EmbeddedImage(Piece(path, start + match.start(1), len(match[1]), is_base64=True))
        for match in _IMAGE.finditer(cell)
    ]
