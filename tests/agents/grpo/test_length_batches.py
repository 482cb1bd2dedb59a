"""Rows of similar length are scored together, as long as the padding saved is more than another pass costs."""

from itertools import combinations

import numpy as np
import torch

from agents.grpo.scored_rows import length_batches


def cost(lengths, sizes, tokens_a_pass):
    """Tokens of batches of so many rows each, shortest rows first."""
    batches = np.split(np.sort(lengths), np.cumsum(sizes)[:-1])
    return sum(len(batch) * int(batch[-1]) + tokens_a_pass for batch in batches)


def every_division(count, largest):
    """The sizes of all ways to cut `count` rows into batches of at most `largest`."""
    for cuts in range(count):
        for places in combinations(range(1, count), cuts):
            sizes = np.diff([0, *places, count])
            if sizes.max() <= largest:
                yield sizes


def test_batches_have_the_fewest_tokens_of_all_divisions():
    rng = np.random.default_rng(0)
    for largest in (3, 8):
        for tokens_a_pass in (1, 100, 1000):
            lengths = rng.integers(20, 700, 8)
            batches = length_batches(torch.tensor(lengths), largest, tokens_a_pass=tokens_a_pass)
            sizes = [len(rows) for rows in batches]
            best = min(cost(lengths, division, tokens_a_pass) for division in every_division(8, largest))
            assert max(sizes) <= largest and cost(lengths, sizes, tokens_a_pass) == best
            assert lengths[torch.cat(batches).numpy()].tolist() == sorted(lengths)
            assert sorted(torch.cat(batches).tolist()) == list(range(8))


def test_rows_of_one_length_stay_together():
    assert len(length_batches(torch.full((8,), 300), 8, tokens_a_pass=1)) == 1


def test_no_limit_of_rows_lets_all_rows_be_one_batch():
    assert [len(rows) for rows in length_batches(torch.tensor([5, 7, 6]), None, tokens_a_pass=100)] == [3]


def test_batches_that_several_processes_must_make_alike_do_not_depend_on_lengths():
    lengths = torch.tensor([9, 500, 3, 400, 7])
    assert [rows.tolist() for rows in length_batches(lengths, 2, tokens_a_pass=None)] == [[0, 1], [2, 3], [4]]
