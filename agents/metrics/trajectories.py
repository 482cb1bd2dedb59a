"""Metrics of trajectories, for training and evaluation: accuracy, RaPR, calls, failures, tokens, call advantage.

Pure functions of sequences of `Trajectory`; those that resample take an rng. Depends on trajectories and statistics;
independent of models, engines and files.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from agents.metrics.clusters import mean_of_clusters, mean_of_questions, share, shared_clusters
from agents.metrics.statistics import NOTHING, Estimate, resampled_difference_of_means, resampled_mean
from pixel_env.episode import Stop, Trajectory
from pixel_env.errors import ConfigError
from pixel_env.grading import is_read
from pixel_env.media.sizes import shown_size
from pixel_env.task import Task, cluster_of
from pixel_env.views import ViewBudgets


def failed(trajectories: Sequence[Trajectory]) -> list[Trajectory]:
    """Those that an error ended: they say nothing about the model."""
    return [trajectory for trajectory in trajectories if trajectory.stop is Stop.FAILED]


def played(trajectories: Sequence[Trajectory]) -> list[Trajectory]:
    """Those that no error ended."""
    return [trajectory for trajectory in trajectories if trajectory.stop is not Stop.FAILED]


def all_failed(trajectories: Sequence[Trajectory]) -> bool:
    """Whether there are trajectories and an error ended every one: then no figure means anything."""
    return bool(trajectories) and len(failed(trajectories)) == len(trajectories)


def unparsed(trajectories: Sequence[Trajectory]) -> list[Trajectory]:
    """Those whose answer the task's grader could not read, or that gave none: wrong, but perhaps only unreadable.

    Failed episodes are counted by `failed` instead; a question without reference answers is not graded at all.
    """
    return [trajectory for trajectory in trajectories if is_unparsed(trajectory)]


def is_unparsed(trajectory: Trajectory) -> bool:
    """Whether it is one of the `unparsed`. What earned a grade was read."""
    is_wrong = trajectory.stop is not Stop.FAILED and bool(trajectory.task.answers) and trajectory.reward == 0.0
    return is_wrong and not is_read(trajectory.task, trajectory.answer)


def accuracy(trajectories: Sequence[Trajectory]) -> Estimate:
    """Mean grade with Wilson's interval (conservative for partial grades: their variance is smaller).

    Where tasks share a cluster, the interval is `clusters.share`'s. A failed episode counts as wrong; if all failed
    there is no accuracy: NaN.
    """
    if all_failed(trajectories):
        return replace(NOTHING, n=len(trajectories))
    return share_of_tasks([(trajectory.task, trajectory.reward) for trajectory in trajectories])


def share_of_tasks(values: Sequence[tuple[Task, float]]) -> Estimate:
    """Mean of the values, from 0 to 1 and one or more a task, with the interval of `clusters.share`."""
    clusters = shared_clusters((task.task_id, cluster_of(task)) for task, _ in values)
    return share([value for _, value in values], clusters)


def mean_of_tasks(values: Sequence[tuple[Task, float]]) -> Estimate:
    """Mean over tasks of each one's mean value, from 0 to 1: the rollouts of a task are one trial."""
    by_task: dict[str, list[float]] = {}
    for task, value in values:
        by_task.setdefault(task.task_id, []).append(value)
    return mean_of_questions(by_task, {task.task_id: cluster_of(task) for task, _ in values})


def paired_difference(
    after: Sequence[Trajectory], before: Sequence[Trajectory], *, rng: np.random.Generator, draws: int = 2000
) -> Estimate:
    """Mean grade of `after` minus that of `before` on the same questions.

    The interval resamples questions; where they share clusters it is `clusters.mean_of_clusters`'s.
    """
    after_by_task, before_by_task = _grades_by_task(after), _grades_by_task(before)
    if after_by_task.keys() != before_by_task.keys():
        odd = sorted(after_by_task.keys() ^ before_by_task.keys())[0]
        raise ConfigError(
            f"a paired difference needs the same questions on both sides, but {odd!r} is on one side only. Remove it."
        )
    differences_Q = np.array(
        [np.mean(grades) - np.mean(before_by_task[task]) for task, grades in after_by_task.items()]
    )
    cluster_by_task = {one.task.task_id: cluster_of(one.task) for one in after}
    if clusters := shared_clusters((task, cluster_by_task[task]) for task in after_by_task):
        return mean_of_clusters(list(differences_Q), clusters)
    return resampled_mean(differences_Q, rng=rng, draws=draws)


def _grades_by_task(trajectories: Sequence[Trajectory]) -> dict[str, list[float]]:
    grades: dict[str, list[float]] = {}
    for trajectory in trajectories:
        grades.setdefault(trajectory.task.task_id, []).append(trajectory.reward)
    return grades


def rapr(trajectories: Sequence[Trajectory]) -> float:
    """Rate of pixel-space reasoning: the share of trajectories with at least one executed operation."""
    return _mean([float(trajectory.valid_operations > 0) for trajectory in trajectories])


def calls(trajectories: Sequence[Trajectory]) -> float:
    """Operations per trajectory, refused ones included."""
    return _mean([float(trajectory.operations) for trajectory in trajectories])


def failures_by_code(trajectories: Sequence[Trajectory]) -> dict[str, int]:
    """Number of failures by code, the most frequent first."""
    counts = Counter(failure.code.value for trajectory in trajectories for failure in trajectory.failures)
    return dict(counts.most_common())


def stop_reasons(trajectories: Sequence[Trajectory]) -> dict[str, int]:
    """Number of trajectories by stop reason, the most frequent first; running ones are not counted."""
    return dict(Counter(t.stop.value for t in trajectories if t.stop is not None).most_common())


def visual_tokens(trajectories: Sequence[Trajectory], budgets: ViewBudgets) -> float:
    """Image tokens per trajectory, the cost of operations: one for each square of the budget's factor in pixels."""
    totals = []
    for trajectory in trajectories:
        sizes = [(shown_size(view, budgets), budgets.of(view.kind).factor) for view in trajectory.views]
        totals.append(float(sum((width // factor) * (height // factor) for (width, height), factor in sizes)))
    return _mean(totals)


def call_advantage(
    trajectories: Sequence[Trajectory], *, rng: np.random.Generator, draws: int = 1000
) -> dict[str, Estimate]:
    """Per category: accuracy of the trajectories with an executed call minus that of those without.

        call advantage = E[r | u = 1] - E[r | u = 0],  u(y) = 1 if y has an executed call, p = P(u = 1)

    Below 0, correctness alone lowers the rate of calls (the learning trap): with the baseline E[r], the mean advantage
    of the calling trajectories is (1 - p) * call advantage, and dE[r]/dlogit(p) = p * (1 - p) * call advantage.
    It is not a causal effect of calling: the policy chooses when to call. The interval resamples questions, or clusters
    of them.
    """
    categories = sorted({trajectory.task.category for trajectory in trajectories})
    return {
        category: _advantage([t for t in trajectories if t.task.category == category], rng, draws)
        for category in categories
    }


def _advantage(trajectories: Sequence[Trajectory], rng: np.random.Generator, draws: int) -> Estimate:
    tasks = {task: row for row, task in enumerate(dict.fromkeys(t.task.task_id for t in trajectories))}
    clusters = shared_clusters((t.task.task_id, cluster_of(t.task)) for t in trajectories)
    rows = clusters or [tasks[t.task.task_id] for t in trajectories]
    sums_Q4 = np.zeros((max(rows) + 1, 4))  # per question: grades with, trajectories with, grades without, ... without
    for row, trajectory in zip(rows, trajectories, strict=True):
        column = 0 if trajectory.valid_operations else 2
        sums_Q4[row, column : column + 2] += (trajectory.reward, 1.0)
    estimate = resampled_difference_of_means(sums_Q4, rng=rng, draws=draws)
    return replace(estimate, n=len(tasks), clusters=len(sums_Q4) if clusters else None)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
