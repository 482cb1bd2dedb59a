"""Equal images as one array: the rollouts of one question share the memory of its overview.

Depends on arrays and views; independent of episodes. References are weak: an array that no episode holds any more is
freed.
"""

import threading
from weakref import WeakValueDictionary

import numpy as np

from pixel_env.views import View


class SharedImages:
    """The arrays that are held somewhere, by the views that they show within equal budgets. Thread-safe."""

    def __init__(self) -> None:
        self._held: WeakValueDictionary[tuple[object, ...], np.ndarray] = WeakValueDictionary()
        self._lock = threading.Lock()

    def shared(self, view: View, image: np.ndarray) -> np.ndarray:
        """The array of this view that is held already, or `image`, which shows it. Do not write into it."""
        with self._lock:
            return self._held.setdefault(view.key, image)
