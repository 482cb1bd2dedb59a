"""Zip archives unpacked with distrust: nothing outside of the folder, no links, no bombs, each file in one step.

Knows archives. Knows nothing of tasks.
"""

import os
import shutil
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pixel_env.errors import TaskError

MOST_FILES = 2_000_000
LARGEST_RATIO = 20
"""Bytes that a byte of the archive may become: pictures and videos hardly shrink. Small archives may become more."""
ALWAYS_ALLOWED_BYTES = 2**30

_PART = ".part"
_LEFT_OUT = ("__MACOSX", ".DS_Store")


def unpack(archive: Path, folder: Path) -> int:
    """Unpacks the archive into `folder` and returns the number of its files. Raises TaskError.

    Every name is checked before the first file is written. A file that is there with the right size is kept, so an
    interrupted unpacking goes on.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = list(_entries(opened, archive))
            _refuse_too_large(entries, archive, folder)
            for entry in entries:
                _write(opened, entry, folder, archive)
    except TaskError:
        raise
    except Exception as error:  # a broken archive makes zipfile raise nearly anything
        raise TaskError(f"cannot unpack {archive}: {error}. Fetch it again.") from error
    return len(entries)


def _entries(opened: zipfile.ZipFile, archive: Path) -> Iterator[zipfile.ZipInfo]:
    for entry in opened.infolist():
        path = PurePosixPath(entry.filename)
        if entry.is_dir() or any(part in _LEFT_OUT for part in path.parts):
            continue
        reason = _refusal(entry, path)
        if reason:
            raise TaskError(f"{archive} is refused: {entry.filename!r} {reason}. Nothing of it was unpacked.")
        yield entry


def _refusal(entry: zipfile.ZipInfo, path: PurePosixPath) -> str:
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in path.parts[0]:
        return "leads out of the folder"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "is a link"
    if entry.flag_bits & 1:
        return "is encrypted"
    return ""


def _refuse_too_large(entries: list[zipfile.ZipInfo], archive: Path, folder: Path) -> None:
    total = sum(entry.file_size for entry in entries)
    allowed = max(ALWAYS_ALLOWED_BYTES, LARGEST_RATIO * archive.stat().st_size)
    free = shutil.disk_usage(folder).free
    if total > allowed or len(entries) > MOST_FILES:
        raise TaskError(
            f"{archive} is refused: its {len(entries)} files would take {total:,} bytes, {allowed:,} and "
            f"{MOST_FILES:,} files are allowed. If it is meant to be so, unpack it yourself."
        )
    if total > free:
        raise TaskError(f"{archive} needs {total:,} bytes in {folder}, of which {free:,} are free.")


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, archive: Path) -> None:
    target = folder / entry.filename
    if target.is_file() and not target.is_symlink() and target.stat().st_size == entry.file_size:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.parent.resolve().is_relative_to(folder.resolve()):
        raise TaskError(f"{archive} is refused: {entry.filename!r} leads out of the folder by a link in {folder}.")
    unfinished = target.with_name(target.name + _PART)
    unfinished.unlink(missing_ok=True)  # never written through a link that lies there
    with opened.open(entry) as source, unfinished.open("xb") as file:
        shutil.copyfileobj(source, file, 1 << 20)  # reads no more than the entry's size, and checks its sum
    os.replace(unfinished, target)
