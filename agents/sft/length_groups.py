"""Length-grouped batch sampler: rows of similar length in one batch, batches in random order.

Depends on lengths and numbers of rows; independent of what a row is.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

POOL_BATCHES = 50
"""Batches whose rows are drawn together and sorted: more means less padding and less randomness."""


class LengthGroups(Sampler[int]):
    """Row indices, epoch by epoch. The order is a function of lengths, seed and epoch alone.

    So it is the same in every process and in a resumed run, whatever other random numbers were drawn.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        """`batch_size`: rows that are computed at the same time, those of all processes together."""
        self._lengths = np.asarray(lengths)
        self._batch_size = batch_size
        self._seed = seed
        self._epoch = 0

    def __len__(self) -> int:
        return len(self._lengths)

    def set_epoch(self, epoch: int) -> None:
        """Called by accelerate's loader before an epoch."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        return iter(grouped(self._lengths, self._batch_size, np.random.default_rng((self._seed, self._epoch))))


def grouped(lengths: np.ndarray, batch_size: int, rng: np.random.Generator) -> list[int]:
    """Every row index once: each consecutive `batch_size` are of similar length, except the last, smaller batch.

    The batch with the longest row comes first, so that too little memory fails at once.
    """
    order = rng.permutation(len(lengths))
    starts = np.arange(0, len(order), batch_size)
    # Pools of about equally many whole batches: a small last pool would hardly be sorted.
    parts = np.array_split(starts, max(1, -(-len(starts) // POOL_BATCHES)))
    pools = np.split(order, [int(part[0]) for part in parts[1:]])
    rows = np.concatenate([pool[np.argsort(-lengths[pool], kind="stable")] for pool in pools])
    whole = len(rows) // batch_size * batch_size
    batches = rows[:whole].reshape(-1, batch_size)
    batches = batches[rng.permutation(len(batches))]
    if len(batches):
        longest = int(np.argmax(lengths[batches].max(axis=1)))
        batches[[0, longest]] = batches[[longest, 0]]
    return [int(row) for row in (*batches.flatten(), *rows[whole:])]
