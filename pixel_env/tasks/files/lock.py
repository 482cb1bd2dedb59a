"""One process at a time in a folder. The lock is the kernel's: a process that is killed lets go of it.

Whoever holds it and asks for it again waits for ever. Knows files. Knows nothing of what is done under the lock.
"""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pixel_env.errors import TaskError

LOCK_NAME = ".pixel-env-lock"


@contextmanager
def alone_in(folder: Path, on_wait: Callable[[], None], way_out: str = "Give another folder.") -> Iterator[None]:
    """Holds the folder's lock; `on_wait` is called before waiting for another process. Raises TaskError.

    `way_out`: what to do about a folder that cannot be written into.
    """
    try:
        file = (folder / LOCK_NAME).open("wb")
    except OSError as error:
        raise TaskError(f"cannot write into {folder}: {error.strerror}. {way_out}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
