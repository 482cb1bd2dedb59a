"""Clustered intervals and tests, against numbers worked out by hand and against their coverage in simulations."""

import math

import numpy as np
import pytest

from agents.metrics.clusters import (
    macro_share,
    mean_of_clusters,
    mean_of_questions,
    share,
    shared_clusters,
    sign_flips,
)
from agents.metrics.statistics import mcnemar, wilson

T_3, Z = 3.182, 1.959963984540054


def width(estimate):
    return estimate.high - estimate.low


def test_tasks_that_share_no_cluster_have_the_interval_of_independent_ones_to_the_digit():
    assert shared_clusters([("a", ""), ("b", "x"), ("c", "y"), ("a", "")]) is None
    assert share([1.0, 0.5, 0.0], None) == wilson(1.5, 3)
    assert math.isnan(share([], None).value)
    assert mean_of_questions({"a": [1.0, 0.0], "b": [1.0]}, {"a": "", "b": "x"}) == wilson(1.5, 2)
    assert math.isnan(mean_of_questions({}, {}).value)


def test_samples_of_one_question_are_one_trial():
    grades = {"a": (1.0, 0.0, 0.0, 0.0), "b": (1.0,), "c": (0.5, 1.0)}
    assert mean_of_questions(grades, dict.fromkeys(grades, "")) == wilson(2.0, 3)


def test_a_cluster_is_not_confused_with_a_task_of_its_name():
    assert shared_clusters([("x", ""), ("a", "x"), ("b", "x")]) == [0, 1, 1]
    assert shared_clusters([("x", ""), ("a", "x")]) is None


def test_rotations_that_agree_are_worth_their_questions():
    """200 questions in four rotations, 150 of them right in all: the standard error is 3.06 points and not 1.53."""
    values = [float(question < 150) for question in range(200) for _ in range(4)]
    found = share(values, [question for question in range(200) for _ in range(4)])
    assert (found.value, found.n, found.clusters) == (0.75, 800, 200)
    assert width(found) / (2 * Z) == pytest.approx(0.0306, abs=2e-4)
    assert width(wilson(600, 800)) / (2 * Z) == pytest.approx(0.0153, abs=1e-4)
    assert width(found) == pytest.approx(width(wilson(150, 200)), rel=0.005)


def test_the_interval_is_the_one_worked_out_by_hand():
    """Clusters 1 1 | 1 0 | 0 0 | 1: mean 4/7; sums of residuals 6/7, -1/7, -8/7, 3/7.

    V_clusters = 4/3 * (36 + 1 + 64 + 9)/49 / 49 = 0.0610857; V_independent = (12/7) / (7 * 6) = 0.0408163.
    n_eff = 7 / 1.496599 * (t_6 / t_3)^2 with t_6 = 2.447, t_3 = 3.182.
    """
    found = share([1, 1, 1, 0, 0, 0, 1], [0, 0, 1, 1, 2, 2, 3])
    trials = 7 / (0.0610857 / 0.0408163) * (2.447 / 3.182) ** 2
    centre = (4 / 7 + Z**2 / (2 * trials)) / (1 + Z**2 / trials)
    half = Z / (1 + Z**2 / trials) * math.sqrt(12 / 49 / trials + Z**2 / (4 * trials**2))
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half), abs=1e-5)
    mean = mean_of_clusters([1, 1, 1, 0, 0, 0, 1], [0, 0, 1, 1, 2, 2, 3])
    assert mean.high - mean.value == pytest.approx(T_3 * math.sqrt(0.0610857), abs=1e-5)
    assert (mean.n, mean.clusters) == (7, 4)


def test_a_model_that_always_says_the_same_letter_gets_no_narrower_interval_than_independent_rows():
    values = [float(rotation == question % 4) for question in range(50) for rotation in range(4)]
    found = share(values, [question for question in range(50) for _ in range(4)])
    assert found.value == 0.25
    assert width(found) >= width(wilson(50, 200)) * 0.999


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_grades_that_are_all_alike_are_worth_their_clusters(value):
    found = share([value] * 40, [row // 4 for row in range(40)])
    assert (found.low, found.high) == (wilson(10 * value, 10).low, wilson(10 * value, 10).high)


def test_one_cluster_is_one_trial_and_a_difference_in_it_has_no_interval():
    found = share([1.0, 1.0, 0.0, 1.0], [0] * 4)
    assert (found.low, found.high) == (wilson(0.75, 1).low, wilson(0.75, 1).high)
    assert math.isnan(mean_of_clusters([0.0, 1.0], [0, 0]).low)


def clustered_rows(rng, clusters, size, p, correlation):
    """Rows of 0 and 1 whose clusters have beta-distributed accuracies; and their clusters."""
    a = (1 - correlation) / correlation
    accuracy_C = rng.beta(p * a, (1 - p) * a, clusters)
    rows = (rng.random((clusters, size)) < accuracy_C[:, None]).astype(float)
    return rows.ravel(), np.repeat(np.arange(clusters), size)


@pytest.mark.parametrize(("clusters", "p", "correlation"), [(8, 0.75, 0.7), (50, 0.5, 0.3), (200, 0.95, 0.9)])
def test_the_interval_covers_the_truth_where_that_of_independent_rows_does_not(clusters, p, correlation):
    rng, runs, covered, naive = np.random.default_rng(0), 400, 0, 0
    for _ in range(runs):
        values, numbers = clustered_rows(rng, clusters, 4, p, correlation)
        found, independent = share(list(values), list(numbers)), wilson(values.sum(), len(values))
        covered += found.low <= p <= found.high
        naive += independent.low <= p <= independent.high
    assert covered / runs >= 0.92 and naive / runs <= 0.9


@pytest.mark.parametrize("clusters", [5, 50])
def test_the_interval_of_a_difference_covers_the_truth_with_few_clusters_too(clusters):
    rng, runs, covered = np.random.default_rng(0), 400, 0
    for _ in range(runs):
        after, numbers = clustered_rows(rng, clusters, 4, 0.7, 0.5)
        before, _ = clustered_rows(rng, clusters, 4, 0.6, 0.5)
        found = mean_of_clusters(list(after - before), list(numbers))
        covered += found.low <= 0.1 <= found.high
    assert covered / runs >= 0.92


def test_clusters_of_unequal_size_are_weighted_by_their_rows():
    found = share([1.0] * 30 + [0.0] * 10, [0] * 30 + list(range(1, 11)))
    assert found.value == 0.75 and width(found) > width(wilson(8, 11))


@pytest.mark.parametrize(("first", "second"), [(0, 0), (1, 0), (10, 2), (1, 8), (3, 3), (40, 60)])
def test_flipping_the_signs_of_single_questions_is_mcnemars_test(first, second):
    assert sign_flips([-1] * first + [1] * second + [0] * 5) == pytest.approx(mcnemar(first, second))


def test_the_signs_of_whole_clusters_are_flipped():
    """Sums of +-4 +-4 +-2: of eight, only 10 and -10 are as far from 0 as 4 + 4 + 2."""
    assert sign_flips([4, 4, 2, 0]) == pytest.approx(2 / 8)
    assert sign_flips([4, -4, 2]) == pytest.approx(1.0)
    assert sign_flips([4, 4, -2]) == pytest.approx(4 / 8)
    assert sign_flips([]) == 1.0
    assert sign_flips([-4] * 3) == sign_flips([4] * 3) == pytest.approx(2 / 8)


def test_a_macro_average_counts_each_group_alike():
    """Groups of accuracy 3/4 and 0/2: V = 6/5 * (4 * (3/16 * 1/64) ... ) of weights 1/8 and 1/4."""
    found = macro_share([1, 1, 1, 0, 0, 0], ["a"] * 4 + ["b"] * 2, None)
    assert (found.value, found.n, found.clusters) == (0.375, 6, None)
    variance = 6 / 5 * (3 * 0.25**2 + 0.75**2) / 8**2
    trials = min(0.375 * 0.625 / variance, 1 / (4 / 64 + 2 / 16))
    centre = (0.375 + Z**2 / (2 * trials)) / (1 + Z**2 / trials)
    assert (found.low + found.high) / 2 == pytest.approx(centre, abs=1e-9)


def test_macro_and_micro_agree_where_groups_are_of_one_size():
    rng = np.random.default_rng(3)
    values = list((rng.random(400) < 0.6).astype(float))
    macro = macro_share(values, [str(row % 4) for row in range(400)], None)
    assert macro.value == pytest.approx(np.mean(values))
    assert width(macro) == pytest.approx(width(wilson(sum(values), 400)), rel=0.03)


def test_the_interval_of_a_macro_average_covers_the_truth():
    rng, runs, covered = np.random.default_rng(0), 400, 0
    sizes, accuracies = (200, 20, 10), (0.9, 0.5, 0.7)
    groups = [str(group) for group, size in enumerate(sizes) for _ in range(size)]
    for _ in range(runs):
        values = [float(rng.random() < p) for size, p in zip(sizes, accuracies, strict=True) for _ in range(size)]
        found = macro_share(values, groups, None)
        covered += found.low <= np.mean(accuracies) <= found.high
    assert covered / runs >= 0.93


def test_the_macro_average_knows_clusters():
    values = [float(question < 30) for question in range(40) for _ in range(4)]
    groups = [str(question % 2) for question in range(40) for _ in range(4)]
    clusters = [question for question in range(40) for _ in range(4)]
    assert width(macro_share(values, groups, clusters)) > 1.8 * width(macro_share(values, groups, None))
    assert macro_share(values[:4], ["a", "a", "b", "b"], [0] * 4).high == 1.0
