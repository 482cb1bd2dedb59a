"""A bounded cache of values that take long to make: one thread makes a value, the others wait for it.

Depends on threads; independent of what is kept and of how it is made.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

Value = TypeVar("Value")


class BoundedCache(Generic[Value]):
    """Values by key, the least recently used dropped once `max_bytes` are kept. Thread-safe.

    `bytes_of(value)`: what a value takes. A value that anybody still holds is given again even where it is no longer
    kept, or never was: it takes no memory of its own. The value that was kept last stays, however large it is.
    """

    def __init__(self, max_bytes: int, bytes_of: Callable[[Value], int]) -> None:
        self.max_bytes = max_bytes
        self._bytes_of = bytes_of
        self.forget()

    def forget(self) -> None:
        """Starts empty. In a child process the locks are new too: a thread of the parent may hold the old ones."""
        self._lock = threading.Lock()
        self._making: dict[Hashable, threading.Lock] = {}  # locked by the thread that makes the value
        self._kept: OrderedDict[Hashable, Value] = OrderedDict()
        self._held: WeakValueDictionary[Hashable, Value] = WeakValueDictionary()
        self._bytes = 0

    @property
    def kept_bytes(self) -> int:
        """What the kept values take together."""
        return self._bytes

    def get(self, key: Hashable, make: Callable[[], Value], *, keep: bool = True) -> Value:
        """The value of `key`, made by `make` unless it is there; equal keys mean equal values.

        `keep`: False for a value that is seldom requested twice, so that it displaces no other one. What `make` raises
        is raised here, and the next caller tries again. `make` may get values of other keys, but not its own.
        """
        while True:
            with self._lock:
                if (value := self._found(key, keep)) is not None:
                    return value
                if (making := self._making.get(key)) is None:
                    made = self._making[key] = threading.Lock()
                    made.acquire()
                    break
            with making:  # until the other thread has made it, or failed
                pass
        try:
            value = make()
            with self._lock:
                self._held[key] = value
                if keep:
                    self._keep(key, value)
            return value
        finally:
            self._making.pop(key, None)  # gone where everything was forgotten meanwhile
            made.release()

    def _found(self, key: Hashable, keep: bool) -> Value | None:
        value = self._held.get(key)
        if key in self._kept:
            self._kept.move_to_end(key)
        elif keep and value is not None:
            self._keep(key, value)
        return value

    def _keep(self, key: Hashable, value: Value) -> None:
        self._kept[key] = value
        self._bytes += self._bytes_of(value)
        while self._bytes > self.max_bytes and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= self._bytes_of(dropped)
