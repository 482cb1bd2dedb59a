"""Errors of writing a run's files, turned into one line with the way out: a full disk, a folder that was removed, ...

Python, torch and safetensors say the same in three ways. Depends on their errors; independent of what is written.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pixel_env.errors import PixelEnvError, WriteError, is_about_writing, one_line

_OF_TORCH = ("unexpected pos", "PytorchStreamWriter failed", "file write failed", "Parent directory")
_OF_SAFETENSORS = ("No space left on device", "File too large", "Read-only file system", "I/O error", "No such file")


@contextmanager
def told_of_writing(folder: Path, kept: Callable[[], str]) -> Iterator[None]:
    """A context in which an error of writing below `folder` becomes a WriteError, which ends with what is `kept`."""
    try:
        yield
    except WriteError as error:
        raise WriteError(f"{error} Give the same command again: {kept()}.") from error
    except PixelEnvError:
        raise
    except Exception as error:
        reason = _reason(error, folder)
        if reason is None:
            raise
        advice = "Free space there, or make it writable, and give the same command again"
        raise WriteError(f"{folder} cannot be written: {reason}. {advice}; {kept()}.") from error


def _reason(error: BaseException, folder: Path) -> str | None:
    """What went wrong, if `error` or what it followed from is an error of writing."""
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, OSError) and (is_about_writing(chain) or _is_below(chain.filename, folder)):
            return chain.strerror or one_line(chain)
        chain = chain.__context__
    text = one_line(error).rstrip(".")
    if "unexpected pos" in text:
        text = f"a file was cut off, as on a full disk ({text})"
    known = _OF_TORCH if isinstance(error, RuntimeError) else _OF_SAFETENSORS
    is_known = type(error).__name__ in ("RuntimeError", "SafetensorError") and any(part in text for part in known)
    return text if is_known else None


def _is_below(name: object, folder: Path) -> bool:
    return isinstance(name, str) and Path(name).absolute().is_relative_to(folder.absolute())
