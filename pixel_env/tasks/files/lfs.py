"""Pointers of Git LFS: short texts that stand where `git clone` without Git LFS leaves a large file out.

Depends on the first bytes of a file; independent of what the file should hold. Source of the form: docs/spec.md of
git-lfs/git-lfs.
"""

import os
import stat
from pathlib import Path

_VERSION = b"version https://git-lfs.github.com/spec/"
_LONGEST_POINTER = 1024  # bytes


def pointer_fault(path: Path) -> str:
    """That the file is a pointer and how to get the file itself, for a message; "" for every other file."""
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode) or found.st_size >= _LONGEST_POINTER:
            return ""  # of a pipe, nothing may be read here: it cannot be read twice
        with path.open("rb") as file:
            is_pointer = file.read(len(_VERSION)) == _VERSION
    except OSError:
        return ""  # whoever reads the file says why it cannot be read
    return "it is a pointer of Git LFS, not the file itself; fetch it with: git lfs pull" if is_pointer else ""
