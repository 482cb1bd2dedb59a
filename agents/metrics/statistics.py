"""Confidence intervals, bootstraps and paired tests for logs, tables and reports.

Depends on numpy alone; independent of trajectories, task sets and files. Intervals are two-sided 95 % intervals.
Functions that resample take an rng, so that the same data give the same digits. Shape suffixes: Q questions, S seeds,
D draws.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Z_95 = 1.959963984540054
"""The standard normal's 97.5 % quantile."""
# Student's t, the same quantile, by degrees of freedom from 1 on, to three decimals as tables print it.
# fmt: off
_T_95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)
# fmt: on
_T_95_BEYOND = 1.96
_TAILS = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval and the number of items (trajectories, questions or seeds) behind it.

    `clusters`: their number if items of a cluster are not independent (`clusters.py`), None if all items are. Value and
    interval are NaN if there are no items.
    """

    value: float
    low: float
    high: float
    n: int
    clusters: int | None = None


NOTHING = Estimate(float("nan"), float("nan"), float("nan"), 0)


# ---------------------------------------------------------------------------------------------------- by formula


def wilson(successes: float, n: int) -> Estimate:
    """Share of `successes` among `n` with Wilson's score interval (Wilson 1927).

    centre = (p + z²/2n) / (1 + z²/n),  half width = z / (1 + z²/n) * sqrt(p (1 - p) / n + z²/4n²)
    """
    if n == 0:
        return NOTHING
    share = successes / n
    return Estimate(share, *wilson_bounds(share, n), n)


def wilson_bounds(share: float, n: float) -> tuple[float, float]:
    """Both ends of Wilson's interval of a share among `n` trials, which need not be a whole number."""
    z2 = Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def expected_best(grades: Sequence[float], k: int) -> float:
    """The mean of the best grade among `k` of the samples, over all choices of `k`; 1 <= k <= samples.

    sum over the grades in ascending order g_1 ... g_n of g_i * C(i - 1, k - 1) / C(n, k)

    Of grades of 0 and 1, c of them 1, it is the unbiased pass@k, 1 - C(n - c, k) / C(n, k) (Chen et al. 2021,
    arXiv 2107.03374, eq. 1).
    """
    if not 1 <= k <= len(grades):
        raise ValueError(f"k is {k}, of {len(grades)} samples")
    ways = math.comb(len(grades), k)
    return sum(grade * (math.comb(rank, k - 1) / ways) for rank, grade in enumerate(sorted(grades)))


def student_95(degrees_of_freedom: int) -> float:
    """The 97.5 % quantile of Student's t."""
    return _T_95[degrees_of_freedom - 1] if degrees_of_freedom <= len(_T_95) else _T_95_BEYOND


def mean_over_seeds(values: Sequence[float]) -> Estimate:
    """Mean with Student's t interval, seeds being the sample: mean -+ t * s / sqrt(n). One seed has no interval.

    A NaN is a seed without this figure; it does not count.
    """
    values = [value for value in values if not math.isnan(value)]
    n = len(values)
    if n == 0:
        return NOTHING
    mean = float(np.mean(values))
    if n == 1:
        return Estimate(mean, float("nan"), float("nan"), 1)
    half = student_95(n - 1) * float(np.std(values, ddof=1)) / n**0.5
    return Estimate(mean, mean - half, mean + half, n)


def mcnemar(only_first: int, only_second: int) -> float:
    """McNemar's exact two-sided p-value, from the numbers of questions that only one of two runs answered correctly.

    Twice the smaller tail of the binomial distribution with a half, at most 1.
    """
    n, fewer = only_first + only_second, min(only_first, only_second)
    ways, tail = 1, 0  # in integers: 0.5 to the power of thousands underflows a float
    for k in range(fewer + 1):
        tail += ways
        ways = ways * (n - k) // (k + 1)
    return min(1.0, 2 * tail / 2**n)


def cohens_kappa(both: int, only_first: int, only_second: int, neither: int) -> float:
    """Agreement of two judges beyond chance, from a table of two by two (Cohen 1960, equation 1).

    kappa = (p_o - p_e) / (1 - p_e), with the share p_o of equal verdicts and the share p_e that two judges would have
    who gave the same number of verdicts of each kind at random. NaN without verdicts, and where p_e is 1.
    """
    n = both + only_first + only_second + neither
    first, second = both + only_first, both + only_second
    # In integers, times n squared: p_e is exactly 1 where both always gave the same verdict.
    by_chance = first * second + (n - first) * (n - second)
    return float("nan") if by_chance == n * n else (n * (both + neither) - by_chance) / (n * n - by_chance)


# ------------------------------------------------------------------------------------------------ by resampling


def resampled_mean(values_Q: np.ndarray, *, rng: np.random.Generator, draws: int) -> Estimate:
    """The mean of one value per question; its interval resamples questions (percentile bootstrap).

    For differences between two runs on the same questions it is the paired interval.
    """
    if values_Q.size == 0:
        return NOTHING
    # One draw at a time: all indices of 10,000 draws at once take gigabytes.
    means_D = [values_Q[rng.integers(values_Q.size, size=values_Q.size)].mean() for _ in range(draws)]
    low, high = np.percentile(means_D, _TAILS)
    return Estimate(float(values_Q.mean()), float(low), float(high), values_Q.size)


def resampled_difference_of_means(sums_Q4: np.ndarray, *, rng: np.random.Generator, draws: int) -> Estimate:
    """Mean over the items of one kind minus that over another; the interval resamples questions, with all their items.

    `sums_Q4`, per question: sum and number of the items of the first kind, sum and number of those of the second.
    NaN where one kind has no item; draws without one do not count.
    """
    questions = len(sums_Q4)
    value = float(_difference_of_means(sums_Q4.sum(axis=0)))
    weights_DQ = rng.multinomial(questions, np.full(questions, 1 / questions), size=draws)
    differences_D = _difference_of_means((weights_DQ @ sums_Q4).T)
    if np.isnan(value):
        return Estimate(value, value, value, questions)
    low, high = np.nanpercentile(differences_D, _TAILS)
    return Estimate(value, float(low), float(high), questions)


def _difference_of_means(sums_4: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # no item of one kind: NaN
        return sums_4[0] / sums_4[1] - sums_4[2] / sums_4[3]


def mean_of_seeds_and_questions(values_SQ: np.ndarray, *, rng: np.random.Generator, draws: int = 4000) -> Estimate:
    """The mean over seeds and questions; its interval resamples both. `n` is the number of seeds.

    Every seed had the same questions, so a draw of questions is one draw for all seeds. One seed leaves an interval
    over questions alone.
    """
    seeds, questions = values_SQ.shape
    if values_SQ.size == 0:
        return NOTHING
    seeds_DS = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws)
    questions_DQ = rng.multinomial(questions, np.full(questions, 1 / questions), size=draws)
    means_D = np.einsum("ds,sq,dq->d", seeds_DS, values_SQ, questions_DQ, optimize=True) / values_SQ.size
    low, high = np.percentile(means_D, _TAILS)
    return Estimate(float(values_SQ.mean()), float(low), float(high), seeds)
