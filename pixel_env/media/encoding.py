"""Images as the bytes of a PNG or JPEG file, and as data URIs.

Depends on numpy and Pillow; independent of how the bytes are sent or stored.
"""

import base64
import io
from typing import Literal

import numpy as np
from PIL import Image

Format = Literal["png", "jpeg"]
"""PNG is lossless; JPEG is smaller and lossy."""


def encoded(image: np.ndarray | Image.Image, kind: Format, **options: int | bool) -> bytes:
    """The image (uint8, height x width x 3) as the bytes of a file; `options` are Pillow's, such as `quality`."""
    opened = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    buffer = io.BytesIO()
    opened.save(buffer, format=kind, **options)
    return buffer.getvalue()


def data_uri(data: bytes, kind: Format) -> str:
    """The bytes of a file as a data URI, for a page or a request that holds its images."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def exact_png(image: np.ndarray) -> bytes:
    """The image as the bytes of a PNG file: no pixel changes, compressed for speed.

    Level 1 takes a quarter of the time of Pillow's default (docs/performance.md). Lossless WebP is as fast on
    photographs, three times as large on pages, and holds no side longer than 16,383 pixels.
    """
    return encoded(image, "png", compress_level=1)


def exact_data_uri(image: np.ndarray) -> str:
    """The image as PNG (no pixel changes) in a data URI, compressed for speed."""
    return data_uri(exact_png(image), "png")
