"""Images within the values of a row: each becomes an `EmbeddedImage`, wherever it is nested.

Depends on values; independent of the syntax of files, which say where a value's bytes are. What is an image is told by
the value itself: bytes, an object of bytes and path as the hub's image columns have it, base64 that begins as an image
does, or a data URL.
"""

import base64
import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from pixel_env.tasks.files.embedded import EmbeddedImage, Place

Steps = tuple[str | int, ...]
"""The way from a row to a value in it: a column, then names of fields and positions in lists."""

PlaceOf = Callable[[Steps, str | None], Place]
"""From the way to an image and its base64, None where it is bytes, to its place."""


class Unread(Enum):
    """Stands for bytes that are left in the file."""

    BYTES = "bytes that are left in the file"


SHORTEST_IMAGE = 65
"""Characters of base64 from which a text can be an image."""

_DATA_URL = re.compile(r"data:image/[a-z0-9.+-]+;base64,", re.IGNORECASE)
_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1")
# How base64 of AVIF and HEIC begins: a box of some length, a multiple of four, that holds the brand.
_BOXES = tuple(
    base64.b64encode(length.to_bytes(4, "big") + b"ftyp" + brand).decode()
    for length in range(16, 68, 4)
    for brand in _BRANDS
)
# How base64 of JPEG, PNG, GIF, WEBP, BMP, TIFF and JPEG 2000 begins.
_BEGINNINGS = ("/9j/", "iVBORw0KGgo", "R0lGOD", "UklGR", "Qk", "SUkq", "TU0A", "AAAADGpQICANCocK", "/0//UQ", *_BOXES)
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
_DEEPEST = 8


def with_images(values: Mapping[str, Any], place_of: PlaceOf) -> dict[str, Any]:
    """The row's values with an `EmbeddedImage` for each image, and a path for an image that is only named."""
    return {column: _replaced(value, (column,), place_of) for column, value in values.items()}


def is_image_text(text: str) -> bool:
    """Whether the text is an image in base64, or its data URL."""
    if len(text) < SHORTEST_IMAGE:
        return False
    if text.startswith(_BEGINNINGS):
        return _BASE64.fullmatch(text) is not None
    url = _DATA_URL.match(text)
    return url is not None and _BASE64.fullmatch(text, url.end()) is not None


def begins_as_image_text(text: str) -> bool:
    """Whether a long text begins as base64 of an image does, and as no path does, whatever follows."""
    return len(text) >= SHORTEST_IMAGE and text.startswith(_BEGINNINGS)


def _replaced(value: Any, steps: Steps, place_of: PlaceOf) -> Any:
    if isinstance(value, Unread):
        return EmbeddedImage(place_of(steps, None))
    if isinstance(value, str):
        return EmbeddedImage(place_of(steps, value)) if is_image_text(value) else value
    if len(steps) > _DEEPEST:
        return value
    if isinstance(value, dict):
        if "bytes" in value and value.keys() <= {"bytes", "path"}:
            content = value["bytes"]
            return value.get("path") if content is None else _replaced(content, (*steps, "bytes"), place_of)
        return {name: _replaced(item, (*steps, name), place_of) for name, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, (*steps, number), place_of) for number, item in enumerate(value)]
    return value
