"""pass@k of sampled rollouts for k up to the number of samples: the expected best grade among k of them.

Depends on trajectories and statistics; independent of files and engines.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from agents.metrics.clusters import mean_of_questions
from agents.metrics.statistics import NOTHING, Estimate, expected_best
from agents.metrics.trajectories import all_failed
from benchmarks.text_tables import fraction, interval, table
from pixel_env.episode import Trajectory
from pixel_env.task import cluster_of


def pass_at_k(trajectories: Sequence[Trajectory], k: int) -> Estimate:
    """Mean over questions of the expected best grade among `k` samples; `k` is at most `samples_of`.

    Unbiased for every k. A partial grade counts as it is: for k = 1 this is the mean grade, for k = n the mean of each
    question's best. A failed episode counts as wrong; if all failed there is no figure: NaN.
    """
    grades = _grades(trajectories)
    if all_failed(trajectories):
        return replace(NOTHING, n=len(grades))
    clusters = {one.task.task_id: cluster_of(one.task) for one in trajectories}
    return mean_of_questions({task: [expected_best(values, k)] for task, values in grades.items()}, clusters)


def samples_of(trajectories: Sequence[Trajectory]) -> int:
    """How many samples every question has at least."""
    return min(len(values) for values in _grades(trajectories).values())


def pass_curve(trajectories: Sequence[Trajectory]) -> dict[int, Estimate]:
    """pass@k for k = 1, 2, 4, ... and for all samples."""
    samples = samples_of(trajectories)
    powers = [2**power for power in range(samples.bit_length()) if 2**power < samples]
    return {k: pass_at_k(trajectories, k) for k in [*powers, samples]}


def pass_table(sampled: Sequence[Trajectory]) -> str | None:
    """pass@k with its interval, a column for each k; None with fewer than two samples of each question."""
    if not sampled or samples_of(sampled) < 2:
        return None
    curve = pass_curve(sampled)
    values = ["pass@k", *(fraction(one.value) for one in curve.values())]
    return table([["k", *map(str, curve)], values, ["95% interval", *map(interval, curve.values())]])


def _grades(trajectories: Sequence[Trajectory]) -> dict[str, list[float]]:
    grades: dict[str, list[float]] = defaultdict(list)
    for one in trajectories:
        grades[one.task.task_id].append(one.reward)
    return grades
