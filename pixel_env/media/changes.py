"""Files that change under their key: written over between two uses of one source.

Depends on files; independent of what they hold.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from pixel_env.errors import MediaError

Stamp = tuple[int, int]
"""Size in bytes and time of the last change in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The content of a source when its key was taken: its sha256, and the stamp of its file."""

    hash: str
    stamp: Stamp


def stamp_of(path: Path) -> Stamp:
    """The stamp of a file. Raises OSError."""
    facts = os.stat(path)
    return facts.st_size, facts.st_mtime_ns


def seen(path: Path) -> Seen:
    """The whole file as it is now. Raises OSError."""
    stamp = stamp_of(path)  # first: a file that is written meanwhile is noticed later
    return Seen(hashlib.sha256(path.read_bytes()).hexdigest(), stamp)


def changed(name: str) -> MediaError:
    """The error for the source `name`, whose content is another one than its key names."""
    return MediaError(
        f"{name} has changed since the episode began; leave the files of a task set as they are while it is in use, "
        "and load it again after a change"
    )
