"""Base of engines that generate on a server: requests are coroutines in a thread, polls collect their responses.

Depends on requests and responses; independent of connections and formats.
"""

import asyncio
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from agents.engines.protocol import Request, Response
from pixel_env.errors import USER_MISTAKES

POLL_S = 0.02
"""How long a poll waits for a response: operations that end meanwhile are submitted that much later at most."""

T = TypeVar("T")


class RemoteEngine(ABC):
    """An engine whose requests are answered on a server: a subclass only writes `answer`.

    `thread_name`: of the thread with the event loop; `redact`: removes secrets from an error's text.
    """

    static = False

    def __init__(self, thread_name: str, *, redact: Callable[[str], str] = str) -> None:
        self._redact = redact
        self._finished: queue.SimpleQueue[tuple[int, Response | Exception]] = queue.SimpleQueue()
        self._epoch = 0
        self._in_flight = 0
        self._running: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=thread_name, daemon=True)
        self._thread.start()

    @abstractmethod
    async def answer(self, request: Request) -> Response:
        """The response to `request`; runs in the event loop.

        What it raises is the response's error, except errors of the user's (`USER_MISTAKES`), which `poll` raises.
        """

    @property
    def in_flight(self) -> int:
        """Requests whose responses no poll has returned yet."""
        return self._in_flight

    def submit(self, request: Request) -> None:
        """Send `request` off; returns at once."""
        self._in_flight += 1
        self._loop.call_soon_threadsafe(self._start, request, self._epoch)

    def poll(self) -> list[Response]:
        """The responses that have arrived, after a short wait for the first one.

        Raises an error of the user's (`USER_MISTAKES`) that a request met: no request can be served.
        """
        responses: list[Response] = []
        try:
            finished = self._finished.get(timeout=POLL_S)
            while True:
                epoch, response = finished
                if epoch == self._epoch:
                    if isinstance(response, Exception):
                        raise response
                    responses.append(response)
                finished = self._finished.get_nowait()
        except queue.Empty:
            pass
        self._in_flight -= len(responses)
        return responses

    def cancel(self) -> None:
        """Discard what is in flight: its coroutines and their connections are cancelled."""
        self._epoch += 1
        self._in_flight = 0
        self._loop.call_soon_threadsafe(self._stop)

    def begin(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Start other work in the same event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """End everything, and the thread."""
        self.cancel()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    # ------------------------------------------------------------------------------- in the event loop's thread

    def _start(self, request: Request, epoch: int) -> None:
        task = self._loop.create_task(self._serve(request, epoch))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _stop(self) -> None:
        for task in self._running:
            task.cancel()

    async def _serve(self, request: Request, epoch: int) -> None:
        try:
            response: Response | Exception = await self.answer(request)
        except USER_MISTAKES as error:
            response = error
        except Exception as error:  # data, like any episode that fails: the others continue
            text = self._redact(f"{type(error).__name__}: {error}")
            response = Response(request.request_id, (), (), ended=True, error=text)
        self._finished.put((epoch, response))
