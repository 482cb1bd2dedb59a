"""Streams of archives that bound what `tarfile` and `zipfile` read at once and keep.

An archive of a few megabytes may hold millions of headers, and a header may claim any length. Depends on bytes;
independent of what is in an archive.
"""

import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pixel_env.errors import TaskError

MOST_ENTRIES = 2_000_000
ALWAYS_ALLOWED_ENTRIES = 100_000
FEWEST_BYTES_PER_ENTRY = 50
"""Fewest bytes of an archive per entry, folders included: repeated headers of 512 bytes compress to 3 each."""

_LONGEST_READ = 1 << 20  # the header of a tar file may claim any length for a name, which would be read at once
_HEADER_BYTES_PER_ENTRY = 2048  # a header, an extended header, and a name of up to two blocks
_LONGEST_DIRECTORY = 1 << 28  # about as long as that of 2,000,000 files
_DIRECTORY_ENTRY = b"PK\x01\x02"


def most_entries(archive: Path) -> int:
    """How many files and folders an archive of this size may hold."""
    size = archive.stat().st_size
    return min(MOST_ENTRIES, max(ALWAYS_ALLOWED_ENTRIES, size // FEWEST_BYTES_PER_ENTRY))


def too_many_entries(archive: Path) -> TaskError:
    """The refusal of an archive that holds more."""
    return TaskError(
        f"{archive} is refused: it holds more files and folders than the {most_entries(archive):,} that are allowed in "
        f"{archive.stat().st_size:,} bytes. If this is intended, unpack it yourself."
    )


class ArchiveStream(io.BufferedIOBase):
    """A tar or zip file, whose headers are bounded; contents are read in pieces, never as a whole."""

    def __init__(self, stream: BinaryIO | gzip.GzipFile, archive: Path) -> None:
        self._stream = stream
        self._archive = archive
        self._most_entries = most_entries(archive)
        self._header_bytes_left = _HEADER_BYTES_PER_ENTRY * self._most_entries
        self._in_header = False

    @contextmanager
    def header(self) -> Iterator[None]:
        """What is read within belongs to headers."""
        self._in_header = True
        try:
            yield
        finally:
            self._in_header = False

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes. Raises ValueError for a longer piece, TaskError for too many headers."""
        if size is None or not 0 <= size <= _LONGEST_READ:
            raise ValueError(f"a header claims {size} bytes")
        if self._in_header:
            self._header_bytes_left -= size
            if self._header_bytes_left < 0:
                raise too_many_entries(self._archive)
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def seekable(self) -> bool:
        return True


class ZipStream(ArchiveStream):
    """A zip file. Its headers are its directory, which `zipfile` reads at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes, all for -1. Raises TaskError for a directory of too many entries."""
        wanted = -1 if size is None else size
        if not self._in_header:
            return self._stream.read(wanted)
        left = self._archive.stat().st_size - self._stream.tell()
        if (left if wanted < 0 else min(left, wanted)) > _LONGEST_DIRECTORY:
            raise too_many_entries(self._archive)
        content = self._stream.read(wanted)
        if content.count(_DIRECTORY_ENTRY) > self._most_entries:
            raise too_many_entries(self._archive)
        return content
