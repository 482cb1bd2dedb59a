"""Base of engines that keep requests in a queue until they are polled.

Depends on requests and responses; independent of how a turn is generated.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from agents.engines.protocol import Request, Response


class QueuedEngine(ABC):
    """An engine that answers all of its queue in one poll: a subclass only writes `answers`.

    class Parrot(QueuedEngine):
        def answers(self, requests):
            return [Response(one.request_id, IDS, (0.0,) * len(IDS), ended=True) for one in requests]
    """

    static = True

    def __init__(self) -> None:
        self._queue: list[Request] = []

    @abstractmethod
    def answers(self, requests: Sequence[Request]) -> list[Response]:
        """One response for each request, in any order. A request that cannot be served has a response with `error`."""

    @property
    def in_flight(self) -> int:
        """Requests in the queue."""
        return len(self._queue)

    def submit(self, request: Request) -> None:
        """Queue `request`."""
        self._queue.append(request)

    def poll(self) -> list[Response]:
        """Responses to everything that is queued."""
        requests, self._queue = self._queue, []
        return self.answers(requests)

    def cancel(self) -> None:
        """Empty the queue."""
        self._queue.clear()
