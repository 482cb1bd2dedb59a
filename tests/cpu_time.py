"""What a piece of work costs, told in ways that hold on a slow machine and on a busy one.

CPU time, unlike wall time, is hardly changed by other work on the machine; but a slow machine takes more of it. A limit
is therefore on a ratio: to a fixed piece of work (`work_units`), or to the same work on a larger input (`growth`).

Depends on the operating system's accounting and Pillow; independent of the library.
"""

import functools
import gc
import resource
import subprocess
import sys
import time
from collections.abc import Callable

from PIL import Image

NOT_QUADRATIC = 30.0
"""A limit on `growth`, in the middle between work that is proportional to its size and work that is quadratic."""

_LEAST_UNITS = 0.1
"""What costs less is compared as if it cost this much: a ratio of such small times is noise."""


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


def work_units(work: Callable[[], object], *, repeats: int = 5) -> float:
    """The CPU time of `work` in units of a fixed piece of work, the shrinking of a picture of 1120x752 to 224x150.

    Both are measured in turn, `repeats` times, and the least of each is taken: what disturbs can only add.
    """
    work_s, unit_s = _least(repeats, work, _unit)
    return work_s / unit_s


def growth(work: Callable[[int], object], size: int, *, repeats: int = 2) -> float:
    """How many times as much CPU time `work(10 * size)` costs as `work(size)`.

    About 1 where the size does not matter, 10 where the work is proportional to it, 100 where it is quadratic.
    """
    small_s, large_s, unit_s = _least(repeats, lambda: work(size), lambda: work(10 * size), _unit)
    least_s = _LEAST_UNITS * unit_s
    return max(large_s, least_s) / max(small_s, least_s)


def _least(repeats: int, *works: Callable[[], object]) -> list[float]:
    gc.collect()  # so that nobody else's garbage is collected at the cost of one of them
    return list(map(min, zip(*([cpu_seconds(work) for work in works] for _ in range(repeats)), strict=True)))


def _unit() -> None:
    _picture().resize((224, 150), Image.Resampling.BICUBIC)


@functools.cache
def _picture() -> Image.Image:
    return Image.radial_gradient("L").convert("RGB").resize((1120, 752))


@functools.cache
def seconds_of_importing_gymnasium() -> float:
    """The CPU time of a process that imports Gymnasium: what starting a command is compared with on any machine."""
    command = [sys.executable, "-c", "import gymnasium"]
    return min(cpu_seconds_of_children(lambda: subprocess.run(command, check=True)) for _ in range(3))


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
