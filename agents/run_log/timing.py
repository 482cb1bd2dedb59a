"""Wall seconds of a training step by part.

Depends on a clock; independent of trainers.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agents.engines.protocol import Engine, Request, Response


class StepTimes:
    """Seconds by part, each second in one part: entering a part within another pauses the outer one.

    For the thread of the training step; what other threads do meanwhile is not counted.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._open: list[str] = []
        self._since = 0.0
        self._seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Counts the time of the block as `name`, without the parts within it."""
        self._change()
        self._open.append(name)
        try:
            yield
        finally:
            self._change()
            self._open.pop()

    def taken(self) -> dict[str, float]:
        """The seconds by part since the last call."""
        self._change()
        taken, self._seconds = dict(self._seconds), defaultdict(float)
        return taken

    def _change(self) -> None:
        now = self._clock()
        if self._open:
            self._seconds[self._open[-1]] += now - self._since
        self._since = now


class TimedEngine:
    """An engine whose `poll` counts as `generation`; the remaining time of a rollout waits for operations."""

    def __init__(self, engine: Engine, times: StepTimes) -> None:
        self._engine = engine
        self._times = times
        self.static = engine.static

    @property
    def in_flight(self) -> int:
        """The engine's."""
        return self._engine.in_flight

    def submit(self, request: Request) -> None:
        """The engine's."""
        self._engine.submit(request)

    def poll(self) -> list[Response]:
        """The engine's, with its time."""
        with self._times.part("generation"):
            return self._engine.poll()

    def cancel(self) -> None:
        """The engine's."""
        self._engine.cancel()
