"""Pixel features of pictures and videos that were processed before: once per trajectory, not per turn and forward pass.

Knows arrays and tensors. Knows nothing of models: whoever owns the processor passes it in.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from cachetools import LRUCache

from agents.chat.content_id import Frames, content_ids

MAX_BYTES = 256 * 2**20
"""Features kept at most. They take 8 times a picture's bytes, so a batch of large pictures is never held as a whole."""


Picture = TypeVar("Picture", np.ndarray, Frames)


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """One picture or video: `patches` float32 (patches, values of a patch), `grid` int (3,): times, rows, columns."""

    patches: torch.Tensor
    grid: torch.Tensor


class FeatureCache:
    """Features by the pixels, the least recently used dropped first. Thread-safe."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._lock = threading.Lock()
        self._kept: LRUCache[str, Features] = LRUCache(max_bytes, getsizeof=lambda one: one.patches.nbytes)

    def of(self, pictures: Sequence[Picture], process: Callable[[list[Picture]], list[Features]]) -> list[Features]:
        """The features of `pictures`, in order; `process` makes those that are not kept, each distinct one once."""
        names = content_ids(pictures)
        with self._lock:
            found = {name: self._kept[name] for name in names if name in self._kept}
        missing = {name: picture for name, picture in zip(names, pictures, strict=True) if name not in found}
        made = dict(zip(missing, process(list(missing.values())), strict=True)) if missing else {}
        with self._lock:
            for name, features in made.items():
                if features.patches.nbytes <= self._kept.maxsize:  # a larger one is refused with an error
                    self._kept[name] = features
        return [(found | made)[name] for name in names]
