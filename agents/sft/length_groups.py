"""The order of rows that wastes no padding: rows of similar length in one batch, batches in an order of chance.

Knows lengths and numbers of rows. Knows nothing of what a row is.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

POOL_BATCHES = 50
"""Batches whose rows are drawn together and sorted: the more, the less padding and the less chance."""


class LengthGroups(Sampler[int]):
    """Places of rows, epoch by epoch. The order is a function of lengths, seed and epoch alone.

    So every process that is asked has the same one, and so has a run that is resumed, whatever was drawn in between.
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
        """What accelerate's loader calls before an epoch."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        return iter(grouped(self._lengths, self._batch_size, np.random.default_rng((self._seed, self._epoch))))


def grouped(lengths: np.ndarray, batch_size: int, rng: np.random.Generator) -> list[int]:
    """Every place once: each `batch_size` of them in a row are of similar length, up to the last, smaller batch.

    The batch of the longest row comes first: a memory that is too small shows at once.
    """
    order = rng.permutation(len(lengths))
    starts = np.arange(0, len(order), batch_size)
    # Pools of about equally many whole batches: a small last one would have nothing to sort by.
    parts = np.array_split(starts, max(1, -(-len(starts) // POOL_BATCHES)))
    pools = np.split(order, [int(part[0]) for part in parts[1:]])
    rows = np.concatenate([pool[np.argsort(-lengths[pool], kind="stable")] for pool in pools])
    whole = len(rows) // batch_size * batch_size
    batches = rows[:whole].reshape(-1, batch_size)
    batches = batches[rng.permutation(len(batches))]
    if len(batches):
        longest = int(np.argmax(lengths[batches].max(axis=1)))
        batches[[0, longest]] = batches[[longest, 0]]
    return [int(place) for place in (*batches.flatten(), *rows[whole:])]
