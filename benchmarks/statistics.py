"""Intervals, bootstraps and paired tests: every statistic that a report prints.

Depends on numbers; independent of trajectories and files.
"""

import math
from collections.abc import Sequence

import numpy as np

from agents.metrics.trajectories import Estimate

# Two-sided 95 % quantiles of Student's t by degrees of freedom; few seeds make wide intervals.
# fmt: off
_T_95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)


# fmt: on
_Z_95 = 1.96


def mean_over_seeds(values: Sequence[float]) -> Estimate:
    """Mean with Student's 95 % interval, seeds being the sample; without an interval for one seed.

    NaN is a seed that has no such figure; it does not count.
    """
    values = [value for value in values if not math.isnan(value)]
    n = len(values)
    nan = float("nan")
    if n == 0:
        return Estimate(nan, nan, nan, 0)
    mean = float(np.mean(values))
    if n == 1:
        return Estimate(mean, nan, nan, 1)
    quantile = _T_95[n - 2] if n - 2 < len(_T_95) else _Z_95
    half = quantile * float(np.std(values, ddof=1)) / n**0.5
    return Estimate(mean, mean - half, mean + half, n)
