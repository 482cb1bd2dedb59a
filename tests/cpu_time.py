"""The CPU time that a piece of work costs, which other work on the machine hardly changes, unlike wall time.

Depends on the operating system's accounting; independent of the library.
"""

import resource
import time
from collections.abc import Callable


def cpu_seconds(work: Callable[[], object]) -> float:
    """The CPU time of all threads of this process while `work` runs."""
    start = time.process_time()
    work()
    return time.process_time() - start


def cpu_seconds_of_children(work: Callable[[], object]) -> float:
    """The CPU time of the child processes that `work` starts and waits for."""
    start = _children()
    work()
    return _children() - start


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
