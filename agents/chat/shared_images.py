"""Equal pictures as one array: the rollouts of a question hold its overview once between them.

Knows arrays. Keeps nothing alive: an array that no episode holds any more is forgotten.
"""

import threading
from weakref import WeakValueDictionary

import numpy as np

from agents.chat.content_id import content_id


class SharedPictures:
    """The arrays that are held somewhere, by their pixels. Thread-safe."""

    def __init__(self) -> None:
        self._held: WeakValueDictionary[str, np.ndarray] = WeakValueDictionary()
        self._lock = threading.Lock()

    def one_of(self, picture: np.ndarray) -> np.ndarray:
        """An array of the same pixels that is held already, or `picture`. Do not write into it."""
        name = content_id(picture)
        with self._lock:
            return self._held.setdefault(name, picture)
