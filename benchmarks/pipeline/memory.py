"""The highest resident memory of this process and all its children together, sampled during a block."""

import threading
from types import TracebackType

INTERVAL_S = 0.5


class PeakMemory:
    """A context; afterwards `peak_gb` is the highest sum seen, in units of 10^9 bytes.

    Memory pages that processes share are counted in each of them, so the value is an upper bound.
    """

    def __init__(self) -> None:
        self.peak_gb = resident_gb()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(INTERVAL_S):
            self.peak_gb = max(self.peak_gb, resident_gb())


def resident_gb() -> float:
    """Current resident memory of this process and its children, in units of 10^9 bytes."""
    import psutil  # imported late: --help must work without it

    root = psutil.Process()
    total = 0
    for process in [root, *root.children(recursive=True)]:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue  # ended in between
    return total / 1e9
