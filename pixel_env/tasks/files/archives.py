"""Archives unpacked safely: nothing outside of the folder, no links, no zip bombs, each file in one step.

Depends on zip and tar; independent of tasks.
"""

import errno
import gzip
import os
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from pixel_env.errors import TaskError
from pixel_env.tasks.files.archive_streams import ArchiveStream, ZipStream, most_entries, too_many_entries

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
LARGEST_RATIO = 20
"""Most unpacked bytes per byte of the archive: images and videos hardly compress. Small archives may exceed it."""
ALWAYS_ALLOWED_BYTES = 2**30

_PART = ".part"
_OURS = ".pixel-env"  # an archive must not write the index and the lock of a data folder
_LEFT_OUT = ("__MACOSX", ".DS_Store")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder in an archive; `refusal`: why it is not unpacked whatever its name, or ""."""

    name: str
    size: int
    is_folder: bool
    refusal: str
    open: Callable[[], IO[bytes] | None]


Listing = Callable[[], Iterator[Entry]]
"""The entries of an open archive from its start. Those of a tar file are not kept, however many they are."""


def unpack(archive: Path, folder: Path) -> int:
    """Unpacks the archive into `folder` and returns the number of its files. Raises TaskError.

    Every name is checked before the first file is written. An existing file of the right size is kept, so that
    unpacking resumes after an interruption.
    """
    files = 0
    try:
        with _opened(archive) as listing:
            _refuse_for_room(_checked(listing(), archive), archive, folder)
            for entry in _checked(listing(), archive):
                _write(entry, folder, archive)
                files += 1
    except TaskError:
        raise
    except OSError as error:
        raise TaskError(_unwritten(archive, folder, error)) from error
    except Exception as error:  # a broken archive makes zipfile and tarfile raise nearly anything
        raise TaskError(f"cannot unpack {archive}: {error}. Download it again.") from error
    return files


@contextmanager
def _opened(archive: Path) -> Iterator[Listing]:
    """How to list the entries of the archive. Raises TaskError for a zip file with too many."""
    if archive.suffix.lower() == ".zip":
        with archive.open("rb") as file:
            stream = ZipStream(file, archive)
            with stream.header():
                opened = zipfile.ZipFile(stream)
            with opened:
                yield lambda: (_zip_entry(opened, entry) for entry in opened.infolist())
    else:
        is_packed = archive.suffix.lower() != ".tar"
        with gzip.open(archive) if is_packed else archive.open("rb") as unpacked:
            yield lambda: _tar_entries(unpacked, archive)


def _tar_entries(unpacked: BinaryIO | gzip.GzipFile, archive: Path) -> Iterator[Entry]:
    unpacked.seek(0)
    stream = ArchiveStream(unpacked, archive)
    with _ForgetfulTar(stream) as tar:
        while (member := tar.next()) is not None:
            yield _tar_entry(tar, member)


class _ForgetfulTar(tarfile.TarFile):
    """A tar file that keeps none of its members: `tarfile` keeps them all."""

    members: list[tarfile.TarInfo]

    def __init__(self, stream: ArchiveStream) -> None:
        self._stream = stream
        super().__init__(fileobj=stream)

    def next(self) -> tarfile.TarInfo | None:
        with self._stream.header():
            member = super().next()
        self.members.clear()
        return member


def _zip_entry(opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Entry:
    refusal = "is a link" if stat.S_ISLNK(entry.external_attr >> 16) else "is encrypted" if entry.flag_bits & 1 else ""
    return Entry(entry.filename, entry.file_size, entry.is_dir(), refusal, lambda: opened.open(entry))


def _tar_entry(opened: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    is_link = member.issym() or member.islnk()
    refusal = "" if member.isreg() and member.size >= 0 else "is a link" if is_link else "is not a file"
    return Entry(member.name, member.size, member.isdir(), refusal, lambda: opened.extractfile(member))


def _checked(listed: Iterator[Entry], archive: Path) -> Iterator[Entry]:
    """The entries that are files to be unpacked. Raises TaskError for a refused one, too many entries or bytes.

    Folders and what is left out count as well: each costs its time.
    """
    total = entries = 0
    allowed = max(ALWAYS_ALLOWED_BYTES, LARGEST_RATIO * archive.stat().st_size)
    allowed_entries = most_entries(archive)
    for entry in listed:
        total, entries = total + max(entry.size, 0), entries + 1
        if entries > allowed_entries:
            raise too_many_entries(archive)
        if total > allowed:
            raise TaskError(
                f"{archive} is refused: its first {entries:,} entries would take {total:,} bytes; {allowed:,} bytes "
                "are allowed. If this is intended, unpack it yourself."
            )
        path = PurePosixPath(entry.name)
        if entry.is_folder or any(part in _LEFT_OUT or part.startswith(_OURS) for part in path.parts):
            continue
        refusal = _refusal_of_name(entry.name, path) or entry.refusal
        if refusal:
            raise TaskError(f"{archive} is refused: {entry.name!r} {refusal}. Nothing of it was unpacked.")
        yield entry


def _refusal_of_name(name: str, path: PurePosixPath) -> str:
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in path.parts[0]:
        return "leads out of the folder"
    return ""


def _refuse_for_room(entries: Iterator[Entry], archive: Path, folder: Path) -> None:
    needed = sum(entry.size for entry in entries if not _is_there(folder / entry.name, entry.size))
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise TaskError(
            f"{archive} needs {needed:,} bytes in {folder}, where {free:,} are free. Free some space there."
        )


def _is_there(target: Path, size: int) -> bool:
    try:
        facts = target.lstat()
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(facts.st_mode) and facts.st_size == size


def _write(entry: Entry, folder: Path, archive: Path) -> None:
    target = folder / entry.name
    if _is_there(target, entry.size):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.parent.resolve().is_relative_to(folder.resolve()):
        raise TaskError(f"{archive} is refused: {entry.name!r} leads out of the folder by a link in {folder}.")
    unfinished = target.with_name(target.name + _PART)
    unfinished.unlink(missing_ok=True)  # never write through an existing link
    source = entry.open()
    assert source is not None  # of a file, which all entries are
    with source, unfinished.open("xb") as file:
        shutil.copyfileobj(source, file, 1 << 20)  # reads at most the entry's size; for a zip it checks the checksum
    if unfinished.stat().st_size != entry.size:
        raise TaskError(f"cannot unpack {archive}: {entry.name!r} is truncated. Download it again.")
    os.replace(unfinished, target)


def _unwritten(archive: Path, folder: Path, error: OSError) -> str:
    if error.errno in _FULL:
        return (
            f"cannot unpack {archive} into {folder}: {error.strerror}. Free some space there, or prepare a copy in a "
            "folder that you may write to; files that are already unpacked are kept."
        )
    if error.errno is not None:
        return f"cannot unpack {archive} into {folder}: {error}."
    return f"cannot unpack {archive}: {error}. Download it again."


def in_folder(folder: Path) -> list[str]:
    """The names of the archives in the folder."""
    try:
        return sorted(entry.name for entry in os.scandir(folder) if entry.name.lower().endswith(SUFFIXES))
    except OSError:
        return []


def advice(folder: Path) -> str:
    """How the archives of a folder are unpacked."""
    return f"unpack and check the folder with: pixel-env data prepare FORMAT --from {folder} (pixel-env data list)"
