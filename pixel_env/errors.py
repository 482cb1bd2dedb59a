"""User errors; each message says how to fix it.

A mistake of the *model* is never an exception: it is a `Failure` (see `types.py`) that becomes an observation.
"""

import difflib
import errno
from collections.abc import Iterable


class PixelEnvError(Exception):
    """Base of every error that this library raises on purpose. The command line prints it without a traceback."""


class UnknownNameError(PixelEnvError):
    """An unknown name of a task set, dialect, grader, preset, task, ..."""

    @classmethod
    def among(cls, kind: str, name: str, known: Iterable[str], advice: str = "") -> "UnknownNameError":
        """The error for `name`, with the closest known name, or all names if none is close; `advice`: how to fix it."""
        names = sorted(known)
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(names)}."
        return cls(" ".join(part for part in (f"No {kind} named {name!r}.", hint, advice) if part))


class TaskError(PixelEnvError):
    """A task, or a file of tasks, that cannot be used. The message names the task, or the file and the row."""


class MediaError(PixelEnvError):
    """An image or a video that cannot be read. The message names the file."""


class ConfigError(PixelEnvError):
    """A configuration that contradicts itself, or a run folder made with another one."""


class UsageError(ConfigError):
    """A command line that cannot be read. The message is one line that begins with the command, and a short usage."""


class WriteError(PixelEnvError, OSError):
    """A file that cannot be written: the disk is full, or its folder was removed or made read-only."""


_OF_WRITING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})


def is_about_writing(error: OSError) -> bool:
    """Whether the error says that the disk is full or read-only, whatever was written."""
    return error.errno in _OF_WRITING


class MissingExtraError(PixelEnvError):
    """A feature whose optional packages are not installed. The message names the pip command."""

    @classmethod
    def needs(cls, feature: str, extra: str) -> "MissingExtraError":
        """The error for `feature`, which the optional dependency group `extra` installs; "" for the base."""
        requirement = f"pixel-env[{extra}]" if extra else "pixel-env"
        return cls(f"{feature} needs packages that are not installed. Run: pip install '{requirement}'")


USER_MISTAKES = (ConfigError, UnknownNameError, MissingExtraError, WriteError)
"""Errors that every episode would have: a rollout stops and raises them, while any other error ends one episode."""


def one_line(error: BaseException) -> str:
    """What an error of another library says, on one line; its kind if it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def shortened(value: object, most: int = 80) -> str:
    """`value` for a message, in at most so many characters: a row may hold a whole image, and an answer a page."""
    text = repr(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."
