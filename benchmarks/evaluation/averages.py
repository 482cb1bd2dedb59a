"""Averages over categories: the macro average, in which each category counts alike, and groups of categories.

Depends on trajectories and the statistics of clusters; independent of files and engines. A category may have levels,
such as "perception/ocr": its groups are the parts before a slash.
"""

from collections.abc import Sequence

from agents.metrics.clusters import macro_share, shared_clusters
from agents.metrics.statistics import Estimate
from agents.metrics.trajectories import all_failed
from benchmarks.evaluation.records import Evaluation, Record
from benchmarks.evaluation.tables import accuracy_of_questions, parts_of
from benchmarks.text_tables import fraction, interval, table
from pixel_env.episode import Trajectory
from pixel_env.task import cluster_of

LEVEL = "/"
"""Between the levels of a category."""


def macro_accuracy(trajectories: Sequence[Trajectory]) -> Estimate | None:
    """The mean over categories of each one's accuracy; None with fewer than two categories, or if all failed."""
    if len({trajectory.task.category for trajectory in trajectories}) < 2 or all_failed(trajectories):
        return None
    grades: dict[str, list[float]] = {}
    tasks = {trajectory.task.task_id: trajectory.task for trajectory in trajectories}
    for trajectory in trajectories:
        grades.setdefault(trajectory.task.task_id, []).append(trajectory.reward)
    means = [sum(values) / len(values) for values in grades.values()]
    clusters = shared_clusters((task_id, cluster_of(tasks[task_id])) for task_id in grades)
    return macro_share(means, [tasks[task_id].category for task_id in grades], clusters)


def groups_of(category: str) -> list[str]:
    """The groups that a category is in, the outermost first; none without levels."""
    levels = category.split(LEVEL)
    return [LEVEL.join(levels[:depth]) for depth in range(1, len(levels))]


def average_table(evaluation: Evaluation) -> str | None:
    """Micro and macro average of each policy, over all questions and by group; None with fewer than two categories."""
    head = ["averages", "policy", "n", "categories", "micro", "95% interval", "macro", "95% interval"]
    rows = [
        [part, name.replace("_", " "), *cells]
        for name, records in parts_of(evaluation).items()
        for part, played in _parts(records).items()
        if (cells := _cells(played))
    ]
    return table([head, *rows], text_columns=2) if rows else None


def _parts(records: Sequence[Record]) -> dict[str, list[Trajectory]]:
    parts = {"all": [record.trajectory for record in records]}
    for trajectory in parts["all"]:
        for group in groups_of(trajectory.task.category):
            parts.setdefault(group, []).append(trajectory)
    return parts


def _cells(trajectories: Sequence[Trajectory]) -> list[str]:
    macro = macro_accuracy(trajectories)
    if macro is None:
        return []
    micro = accuracy_of_questions(trajectories)
    categories = len({trajectory.task.category for trajectory in trajectories})
    return [
        str(micro.n),
        str(categories),
        fraction(micro.value),
        interval(micro),
        fraction(macro.value),
        interval(macro),
    ]
