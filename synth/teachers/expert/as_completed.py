"""Asynchronous work whose results an ordinary loop consumes.

Depends on asyncio and one thread; independent of the work.
"""

import asyncio
import queue
from collections.abc import Awaitable, Callable, Coroutine, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")

Put = Callable[[T], Awaitable[None]]


def as_completed(work: Callable[[Put[T]], Coroutine[Any, Any, None]], *, unread: int) -> Generator[T, None, None]:
    """Yields the items that `work(put)` puts, as they come.

    `work` runs in its own thread and event loop, which end with this generator. A put waits while `unread` items are
    not consumed, so that little is produced in vain. An exception of `work` is raised here, after the items that it
    had put. Closing the generator early cancels `work`.
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

    with ThreadPoolExecutor(1, thread_name_prefix="as_completed") as pool:
        running = pool.submit(lambda: asyncio.run(run()))
        loop, working = started.result()
        try:
            while (item := items.get()) is not None:
                _call_in(loop, free.release)
                yield item[0]
        except BaseException:  # an exception of the consumer, or its early exit
            _call_in(loop, working.cancel)
            raise
        running.result()


def _call_in(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    with suppress(RuntimeError):  # the work has ended and its loop is closed
        loop.call_soon_threadsafe(call)
