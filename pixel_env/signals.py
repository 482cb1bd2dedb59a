"""SIGTERM and Ctrl-C as one exception, with the exit code that a shell expects of each.

Depends on the operating system's signals; independent of commands.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """A signal that ends a command. Its text, if there is one, says what is kept; `number`: of the signal."""

    def __init__(self, number: int = signal.SIGINT, kept: str = "") -> None:
        super().__init__(*filter(None, [kept]))
        self.number = number


def exit_code(interrupt: KeyboardInterrupt) -> int:
    """128 and the number of the signal, as shells say it: 130 for Ctrl-C, 143 for SIGTERM."""
    return 128 + number_of(interrupt)


def number_of(interrupt: KeyboardInterrupt) -> int:
    """The number of the signal that raised it."""
    return interrupt.number if isinstance(interrupt, Interrupted) else signal.SIGINT


@contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """A context in which SIGTERM raises Interrupted in the main thread, so that it ends a command as Ctrl-C does.

    Changes nothing in another thread, and where SIGTERM has a handler or is ignored. Forked children, such as workers
    that their parent ends, keep the default.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is _raise:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _raise(number: int, frame: FrameType | None) -> None:
    raise Interrupted(number)


def _default_in_child() -> None:
    if signal.getsignal(signal.SIGTERM) is _raise:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


os.register_at_fork(after_in_child=_default_in_child)
