"""Errors of writing a file, as one line that names it.

Depends on the errors of the operating system; independent of what is written.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixel_env.errors import WriteError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """A context in which an OSError becomes a WriteError that names `path`: no space, no folder, no permission."""
    try:
        yield
    except WriteError:
        raise
    except OSError as error:
        raise WriteError(
            f"{path} cannot be written: {error.strerror or error}. Free space there or make it writable, or give "
            "another folder; what was written before is kept."
        ) from error
