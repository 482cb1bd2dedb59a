"""Asynchronous work, consumed by an ordinary loop. Knows asyncio and one thread; nothing of what the work does."""

import asyncio
import queue
from collections.abc import Awaitable, Callable, Coroutine, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

Put = Callable[[T], Awaitable[None]]


def arrivals(work: Callable[[Put[T]], Coroutine[Any, Any, None]], *, unread: int) -> Generator[T, None, None]:
    """What `work(put)` puts, as it comes. It runs in an event loop and a thread of its own, which end with this.

    A put waits while `unread` others are, so little is made that nobody takes. What `work` raises is raised here,
    after everything that it had put. Whoever stops early cancels it.
    """
    items: queue.SimpleQueue[tuple[T] | None] = queue.SimpleQueue()
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = Future()
    free = asyncio.Semaphore(unread)

    async def put(item: T) -> None:
        await free.acquire()
        items.put((item,))

    async def run() -> None:
        working = asyncio.ensure_future(work(put))
        started.set_result((asyncio.get_running_loop(), working))
        try:
            await working
        finally:
            items.put(None)

    with ThreadPoolExecutor(1, thread_name_prefix="arrivals") as pool:
        running = pool.submit(lambda: asyncio.run(run()))
        loop, working = started.result()
        try:
            while (item := items.get()) is not None:
                _call_in(loop, free.release)
                yield item[0]
        except BaseException:  # the consumer's own, and its leaving early
            _call_in(loop, working.cancel)
            raise
        running.result()


def _call_in(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    with suppress(RuntimeError):  # the work has ended and its loop is closed: nothing is left to tell it
        loop.call_soon_threadsafe(call)
