"""A rate limiter per minute.

Depends on a clock; independent of what is limited.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

MINUTE_S = 60.0


class RateLimiter:
    """At most `per_minute` units in any minute, evenly spread and without bursts; None: no limit."""

    def __init__(
        self,
        per_minute: float | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._cost_s = 0.0 if per_minute is None else MINUTE_S / per_minute
        self._clock, self._sleep = clock, sleep
        self._free_at = self._held_until = -float("inf")

    async def take(self, amount: float = 1.0) -> None:
        """Waits until the limit allows it, then takes `amount` units."""
        # Of the tasks that wake up together the first takes its units and the others wait again. A lock would bind the
        # limiter to one event loop.
        while (wait_s := max(self._free_at, self._held_until) - self._clock()) > 0:
            await self._sleep(wait_s)
        self._free_at = self._clock() + amount * self._cost_s

    def give_back(self, amount: float) -> None:
        """Returns units that were taken and not needed; a negative amount takes more."""
        self._free_at -= amount * self._cost_s

    def hold(self, seconds: float) -> None:
        """Blocks everything for this time, including the tasks that already wait."""
        self._held_until = max(self._held_until, self._clock() + seconds)
