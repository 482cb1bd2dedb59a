"""Intervals, bootstraps and paired tests, against published values and against digits that must not change."""

import math
from itertools import combinations
from math import isclose

import numpy as np
import pytest

from agents.metrics.statistics import (
    NOTHING,
    Estimate,
    expected_best,
    mcnemar,
    mean_of_seeds_and_questions,
    mean_over_seeds,
    resampled_difference_of_means,
    resampled_mean,
    wilson,
)

PINNED = [
    "(0.49377770429354584, 0.4281305932125522, 0.561934047864055)",
    "(0.48589536306570863, 0.39874253899591894, 0.5676722496706601)",
]


def rng():
    return np.random.default_rng(0)


def test_wilson_gives_the_textbook_interval():
    estimate = wilson(8, 10)
    assert (estimate.value, estimate.n) == (0.8, 10)
    assert (estimate.low, estimate.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 20).low == 0.0
    assert wilson(20, 20).high == 1.0
    assert math.isnan(wilson(0, 0).value)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_that_of_newcombes_table(successes, n, low, high):
    """R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3."""
    estimate = wilson(successes, n)
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("right", "k", "expected"), [(1, 1, 0.25), (1, 2, 0.5), (1, 4, 1.0), (2, 2, 5 / 6), (0, 3, 0.0)]
)
def test_the_expected_best_of_right_and_wrong_samples_is_the_unbiased_pass_at_k(right, k, expected):
    """Chen et al. 2021, eq. 1: 1 - C(4 - c, k) / C(4, k); for c = 2 and k = 2 it is 1 - 1/6."""
    grades = [1.0] * right + [0.0] * (4 - right)
    assert expected_best(grades, k) == pytest.approx(expected)
    assert expected_best(grades, k) == pytest.approx(1 - math.comb(4 - right, k) / math.comb(4, k))


@pytest.mark.parametrize("k", range(1, 7))
def test_the_expected_best_is_the_mean_over_all_choices_of_samples(k):
    grades = [0.3, 1.0, 0.0, 0.7, 0.7, 0.2]
    assert expected_best(grades, k) == pytest.approx(np.mean([max(chosen) for chosen in combinations(grades, k)]))


def test_the_expected_best_of_many_samples_neither_overflows_nor_exceeds_one():
    assert expected_best([1.0] * 3000, 1500) == pytest.approx(1.0)
    assert expected_best([1.0] + [0.0] * 1999, 1000) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="k is 5, of 4 samples"):
        expected_best([1.0] * 4, 5)


def test_means_over_seeds_have_students_interval():
    estimate = mean_over_seeds([0.7, 0.8, 0.9])
    assert estimate.value == pytest.approx(0.8)
    assert estimate.high - estimate.value == pytest.approx(4.303 * 0.1 / math.sqrt(3), abs=1e-3)
    assert math.isnan(mean_over_seeds([0.7]).low)
    assert mean_over_seeds([0.7, math.nan, 0.8, 0.9]) == estimate


@pytest.mark.parametrize(("seeds", "quantile"), [(2, 12.706), (12, 2.201), (20, 2.093), (31, 2.042), (32, 1.96)])
def test_the_interval_is_students_up_to_thirty_one_seeds(seeds, quantile):
    values = list(np.linspace(0.5, 0.9, seeds))
    estimate = mean_over_seeds(values)
    half = estimate.high - estimate.value
    assert half == pytest.approx(quantile * np.std(values, ddof=1) / math.sqrt(seeds), rel=1e-6)


@pytest.mark.parametrize(
    ("only_first", "only_second", "p"),
    [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 0.0625), (0, 6, 0.03125), (3, 3, 1.0), (10, 2, 0.03857421875), (1, 8, 0.0390625)],
)
def test_mcnemars_p_is_the_exact_two_sided_one(only_first, only_second, p):
    assert isclose(mcnemar(only_first, only_second), p)


def test_mcnemars_p_is_exact_for_ten_thousand_questions_too():
    assert 0.0 <= mcnemar(4000, 6000) < 1e-80 and mcnemar(5000, 5000) == 1.0


def test_the_interval_resamples_seeds_as_well_as_questions():
    rng = np.random.default_rng(1)
    same_seeds = np.tile(rng.integers(0, 2, size=200).astype(float), (5, 1))
    apart = same_seeds * 0 + np.array([[0.1], [0.3], [0.5], [0.7], [0.9]])
    of_questions = mean_of_seeds_and_questions(same_seeds, rng=np.random.default_rng(0))
    of_seeds = mean_of_seeds_and_questions(apart, rng=np.random.default_rng(0))
    # Every seed met the same questions, so five seeds that agree say no more of them than one.
    assert of_questions.high - of_questions.low == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(200), rel=0.1)
    assert of_seeds.high - of_seeds.low == pytest.approx(2 * 1.96 * np.std(apart[:, 0]) / math.sqrt(5), rel=0.1)
    assert of_seeds.value == pytest.approx(0.5) and of_seeds.n == 5


def test_a_resampled_mean_is_that_of_all_draws_at_once_to_the_digit():
    values = np.random.default_rng(5).random(137)
    means = values[rng().integers(137, size=(500, 137))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    assert resampled_mean(values, rng=rng(), draws=500) == Estimate(values.mean(), low, high, 137)
    assert resampled_mean(np.array([]), rng=rng(), draws=5) is NOTHING


def test_the_digits_that_were_published_stay():
    values = np.random.default_rng(5).random((4, 50))
    found = mean_of_seeds_and_questions(values, rng=rng()), resampled_mean(values[0], rng=rng(), draws=2000)
    assert [repr((one.value, one.low, one.high)) for one in found] == PINNED


def test_a_difference_of_means_without_items_of_one_kind_is_nothing():
    none_without = np.array([[1.0, 2.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
    found = resampled_difference_of_means(none_without, rng=rng(), draws=10)
    assert math.isnan(found.value) and math.isnan(found.low) and found.n == 2
