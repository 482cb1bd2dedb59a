import numpy as np
import pytest

from agents.grpo.replay_buffer import ReplayBuffer, effective_sample_size


def buffer(capacity=100, alpha=1.0, max_age=8):
    return ReplayBuffer(capacity, alpha, max_age)


def test_only_what_can_be_learned_from_is_kept():
    kept = buffer()
    kept.add(["a", "b", "c", "d"], np.array([0.5, 0.0, -0.25, -0.0]), step=3)
    assert [(k.sample, k.advantage, k.step) for k in kept.state()] == [("a", 0.5, 3), ("c", -0.25, 3)]


def test_the_oldest_leave_a_full_buffer_and_stale_ones_are_never_drawn():
    kept = buffer(capacity=3, max_age=2)
    kept.add("abcde", np.ones(5), step=0)
    assert [k.sample for k in kept.state()] == ["c", "d", "e"]
    assert len(kept.draw(9, 2, np.random.default_rng(0))) == 3
    assert kept.draw(9, 3, np.random.default_rng(0)) == [] and len(kept) == 0


def test_the_samples_of_this_step_are_not_replayed_in_it():
    kept = buffer()
    kept.add(["fresh"], np.ones(1), step=4)
    assert kept.draw(1, 4, np.random.default_rng(0)) == []
    assert [k.sample for k in kept.draw(1, 5, np.random.default_rng(0))] == ["fresh"]


@pytest.mark.parametrize("alpha", [0.0, 1.0, 2.0])
def test_a_sample_is_drawn_in_proportion_to_its_advantages_size(alpha):
    kept, rng = buffer(alpha=alpha, max_age=10**6), np.random.default_rng(0)
    kept.add(["small", "large"], np.array([-0.25, 0.75]), step=0)
    drawn = [kept.draw(1, step, rng)[0].sample for step in range(1, 4001)]
    expected = 3**alpha / (1 + 3**alpha)
    assert drawn.count("large") / 4000 == pytest.approx(expected, abs=0.025)


def test_no_sample_is_drawn_twice_for_one_batch():
    kept = buffer()
    kept.add(list(range(10)), np.linspace(0.1, 1, 10), step=0)
    drawn = [k.sample for k in kept.draw(8, 1, np.random.default_rng(1))]
    assert len(set(drawn)) == 8


def test_a_restored_buffer_draws_what_the_first_one_would():
    first, second = buffer(), buffer()
    first.add(list(range(20)), np.random.default_rng(0).normal(size=20), step=0)
    second.restore(first.state())
    draws = [[k.sample for k in b.draw(5, 1, np.random.default_rng(7))] for b in (first, second)]
    assert draws[0] == draws[1]


def test_the_effective_sample_size_counts_equal_weights_and_nothing_else():
    assert effective_sample_size([2.0] * 5 + [0.0] * 3) == pytest.approx(5.0)
    assert effective_sample_size([1.0, 0.0]) == 1.0 and effective_sample_size([0.0, 0.0]) == 0.0
    assert 1.0 < effective_sample_size([1.0, 0.1]) < 2.0


def test_no_sample_is_drawn_twice_for_one_step():
    kept = buffer()
    kept.add(list(range(10)), np.ones(10), step=0)
    first, second, third = (kept.draw(4, 1, np.random.default_rng(0)) for _ in range(3))
    assert len({k.sample for k in [*first, *second, *third]}) == 10
    assert len(kept.draw(4, 2, np.random.default_rng(0))) == 4
