"""Prompts as servers take them: one placeholder for each picture, pictures named by their pixels or as data URLs.

Knows ids and arrays. Imports no model library.
"""

import base64
import hashlib
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

FORBIDDEN = -100.0
"""Added to a banned token's logit: vLLM's largest bias, a factor of 4e-44."""


WORKER_EXTENSION = "agents.engines.vllm_worker.ReloadingWorker"
"""Of vLLM's option `worker_extension_cls`: what renews its weights."""


def collapsed(ids: Sequence[int], image_id: int) -> list[int]:
    """`ids` with one placeholder for each picture: vLLM expands them itself, and would expand expanded ones again.

    Pictures are told apart by the marks around them, which every format that `Chat` reads has.
    """
    before = [None, *ids[:-1]]
    return [id for id, previous in zip(ids, before, strict=True) if not id == previous == image_id]


def content_id(image: np.ndarray) -> str:
    """A name for the picture: the same for pictures of equal pixels."""
    digest = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).hexdigest()
    return f"{'x'.join(map(str, image.shape))}-{digest}"


def data_url(image: np.ndarray) -> str:
    """The picture as PNG (no pixel changes) in a data URL."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
