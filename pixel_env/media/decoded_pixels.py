"""A bound on decoded pixels over all threads that check pictures: 20 of them on pictures of 8K would take 7 GB.

Depends on nothing; independent of what is decoded.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

MAX_PIXELS = 1 << 27
"""134 million: at 4 bytes a pixel, and with a second copy while a picture is converted, about 1 GB."""


class DecodedPixels:
    """Lets threads hold pixels, at most `most` at a time; a picture of more is held alone. First come, first served."""

    def __init__(self, most: int = MAX_PIXELS) -> None:
        self.most = most
        self._held = 0
        self._queue: deque[object] = deque()
        self._turn = threading.Condition()

    @contextmanager
    def holding(self, pixels: int) -> Iterator[None]:
        """Waits until `pixels` more may be held, and gives them back at the end. Not to be nested in one thread."""
        share, ticket = min(pixels, self.most), object()
        with self._turn:
            self._queue.append(ticket)
            self._turn.wait_for(lambda: self._queue[0] is ticket and self._held + share <= self.most)
            self._queue.popleft()
            self._held += share
            self._turn.notify_all()
        try:
            yield
        finally:
            with self._turn:
                self._held -= share
                self._turn.notify_all()


DECODED_PIXELS = DecodedPixels()
"""The process's bound."""
