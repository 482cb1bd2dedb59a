"""The most memory that this process holds for a while."""

import threading

import psutil

EVERY_S = 0.005


class PeakMemory:
    """Inside of it a thread watches the process's resident memory; `bytes_above`: its peak above that at the start.

    The kernel's own figure (`ru_maxrss`) will not do: a child process starts with its parent's peak.
    """

    def __enter__(self) -> "PeakMemory":
        self._process = psutil.Process()
        self._held = self._process.memory_info().rss
        self.bytes_above = 0
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watcher.join()

    def _watch(self) -> None:
        while True:
            over = self._over.wait(EVERY_S)
            self.bytes_above = max(self.bytes_above, self._process.memory_info().rss - self._held)
            if over:
                return
