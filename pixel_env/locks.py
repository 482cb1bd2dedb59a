"""Locks of the operating system on files and folders: they are released when the process ends, in any way.

Depends on `flock`; independent of what is done under a lock. A lock holds between all processes of one machine. Between
machines it holds where the file system shares it: NFS does unless it is mounted with `nolock` or `local_lock`, Lustre
if it is mounted with `flock`. Where a file system has no locks at all, a warning is issued and the command continues
without a lock.
"""

import errno
import fcntl
import json
import os
import socket
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from pixel_env.errors import ConfigError, TaskError

LOCK_NAME = ".pixel-env-lock"
"""In a locked folder: an empty file, or one that names the process that holds a claim. It is removed with the lock."""
_WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
_PATIENCE_S = 0.5
"""How long to retry a claim: a process that only checks whether a folder is claimed holds the lock for a moment."""
_HELD: set[IO[bytes]] = set()
"""The locks of this process. A forked child closes its copies; otherwise they would outlive the parent."""


class NoLocksWarning(UserWarning):
    """A file system without locks: there, two processes that write into one folder are not detected."""


@contextmanager
def locked(file: IO[bytes]) -> Iterator[None]:
    """Holds the lock of an open file, and waits for the process that holds it."""
    _flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        _flock(file, fcntl.LOCK_UN)


@contextmanager
def alone_in(folder: Path, on_wait: Callable[[], None], advice: str = "Give another folder.") -> Iterator[None]:
    """Holds the folder's lock; `on_wait` is called before waiting for another process. Raises TaskError.

    Not reentrant: a process that holds it and requests it again waits forever. `advice`: what to do about a folder that
    cannot be written.
    """
    try:
        file = _try_to_lock(folder)
        if file is None:
            on_wait()
            file = _lock(folder)
    except OSError as error:
        raise TaskError(f"cannot write into {folder}: {error.strerror}. {advice}") from error
    with _released(file, folder):
        yield


@contextmanager
def claimed(folder: Path, another: str = "another folder") -> Iterator[None]:
    """Makes the folder if it does not exist, and holds its lock, which names this process, until the block ends.

    Raises ConfigError for a folder that another process has claimed, naming it, or that cannot be written; `another`:
    what to give instead, in the words of the command.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _try_to_lock(folder, patience_s=_PATIENCE_S)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error.strerror}. Give {another}.") from error
    if file is None:
        raise ConfigError(f"{_in_use(folder)} Wait until it has ended, or give {another}.")
    with _released(file, folder):
        since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
        holder = {"process": os.getpid(), "host": socket.gethostname(), "since": since}
        file.truncate(0)  # the record of a killed process
        file.write(json.dumps(holder).encode())
        file.flush()
        yield


def refuse_claimed(folder: Path, advice: str) -> None:
    """Raises ConfigError, naming the process, if one has claimed the folder. Writes nothing."""
    try:
        file = (folder / LOCK_NAME).open("rb")
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"{folder} cannot be read: {error.strerror}. {advice}") from error
    with file:
        if not _flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB):
            raise ConfigError(f"{_in_use(folder)} {advice}")


def _in_use(folder: Path) -> str:
    return f"{folder} is in use: {_holder(folder)} writes into it."


def _holder(folder: Path) -> str:
    """The process that holds the claim; a new holder may not have written its record yet."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        try:
            holder = json.loads((folder / LOCK_NAME).read_bytes())
            return f"process {holder['process']} on {holder['host']}, since {holder['since']},"
        except (OSError, ValueError, KeyError, TypeError):
            time.sleep(0.02)
    return "another process"


def _try_to_lock(folder: Path, patience_s: float = 0.0) -> IO[bytes] | None:
    """The folder's lock file, locked; None if another process has it for longer than `patience_s`."""
    until = time.monotonic() + patience_s
    while True:
        file = _opened(folder)
        if _flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB):
            if _is_at(file, folder):
                return file
            file.close()  # its holder removed it in between
            continue
        file.close()
        if time.monotonic() >= until:
            return None
        time.sleep(0.02)


def _lock(folder: Path) -> IO[bytes]:
    while True:
        file = _opened(folder)
        _flock(file, fcntl.LOCK_EX)
        if _is_at(file, folder):
            return file
        file.close()


def _opened(folder: Path) -> IO[bytes]:
    return (folder / LOCK_NAME).open("a+b")


def _is_at(file: IO[bytes], folder: Path) -> bool:
    """Whether the open file is the one that the folder has now."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(folder / LOCK_NAME))
    except FileNotFoundError:
        return False


@contextmanager
def _released(file: IO[bytes], folder: Path) -> Iterator[None]:
    _HELD.add(file)
    try:
        yield
    finally:
        if file in _HELD:  # a forked child that leaves the block has no lock to release
            _HELD.remove(file)
            if _is_at(file, folder):
                (folder / LOCK_NAME).unlink()
            _flock(file, fcntl.LOCK_UN)
            file.close()


def _close_in_child() -> None:
    for file in _HELD:
        file.close()
    _HELD.clear()


os.register_at_fork(after_in_child=_close_in_child)


def _flock(file: IO[bytes], operation: int) -> bool:
    """Whether the operation was done; False if another process has the lock."""
    try:
        fcntl.flock(file, operation)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _WITHOUT_LOCKS:
            raise
        folder = Path(file.name).parent
        message = f"{folder} is on a file system without locks ({error.strerror}). Start one command in it at a time."
        warnings.warn(message, NoLocksWarning, stacklevel=1)  # the same location each time: shown once per folder
    return True
