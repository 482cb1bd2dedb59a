"""Names of images by their pixels: equal pixels have equal names.

Depends on arrays; independent of engines and chat templates.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

Frames = tuple[np.ndarray, ...]
"""A video: its frames, all of one size."""


def content_id(image: np.ndarray) -> str:
    """A name for the image: the same for images of equal pixels."""
    digest = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16).hexdigest()
    return f"{'x'.join(map(str, image.shape))}-{digest}"


def content_ids(images: Sequence[np.ndarray] | Sequence[Frames]) -> list[str]:
    """A name for each image or video, by its pixels; an array that occurs several times is hashed once."""
    frames_of = [image if isinstance(image, tuple) else (image,) for image in images]
    arrays = {id(array): array for frames in frames_of for array in frames}
    name_of = {key: content_id(array) for key, array in arrays.items()}
    return ["/".join(name_of[id(array)] for array in frames) for frames in frames_of]
