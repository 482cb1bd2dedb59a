"""Chance by name: the generator that stands for a text, the same in every process and release.

Knows texts and bits. Knows nothing of what is drawn.
"""

import hashlib

import numpy as np


def seed_of(text: str) -> int:
    """A number of 64 bits for the text, which may hold lone surrogates."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def rng_of(text: str) -> np.random.Generator:
    """The generator for the text, at its start: equal texts draw the same, others independently."""
    return np.random.default_rng(seed_of(text))
