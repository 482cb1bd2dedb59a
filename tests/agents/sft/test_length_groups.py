import numpy as np
import pytest

from agents.sft.length_groups import POOL_BATCHES, LengthGroups, grouped

LENGTHS = np.random.default_rng(0).integers(50, 5000, 1003)


def padded(order, batch_size):
    """Tokens that are computed, as a multiple of those that are there."""
    batches = [LENGTHS[order[start : start + batch_size]] for start in range(0, len(order), batch_size)]
    return sum(len(batch) * batch.max() for batch in batches) / LENGTHS.sum()


@pytest.mark.parametrize("batch_size", [1, 4, 8, 1003, 2000])
def test_every_row_comes_once_and_the_longest_in_the_first_batch(batch_size):
    order = grouped(LENGTHS, batch_size, np.random.default_rng(1))
    assert sorted(order) == list(range(1003))
    assert batch_size > 1003 or LENGTHS[order[:batch_size]].max() == LENGTHS.max()


def test_batches_are_of_similar_rows_and_hardly_padded():
    order = grouped(LENGTHS, 8, np.random.default_rng(1))
    drawn = np.random.default_rng(1).permutation(1003)
    assert padded(order, 8) < 1.05 and padded(drawn, 8) > 1.6


def test_batches_do_not_come_by_length():
    longest = [
        LENGTHS[batch].max() for batch in np.reshape(grouped(LENGTHS, 8, np.random.default_rng(1))[:1000], (-1, 8))
    ]
    assert abs(np.corrcoef(np.arange(len(longest)), longest)[0, 1]) < 0.25
    assert len(longest) > 2 * POOL_BATCHES


def test_the_order_is_a_function_of_seed_and_epoch_alone():
    first, again, other = LengthGroups(LENGTHS, 8, 3), LengthGroups(LENGTHS, 8, 3), LengthGroups(LENGTHS, 8, 4)
    epochs = [list(first)]
    np.random.default_rng(0).random()
    for epoch in (1, 2):
        first.set_epoch(epoch)
        epochs.append(list(first))
    again.set_epoch(2)
    assert list(again) == epochs[2] and len({tuple(order) for order in epochs}) == 3
    assert list(other) != epochs[0] and len(first) == 1003
