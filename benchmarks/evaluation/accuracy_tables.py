"""Tables of accuracies as text.

Depends on estimates; independent of files and engines.
"""

from collections.abc import Sequence

from agents.metrics.trajectories import Estimate, calls, rapr, visual_tokens, wilson
from benchmarks.evaluation.records import SAMPLED, Evaluation
from benchmarks.text_tables import fraction, interval, table
from pixel_env.episode import Trajectory
from pixel_env.views import ViewBudgets


def accuracy_table(evaluation: Evaluation) -> str:
    """A row for each category and policy: n questions, accuracy, its interval, RaPR, calls and tokens per answer."""
    head = ["questions", "policy", "n", "accuracy", "95% interval", "RaPR", "calls", "visual tokens"]
    rows = []
    unnamed = "-" if len(evaluation.categories) > 1 else "all"
    for category in evaluation.categories:
        parts = [
            (name, played)
            for name in evaluation.policies
            if (played := evaluation.of(name, category=category))  # none: nobody knows where an oracle would look
        ]
        if sampled := [
            record.trajectory
            for record in evaluation.records
            if record.sample is not None and record.trajectory.task.category == category
        ]:
            parts.append((SAMPLED, sampled))
        rows += [[category or unnamed, *_row(name, part, evaluation.budgets)] for name, part in parts]
    return table([head, *rows], text_columns=2)


def _row(name: str, trajectories: Sequence[Trajectory], budgets: ViewBudgets) -> list[str]:
    estimate = accuracy_of_questions(trajectories)
    return [
        name.replace("_", " "),
        str(estimate.n),
        fraction(estimate.value),
        interval(estimate),
        fraction(rapr(trajectories)),
        fraction(calls(trajectories)),
        f"{visual_tokens(trajectories, budgets):.0f}",
    ]


def accuracy_of_questions(trajectories: Sequence[Trajectory]) -> Estimate:
    """Mean over questions of each one's mean grade, with Wilson's interval for as many trials as questions.

    Samples of one question are no independent trials. The interval is on the safe side: means vary less than 0 and 1.
    """
    grades: dict[str, list[float]] = {}
    for trajectory in trajectories:
        grades.setdefault(trajectory.task.task_id, []).append(trajectory.reward)
    return wilson(sum(sum(of_one) / len(of_one) for of_one in grades.values()), len(grades))
