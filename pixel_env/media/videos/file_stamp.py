"""What tells a file from another one at the same path, without reading it.

Depends on the file system alone.
"""

import os
from pathlib import Path
from typing import NamedTuple

from pixel_env.errors import MediaError


class FileStamp(NamedTuple):
    """Size, times of the last change of content and of any change, and identity of a file."""

    size: int
    modified_ns: int
    changed_ns: int
    inode: int


def stamp_of(path: Path) -> FileStamp:
    """The stamp of the video at `path` now. Raises MediaError."""
    try:
        facts = os.stat(path)
    except OSError as error:
        raise MediaError(f"cannot read the video {path}: {error.strerror}") from error
    return FileStamp(facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino)
