"""Requests that are answered elsewhere: each is a coroutine in a thread of its own, polls collect what has arrived.

Knows requests and responses. Knows nothing of connections or formats: whoever owns it says how a request is answered.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from agents.engines.protocol import Request, Response

POLL_S = 0.02
"""How long a poll waits for a response: operations that end meanwhile are submitted that much later at most."""

T = TypeVar("T")


class RemoteRequests:
    """The verbs of an engine, over `answer`, which runs in an event loop; what it raises is the response's error.

    `said`: what may be told of an error's text.
    """

    def __init__(
        self,
        name: str,
        answer: Callable[[Request], Coroutine[Any, Any, Response]],
        *,
        said: Callable[[str], str] = str,
    ) -> None:
        self._answer, self._said = answer, said
        self._finished: queue.SimpleQueue[tuple[int, Response]] = queue.SimpleQueue()
        self._epoch = 0
        self._running: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()
        self.in_flight = 0

    def submit(self, request: Request) -> None:
        """Have `request` answered; returns at once."""
        self.in_flight += 1
        self._loop.call_soon_threadsafe(self._start, request, self._epoch)

    def poll(self) -> list[Response]:
        """What has arrived, after a short wait for the first one."""
        responses: list[Response] = []
        try:
            arrived = self._finished.get(timeout=POLL_S)
            while True:
                epoch, response = arrived
                responses += [response] if epoch == self._epoch else []
                arrived = self._finished.get_nowait()
        except queue.Empty:
            pass
        self.in_flight -= len(responses)
        return responses

    def cancel(self) -> None:
        """Forget what is in flight: its coroutines are cancelled, and with them their connections."""
        self._epoch += 1
        self.in_flight = 0
        self._loop.call_soon_threadsafe(self._stop)

    def begin(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Start other work in the same event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """Ends everything, and the thread."""
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
            response = await self._answer(request)
        except Exception as error:  # data, like any episode that breaks: the others go on
            text = self._said(f"{type(error).__name__}: {error}")
            response = Response(request.request_id, (), (), ended=True, error=text)
        self._finished.put((epoch, response))
