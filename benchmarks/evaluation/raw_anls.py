"""ANLS of answers as they were given, beside our grades: published figures are of such texts.

Our grader `anls` first takes LaTeX, Markdown and lead-ins off an answer; the scoring scripts of the benchmarks do not.
Depends on trajectories and similarity; independent of tables and files.
"""

from collections.abc import Sequence

from agents.metrics.clusters import mean_of_questions
from agents.metrics.statistics import NOTHING, Estimate
from agents.metrics.trajectories import all_failed
from pixel_env.episode import Trajectory
from pixel_env.grading.similarity import anls_of_raw_text
from pixel_env.task import cluster_of

TITLE = "ANLS raw"
"""The column's head."""
_GRADER = "anls"


def raw_anls_column(trajectories: Sequence[Trajectory]) -> list[str]:
    """The column's head, if any of the tasks is graded by ANLS; else nothing."""
    return [TITLE] if any(_is_measured(trajectory) for trajectory in trajectories) else []


def raw_anls_of_questions(trajectories: Sequence[Trajectory]) -> Estimate:
    """Mean over the questions that are graded by ANLS of each one's mean ANLS of the raw answers.

    No answer counts 0. NaN without such questions, and if all episodes failed.
    """
    values: dict[str, list[float]] = {}
    for trajectory in filter(_is_measured, trajectories):
        value = 0.0 if trajectory.answer is None else anls_of_raw_text(trajectory.answer, trajectory.task.answers)
        values.setdefault(trajectory.task.task_id, []).append(value)
    clusters = {trajectory.task.task_id: cluster_of(trajectory.task) for trajectory in trajectories}
    return NOTHING if all_failed(trajectories) or not values else mean_of_questions(values, clusters)


def _is_measured(trajectory: Trajectory) -> bool:
    return trajectory.task.grader == _GRADER and bool(trajectory.task.answers)
