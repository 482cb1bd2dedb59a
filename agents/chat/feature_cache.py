"""A cache of pixel features: an image or video is processed once per trajectory, not once per turn and forward pass.

Depends on arrays and tensors; independent of models: the caller passes the processor in.
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
"""Bytes of features kept at most. Features take 8 times an image's bytes, so a batch of large images does not fit."""

ImageOrVideo = TypeVar("ImageOrVideo", np.ndarray, Frames)


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """One image or video: `patches` float32 (patches, values of a patch), `grid` int (3,): times, rows, columns."""

    patches: torch.Tensor
    grid: torch.Tensor


class FeatureCache:
    """Features by the pixels, the least recently used dropped first. Thread-safe."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._lock = threading.Lock()
        self._kept: LRUCache[str, Features] = LRUCache(max_bytes, getsizeof=lambda one: one.patches.nbytes)

    def of(
        self, images: Sequence[ImageOrVideo], process: Callable[[list[ImageOrVideo]], list[Features]]
    ) -> list[Features]:
        """The features of `images`, in order; `process` computes those that are not cached, each distinct one once."""
        names = content_ids(images)
        with self._lock:
            cached = {name: self._kept[name] for name in names if name in self._kept}
        missing = {name: image for name, image in zip(names, images, strict=True) if name not in cached}
        made = dict(zip(missing, process(list(missing.values())), strict=True)) if missing else {}
        with self._lock:
            for name, features in made.items():
                if features.patches.nbytes <= self._kept.maxsize:  # the cache raises for a larger one
                    self._kept[name] = features
        return [(cached | made)[name] for name in names]
