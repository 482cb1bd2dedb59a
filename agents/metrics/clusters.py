"""Intervals and tests for items that are not independent: tasks that share a question or an image (a cluster).

Depends on numpy and the estimates of `statistics.py`; independent of trajectories, tasks and files. Where no two tasks
share a cluster, `shared_clusters` is None and the figures are those of `statistics.py`, to the digit. Shape suffixes: N
items, C clusters.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np

from agents.metrics.statistics import Estimate, student_95, wilson, wilson_bounds


def shared_clusters(items: Iterable[tuple[str, str]]) -> list[int] | None:
    """The number of each item's cluster, from the item's task id and its task's cluster ("": one of its own).

    None if no two tasks share a cluster.
    """
    pairs = list(items)
    if len({task for task, _ in pairs}) == len({_unit(task, cluster) for task, cluster in pairs}):
        return None
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(_unit(task, cluster), len(numbers)) for task, cluster in pairs]


def _unit(task: str, cluster: str) -> Hashable:
    return ("cluster", cluster) if cluster else ("task", task)  # a task may be called as a cluster is


def share(values: Sequence[float], clusters: Sequence[int] | None) -> Estimate:
    """Mean of values from 0 to 1, with Wilson's interval for as many trials as the items are worth.

    n_eff = n / max(1, V_clusters / V_independent) * (t_(n-1) / t_(C-1))^2,  at least 1

    V_clusters = C / (C - 1) * sum over clusters of (sum of (x - mean))^2 / n^2: the cluster-robust variance of a mean
    (Miller 2024, arXiv 2411.00640, eq. 4) with the correction for few clusters of Cameron and Miller (2015).
    V_independent = sum of (x - mean)^2 / (n (n - 1)). Wilson's interval with an effective sample size is what Franco,
    Little, Louis and Slud (2019) recommend for clustered samples; the factor with Student's t is Korn and Graubard's
    (1998). A design effect below 1 is taken as 1. If all values are equal, clusters are taken as agreeing:
    n_eff = n^2 / sum of squared cluster sizes.
    """
    if clusters is None or not values:
        return wilson(sum(values), len(values))
    values_N, clusters_N = np.asarray(values, dtype=float), np.asarray(clusters)
    mean = float(values_N.mean())
    number = int(clusters_N.max()) + 1
    return Estimate(mean, *wilson_bounds(mean, _effective_size(values_N, clusters_N)), len(values), number)


def _effective_size(values_N: np.ndarray, clusters_N: np.ndarray) -> float:
    n, sizes_C = len(values_N), np.bincount(clusters_N)
    clusters = len(sizes_C)
    if clusters == 1:
        return 1.0
    if np.ptp(values_N) == 0:
        return float(n**2 / (sizes_C**2).sum())
    residuals_N = values_N - values_N.mean()
    clustered = _cluster_variance(residuals_N, clusters_N)
    independent = (residuals_N**2).sum() / (n * (n - 1))
    few = (student_95(n - 1) / student_95(clusters - 1)) ** 2
    return max(1.0, float(n / max(1.0, clustered / independent) * few))


def macro_share(values: Sequence[float], groups: Sequence[str], clusters: Sequence[int] | None) -> Estimate:
    """The mean over groups of each one's mean value (from 0 to 1); `n` is the number of items.

    Wilson's interval for n_eff = p (1 - p) / V trials, as in `share`, where an item's residual is its difference from
    its group's mean and its weight 1 / (groups * items of the group); at most as many as such weights are worth.
    """
    values_N = np.asarray(values, dtype=float)
    _, groups_N = np.unique(np.asarray(groups), return_inverse=True)
    sizes_G = np.bincount(groups_N)
    means_G = np.bincount(groups_N, values_N) / sizes_G
    weights_N = (1 / (len(sizes_G) * sizes_G))[groups_N]
    clusters_N = np.arange(len(values)) if clusters is None else np.asarray(clusters)
    mean, number = float(means_G.mean()), int(clusters_N.max()) + 1
    if number == 1:
        return Estimate(mean, *wilson_bounds(mean, 1.0), len(values), 1)
    # Of equal weights this is the variance of `share`, whose residuals are divided by n.
    variance = _cluster_variance((values_N - means_G[groups_N]) * weights_N * len(values), clusters_N)
    most = 1 / (np.bincount(clusters_N, weights_N) ** 2).sum()
    size = min(most, mean * (1 - mean) / variance) if variance else most
    few = (student_95(len(values) - 1) / student_95(number - 1)) ** 2
    return Estimate(mean, *wilson_bounds(mean, max(1.0, float(size * few))), len(values), number if clusters else None)


def mean_of_questions(grades: Mapping[str, Sequence[float]], clusters: Mapping[str, str]) -> Estimate:
    """Mean over questions of each one's mean grade (from 0 to 1); the samples of a question are one trial.

    `grades` and `clusters`: by task id. The interval is conservative: means vary less than 0 and 1.
    """
    means = [sum(values) / len(values) for values in grades.values()]
    return share(means, shared_clusters((task_id, clusters[task_id]) for task_id in grades))


def mean_of_clusters(values: Sequence[float], clusters: Sequence[int]) -> Estimate:
    """The mean of any values, such as differences of two runs: mean -+ t_(C-1) * sqrt(V_clusters), as in `share`.

    A bootstrap of clusters is too narrow where they are few. One cluster has no interval: NaN.
    """
    values_N = np.asarray(values, dtype=float)
    mean, number = float(values_N.mean()), max(clusters) + 1
    if number == 1:
        return Estimate(mean, float("nan"), float("nan"), len(values), 1)
    half = student_95(number - 1) * _cluster_variance(values_N - mean, np.asarray(clusters)) ** 0.5
    return Estimate(mean, mean - half, mean + half, len(values), number)


def _cluster_variance(residuals_N: np.ndarray, clusters_N: np.ndarray) -> float:
    """V_clusters of `share`."""
    sums_C = np.bincount(clusters_N, residuals_N)
    return float(len(sums_C) / (len(sums_C) - 1) * (sums_C**2).sum() / len(residuals_N) ** 2)


def sign_flips(differences: Sequence[int]) -> float:
    """Exact two-sided p-value of whole differences by cluster, if each cluster's sign is a fair coin's.

    The share of all assignments of signs whose sum is at least as far from 0 as the one observed. With one question a
    cluster (differences of -1, 0 and 1) it is McNemar's exact test.
    """
    steps = [abs(difference) for difference in differences if difference]
    reach = sum(steps)
    shares = np.zeros(2 * reach + 1)  # of the assignments, by their sum, from -reach to reach
    shares[reach] = 1.0
    for step in steps:
        shares = (np.roll(shares, step) + np.roll(shares, -step)) / 2  # nothing wraps around: sums stay within reach
    observed = abs(sum(differences))
    return min(1.0, float(shares[: reach - observed + 1].sum() + shares[reach + observed :].sum()))
