"""Random generators seeded by a string, stable across processes and releases.

Depends on strings; independent of what is drawn.
"""

import hashlib

import numpy as np


def seed_of(text: str) -> int:
    """A seed of 64 bits for the string, which may hold lone surrogates."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def rng_of(text: str) -> np.random.Generator:
    """A new generator for the string: equal strings draw the same numbers, different ones independent numbers."""
    return np.random.default_rng(seed_of(text))
