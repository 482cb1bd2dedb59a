"""Keeps servers alive: a server that exits is restarted, after a delay that grows while it keeps failing.

Depends on processes, and on GET /health of a server; independent of vLLM.
"""

import contextlib
import http.client
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from pixel_env.errors import ConfigError

ATTEMPTS = 3
"""Exits in a row before the first answer, after which a server is not restarted."""
LONGEST_WAIT_S = 60.0
_POLL_S = 0.5
_GRACE_S = 20.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # this machine is not behind a proxy of its own


@dataclass(frozen=True, slots=True)
class ReplicaStart:
    """How one server is started, and its address on this machine."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    url: str


@dataclass(eq=False)
class _Served:
    start: ReplicaStart
    process: "subprocess.Popen[bytes] | None" = None
    answers: bool = False
    has_answered: bool = False
    failures: int = 0
    due_s: float = 0.0


def keep_serving(starts: Sequence[ReplicaStart], ready: str) -> None:
    """Runs the servers until a signal ends this process with KeyboardInterrupt; prints `ready` once all answer."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it
            signal.signal(number, signal.default_int_handler)
    with ServedReplicas(starts, say=lambda line: print(f"pixel-env serve: {line}", flush=True)) as replicas:
        replicas.wait_until_all_answer()
        print(ready, flush=True)
        replicas.keep_alive()


class ServedReplicas:
    """The servers of `starts`, running within the context; when it is left, all have ended.

    `say`: gets one line for each event; `clock`: seconds.
    """

    def __init__(
        self,
        starts: Sequence[ReplicaStart],
        *,
        say: Callable[[str], None] = print,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._all = [_Served(start) for start in starts]
        self._say = say
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @property
    def all_answer(self) -> bool:
        """Whether every server answered at its last check."""
        return all(served.answers for served in self._all)

    def wait_until_all_answer(self) -> None:
        """Starts them. Raises ConfigError if one ends `ATTEMPTS` times without ever having answered."""
        while not self.all_answer:
            self.check()
            time.sleep(_POLL_S)

    def keep_alive(self) -> None:
        """Until an exception, such as that of a signal, ends it."""
        while True:
            self.check()
            time.sleep(_POLL_S)

    def check(self) -> None:
        """One round: starts what is due, notes what has ended and what answers."""
        for served in self._all:
            if served.process is None:
                if self._clock() >= served.due_s:
                    served.process = _started(served.start)
            elif (code := served.process.poll()) is not None:
                _kill_group(served.process)  # what it had started itself outlives it and keeps the GPU's memory
                self._plan_the_next_start(served, code)
            elif not served.answers and _answers(served.start.url):
                served.answers = served.has_answered = True
                self._say(f"{served.start.url} answers")

    def _plan_the_next_start(self, served: _Served, code: int) -> None:
        served.failures = 0 if served.answers else served.failures + 1
        served.process, served.answers = None, False
        ended = f"the server at {served.start.url} exited with code {code}"
        if not served.has_answered and served.failures >= ATTEMPTS:
            raise ConfigError(
                f"{ended}, {served.failures} times in a row, without ever answering. See its output above. To run it "
                f"alone: {' '.join(served.start.command)}"
            )
        wait_s = min(2.0**served.failures, LONGEST_WAIT_S)
        served.due_s = self._clock() + wait_s
        self._say(f"{ended}; it restarts in {wait_s:.0f} s")

    def _end(self) -> None:
        processes = [served.process for served in self._all if served.process is not None]
        end = self._clock() + _GRACE_S
        try:
            for process in processes:
                process.terminate()
            for process in processes:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, end - self._clock()))
        finally:  # also when a second Ctrl-C interrupts the wait
            for process in processes:
                _kill_group(process)
                process.wait()


def _started(start: ReplicaStart) -> "subprocess.Popen[bytes]":
    # A group of its own: it can be killed with everything that it starts, and Ctrl-C reaches it through us alone.
    return subprocess.Popen(start.command, env=dict(start.environment), start_new_session=True)


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _answers(url: str) -> bool:
    try:
        with _DIRECT.open(f"{url}/health", timeout=2):
            return True
    except (OSError, http.client.HTTPException):
        return False
