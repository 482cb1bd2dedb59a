"""Equal images as one array: the rollouts of one question share the memory of its overview.

Depends on arrays; independent of episodes. References are weak: an array that no episode holds any more is freed.
"""

import threading
from weakref import WeakValueDictionary

import numpy as np

from agents.chat.content_id import content_id


class SharedImages:
    """The arrays that are held somewhere, by their pixels. Thread-safe."""

    def __init__(self) -> None:
        self._held: WeakValueDictionary[str, np.ndarray] = WeakValueDictionary()
        self._lock = threading.Lock()

    def shared(self, image: np.ndarray) -> np.ndarray:
        """An array of the same pixels that is held already, or `image`. Do not write into it."""
        name = content_id(image)
        with self._lock:
            return self._held.setdefault(name, image)
