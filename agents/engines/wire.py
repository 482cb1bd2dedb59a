"""Prompts as vLLM takes them: one placeholder for each picture, pictures named by their pixels or as data URLs.

Knows ids and arrays. Imports no model library.
"""

import base64
import io
import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from PIL import Image

from agents.chat.content_id import content_id
from pixel_env.task import VIDEO_FRAMES

FORBIDDEN = -100.0
"""Added to a banned token's logit: vLLM's largest bias, a factor of 4e-44."""

WORKER_EXTENSION = "agents.engines.vllm_worker.ReloadingWorker"
"""Of vLLM's option `worker_extension_cls`: what renews its weights."""
SERVED_WORKER_EXTENSION = "agents.engines.served.worker.ServedWorker"
"""The same for a server, which several trainers ask for weights."""


def collapsed(ids: Sequence[int], image_id: int | None) -> list[int]:
    """`ids` with one placeholder for each picture: vLLM expands them itself, and would expand expanded ones again.

    Pictures are told apart by the marks around them, which every format that `Chat` reads has.
    """
    before = [None, *ids[:-1]]
    return [id for id, previous in zip(ids, before, strict=True) if not id == previous == image_id]


def pictures_at_most(max_images: int) -> int:
    """Pictures that one prompt may hold under `Limits.max_images`, which counts a video once: its frames and more."""
    return max_images - 1 + VIDEO_FRAMES


def data_url(image: np.ndarray) -> str:
    """The picture as PNG (no pixel changes) in a data URL."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


class EncodedPictures:
    """Data URLs by `content_id`, the least recently used dropped once `max_bytes` are held. Thread-safe."""

    def __init__(self, max_bytes: int = 2**30) -> None:
        self._max_bytes = max_bytes
        self._urls: OrderedDict[str, str] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def named(self, image: np.ndarray) -> tuple[str, str]:
        """Name and data URL of the picture, which is encoded once for all turns that show it."""
        name = content_id(image)
        with self._lock:
            if name in self._urls:
                self._urls.move_to_end(name)
                return name, self._urls[name]
        url = data_url(image)  # outside of the lock: two threads may encode the same picture, neither waits
        with self._lock:
            if name not in self._urls:
                self._urls[name] = url
                self._bytes += len(url)
            while self._bytes > self._max_bytes and len(self._urls) > 1:
                self._bytes -= len(self._urls.popitem(last=False)[1])
        return name, url
