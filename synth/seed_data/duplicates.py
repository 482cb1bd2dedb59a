"""Detection of near-duplicate images, by a difference hash of 256 bits.

Depends on pixels; independent of tasks. The hash is a resize and a comparison, implemented here; `imagehash` computes
the same, but depends on SciPy and PyWavelets for its other hashes.

The hash has 16 x 16 bits instead of the usual 8 x 8, where rendered pages with lines of text on white differ in as few
bits (4) as copies do (4). At 16 x 16 a copy (half the size, or JPEG down to quality 30) differs from its original in up
to 9 of 256 bits; different pages differ in 44 and more, different windows of one photograph in 68 and more.
"""

import numpy as np
from PIL import Image

SIDE = 16
BITS = SIDE * SIDE
_LEVELS = 2
"""Grey levels by which neighbours must differ: a smaller difference is encoder noise."""
_FIRST_CAPACITY = 64


def difference_hash(image: Image.Image) -> np.ndarray:
    """The hash, 4 words of 64 bits: whether each cell of a 16 x 17 overview is darker than its neighbour."""
    small = image.convert("L").resize((SIDE + 1, SIDE), Image.Resampling.BOX)  # a reducing gap would cost 20 bits
    grey = np.asarray(small, np.int16)
    return np.packbits(grey[:, 1:] - grey[:, :-1] > _LEVELS).view(np.uint64)


def distance(first: np.ndarray, second: np.ndarray) -> int:
    """Bits in which two hashes differ, 0 to 256."""
    return int(np.bitwise_count(first ^ second).sum())


class SeenImages:
    """The hashes of the images so far. `resembles` compares with all at once: 10,000 take half a millisecond."""

    def __init__(self, max_bits: int) -> None:
        self.max_bits = max_bits
        self._hashes = np.zeros((_FIRST_CAPACITY, BITS // 64), np.uint64)
        self._count = 0

    def resembles(self, image_hash: np.ndarray) -> bool:
        """Whether one of them differs in at most `max_bits` bits."""
        differing = np.bitwise_count(self._hashes[: self._count] ^ image_hash).sum(axis=1)
        return bool((differing <= self.max_bits).any())

    def add(self, image_hash: np.ndarray) -> None:
        """Remembers the hash."""
        if self._count == len(self._hashes):
            self._hashes = np.concatenate([self._hashes, np.zeros_like(self._hashes)])
        self._hashes[self._count] = image_hash
        self._count += 1
