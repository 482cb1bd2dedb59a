"""Figures as text: tables for a terminal, and numbers as people read them.

Knows figures and records. Draws nothing and writes no file.
"""

import math
from collections.abc import Sequence

from agents.metrics import Estimate, calls, rapr, visual_tokens, wilson
from benchmarks.records import SAMPLED, Evaluation
from pixel_env.types import Trajectory, ViewBudgets


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


def table(rows: Sequence[Sequence[str]], *, text_columns: int = 1) -> str:
    """Rows of cells as aligned lines, a rule under the first; all but the first columns are flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        aligned = [
            cell.ljust(width) if place < text_columns else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(aligned).rstrip()

    return "\n".join([line(rows[0]), "  ".join("-" * width for width in widths), *map(line, rows[1:])])


def markdown_lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as the lines of a Markdown table, the first one its head."""
    head, *body = rows
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in body)]


def fraction(value: float) -> str:
    """Three decimals; a dash where there is nothing to tell."""
    return "-" if math.isnan(value) else f"{value:.3f}"


def signed(value: float) -> str:
    """Three decimals with a sign."""
    return "-" if math.isnan(value) else f"{value:+.3f}"


def interval(estimate: Estimate) -> str:
    """The 95 % interval in brackets."""
    return "-" if math.isnan(estimate.low) else f"[{fraction(estimate.low)}, {fraction(estimate.high)}]"


def signed_interval(estimate: Estimate) -> str:
    """The 95 % interval of a difference in brackets."""
    return "-" if math.isnan(estimate.low) else f"[{signed(estimate.low)}, {signed(estimate.high)}]"
