"""Waiting for another thread or process, without a sleep that must be long enough.

Depends on the clock; independent of the library.
"""

import time
from collections.abc import Callable


def until(condition: Callable[[], object], timeout_s: float = 300, *, interval_s: float = 0.02) -> None:
    """Returns as soon as `condition()` is true, and fails after `timeout_s`, generous for a slow machine."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {timeout_s:g} s: {condition}"
        time.sleep(interval_s)
