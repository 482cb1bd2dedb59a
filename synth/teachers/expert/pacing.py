"""How often something may happen in a minute. Knows a clock, and nothing of what is paced."""

import asyncio
import time
from collections.abc import Awaitable, Callable

MINUTE_S = 60.0


class Pace:
    """At most `per_minute` in any minute, evenly spread, so there are no bursts; None: as much as comes."""

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
        """Waits until something may be spent, and spends `amount`."""
        # Of those who wake at the same time the first spends, the others wait anew: no lock, so no event loop is kept.
        while (wait_s := max(self._free_at, self._held_until) - self._clock()) > 0:
            await self._sleep(wait_s)
        self._free_at = self._clock() + amount * self._cost_s

    def give_back(self, amount: float) -> None:
        """Returns what was taken and not needed; a negative amount spends more."""
        self._free_at -= amount * self._cost_s

    def hold(self, seconds: float) -> None:
        """Nobody starts for so long, those who already wait included."""
        self._held_until = max(self._held_until, self._clock() + seconds)
