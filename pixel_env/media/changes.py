"""Files that change under their key: written over between two uses of one source.

Depends on files; independent of what they hold.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pixel_env.errors import MediaError


class FileStamp(NamedTuple):
    """Size, times of the last change of content and of any change, and identity: what tells a file from another one.

    The time of any change cannot be set back, as that of the content can (`cp --preserve`, `rsync -t`, `tar`).
    """

    size: int
    modified_ns: int
    changed_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> "FileStamp":
        """The stamp of a file now. Raises OSError."""
        facts = os.stat(path)
        return cls(facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino)


@dataclass(frozen=True, slots=True)
class Seen:
    """The content of a source when its key was taken: its sha256, and the stamp of its file."""

    hash: str
    stamp: FileStamp


def stamp_of(path: Path, name: str) -> FileStamp:
    """As `FileStamp.of`. `name`: what a message calls the source in the file. Raises MediaError."""
    try:
        return FileStamp.of(path)
    except OSError as error:
        raise _unreadable(name, error) from error


def seen(path: Path, name: str) -> Seen:
    """The whole file as it is now. Raises MediaError."""
    stamp = stamp_of(path, name)  # first: a file that is written meanwhile is noticed later
    try:
        return Seen(hashlib.sha256(path.read_bytes()).hexdigest(), stamp)
    except OSError as error:
        raise _unreadable(name, error) from error


def changed(name: str) -> MediaError:
    """The error for the source `name`, whose content is another one than its key names."""
    return MediaError(
        f"{name} has changed since it was first read; leave the files of a task set as they are while it is in use, "
        "and load it again after a change"
    )


def _unreadable(name: str, error: OSError) -> MediaError:
    return MediaError(f"cannot read {name}: {error.strerror}")
