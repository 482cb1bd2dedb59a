"""Prompts as vLLM takes them: one placeholder for each image, images named by their pixels or sent as data URIs.

Depends on ids and arrays; independent of model libraries.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from agents.chat.content_id import content_id
from agents.engines.protocol import NO_TRUNCATION, Request
from pixel_env.media.encoding import exact_data_uri
from pixel_env.task import VIDEO_FRAMES

FORBIDDEN = -100.0
"""Added to a banned token's logit: vLLM's largest bias, a factor of 4e-44."""

WORKER_EXTENSION = "agents.engines.vllm_worker.ReloadingWorker"
"""Of vLLM's option `worker_extension_cls`: what renews its weights."""
SERVED_WORKER_EXTENSION = "agents.engines.served.worker.ServedWorker"
"""The same for a server, which takes weights from several trainers."""


def collapsed(ids: Sequence[int], image_id: int | None) -> list[int]:
    """`ids` with one placeholder for each image: vLLM expands them itself, and would expand expanded ones again.

    Neighbouring images stay separate because every format that `Chat` reads has tokens around each image.
    """
    before = [None, *ids[:-1]]
    return [id for id, previous in zip(ids, before, strict=True) if not id == previous == image_id]


def truncation_parameters(request: Request) -> dict[str, float]:
    """vLLM's sampling parameters of a request's truncation; {} for none."""
    return {} if request.truncation == NO_TRUNCATION else asdict(request.truncation)


def images_at_most(max_images: int) -> int:
    """Images that one prompt may hold under `Limits.max_images`, which counts a video once: its frames and more."""
    return max_images - 1 + VIDEO_FRAMES


class EncodedImages:
    """Data URIs by `content_id`, the least recently used dropped once `max_bytes` are held. Thread-safe."""

    def __init__(self, max_bytes: int = 2**30) -> None:
        self._max_bytes = max_bytes
        self._uris: OrderedDict[str, str] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def named(self, image: np.ndarray) -> tuple[str, str]:
        """Name and data URI of the image, which is encoded once for all turns that show it."""
        name = content_id(image)
        with self._lock:
            if name in self._uris:
                self._uris.move_to_end(name)
                return name, self._uris[name]
        uri = exact_data_uri(image)  # outside of the lock: two threads may encode the same image, neither waits
        with self._lock:
            if name not in self._uris:
                self._uris[name] = uri
                self._bytes += len(uri)
            while self._bytes > self._max_bytes and len(self._uris) > 1:
                self._bytes -= len(self._uris.popitem(last=False)[1])
        return name, uri
