"""Tab-separated text as pandas writes it (VLMEvalKit's files): rows, with references to the images in the file.

A file of this kind holds its images as base64 and may be gigabytes long, so it is read once, line by line, and a long
base64 cell becomes a `CellImage`: its position in the file. Depends on rows and Pillow; independent of benchmarks.
"""

import base64
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageOps

from pixel_env.errors import MediaError, TaskError
from pixel_env.media.images import as_rgb
from pixel_env.tasks.files.images import TAIL_BYTES, lacks_end, reason_of
from pixel_env.tasks.files.row import Row

SHORTEST_IMAGE = 65
"""Characters of base64 from which a cell is an image; VLMEvalKit reads shorter ones as the index of another row."""

_FIELD = rb'(?:"(?:[^"]|"")*"|(?!")[^\t\n]*)'
_RECORD = re.compile(rb"%b(?:\t%b)*\r?\n?\Z" % (_FIELD, _FIELD))
_CELL = re.compile(rb"(%b)(?:\t|\r?\n?\Z)" % _FIELD)
_IMAGE = re.compile(rb"(?:data:image/[a-z+.-]+;base64,)?([A-Za-z0-9+/]{%d,}={0,2})" % SHORTEST_IMAGE)
_IMAGE_COLUMN = "image"
_LONGEST_RECORD = 500  # lines
_LONGEST_HEADER = 1 << 20
_HEADER_CHARACTERS = 1 << 20  # a photograph may have long metadata before its size


@dataclass(frozen=True, slots=True)
class CellImage:
    """An image in base64 at byte `start` of a text file, `length` characters long.

    `key` is the hash of those characters, so rows with the same image share one cache entry.
    """

    path: Path
    start: int
    length: int
    key: str

    def decode(self) -> Image.Image:
        """The image, turned upright by its EXIF tag, transparency on white."""
        try:
            with Image.open(io.BytesIO(base64.b64decode(self._read(0, self.length), validate=True))) as opened:
                return as_rgb(ImageOps.exif_transpose(opened))
        except Exception as error:  # a broken image makes Pillow's readers raise nearly anything
            raise MediaError(f"cannot decode the image at byte {self.start} of {self.path}: {error}") from error

    def fault(self, *, decode: bool = False) -> str:
        """Why the image cannot be used, or "". Its beginning and end are checked, or all of it (`decode`)."""
        try:
            head = base64.b64decode(self._read(0, min(self.length, _HEADER_CHARACTERS) // 4 * 4))
            with Image.open(io.BytesIO(head)) as opened:
                form = opened.format
            tail_start = max(0, self.length - 2 * TAIL_BYTES) // 4 * 4
            tail = base64.b64decode(self._read(tail_start, self.length - tail_start))
            if decode or lacks_end(form, head[:8], tail, self.length * 3 // 4):
                self.decode()
        except Exception as error:  # as in decode
            return reason_of(error.__cause__ or error)
        return ""

    def _read(self, start: int, length: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.start + start)
            return file.read(length)


def header_of(path: Path) -> list[str]:
    """The names of the columns. Raises TaskError."""
    with _opened(path) as file:
        return _names(path, file.readline(_LONGEST_HEADER))


def read_tsv(path: Path) -> Iterator[Row]:
    """The rows. `image` becomes a `CellImage` or a list of them, or stays text; an empty cell becomes None."""
    with _opened(path) as file:
        header = file.readline(_LONGEST_HEADER)
        names, start = _names(path, header), len(header)
        for number, (record, lines) in enumerate(_records(file), start=1):
            yield _row(path, number, names, record, lines, start)
            start += len(record)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise TaskError(f"cannot read {path}: {error}. Give a file that you may read.") from error


def _names(path: Path, line: bytes) -> list[str]:
    try:
        names = [_text(cell) or "" for cell, _ in _cells(line.removeprefix(b"\xef\xbb\xbf"))]
    except UnicodeDecodeError:
        names = []
    if len(names) < 2 or len(set(names)) != len(names):
        raise TaskError(
            f"cannot read {path}: its first line is not a header with column names. Give tab-separated text in UTF-8."
        )
    return names


def _records(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Each record with the number of its lines: a quoted cell may hold line breaks."""
    lines: list[bytes] = []
    for line in file:
        lines.append(line)
        record = b"".join(lines)
        # The second test is the rule; the first is fast and enough for long lines, which have no quote.
        if b'"' not in record or _RECORD.match(record) or len(lines) == _LONGEST_RECORD:
            yield record, len(lines)
            lines = []
    if lines:
        yield b"".join(lines), len(lines)


def _row(path: Path, number: int, names: list[str], record: bytes, lines: int, start: int) -> Row:
    location = f"row {number}"
    if b'"' in record and not _RECORD.match(record):
        return Row(
            path, number, location, problem=f"a cell opens with a quote that is not closed within {lines} line(s)"
        )
    cells = _cells(record)
    if len(cells) != len(names):
        return Row(path, number, location, problem=f"it has {len(cells)} cells, the header has {len(names)}")
    values: dict[str, object] = {}
    try:
        for name, (cell, offset) in zip(names, cells, strict=True):
            images = _images(path, cell, start + offset) if name == _IMAGE_COLUMN else []
            values[name] = images or _text(cell)
    except UnicodeDecodeError as error:
        return Row(path, number, location, problem=f"it is not UTF-8: {error}")
    return Row(path, number, location, values)


def _cells(record: bytes) -> list[tuple[bytes, int]]:
    """The cells of a record, verbatim, each with its offset in the record."""
    if b'"' in record:
        quoted = [(match[1], match.start(1)) for match in _CELL.finditer(record)]
        # At the end of the record the pattern matches the empty text once more, unless the record ends in a tab.
        return quoted[:-1] if quoted[-1] == (b"", len(record)) and not record.endswith(b"\t") else quoted
    cells: list[tuple[bytes, int]] = []
    offset = 0
    for cell in record.removesuffix(b"\n").removesuffix(b"\r").split(b"\t"):
        cells.append((cell, offset))
        offset += len(cell) + 1
    return cells


def _text(cell: bytes) -> str | None:
    text = cell.decode("utf-8").rstrip("\r")
    if text.startswith('"'):
        text = text[1:-1].replace('""', '"')
    return text if text.strip() else None


def _images(path: Path, cell: bytes, start: int) -> list[CellImage]:
    """The images of a cell: one, or the Python list of several; empty if it holds something else."""
    if len(cell) < SHORTEST_IMAGE:
        return []
    return [
        CellImage(path, start + match.start(1), len(match[1]), hashlib.sha256(match[1]).hexdigest())
        for match in _IMAGE.finditer(cell)
    ]
