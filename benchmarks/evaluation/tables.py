"""An evaluation as text tables: accuracy by category and policy, scores and their cost, and accuracy by position.

Depends on records and statistics; independent of files and engines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agents.metrics.statistics import NOTHING, Estimate
from agents.metrics.trajectories import (
    accuracy,
    all_failed,
    calls,
    failed,
    failures_by_code,
    mean_of_tasks,
    rapr,
    unparsed,
    visual_tokens,
)
from benchmarks.evaluation.pass_at_k import pass_at_k, samples_of
from benchmarks.evaluation.questions import right_position
from benchmarks.evaluation.raw_anls import raw_anls_column, raw_anls_of_questions
from benchmarks.evaluation.records import SAMPLED, Evaluation, Key, Record
from benchmarks.text_tables import fraction, interval, table
from pixel_env.dialects.wording import OPTION_LETTERS
from pixel_env.episode import Stop, Trajectory
from pixel_env.task import cluster_of
from pixel_env.views import ViewBudgets

Verdicts = Mapping[Key, float]
"""The other scorer's grade of each record."""


def accuracy_table(evaluation: Evaluation) -> str:
    """A row for each category and policy: n questions, accuracy, its interval, RaPR, calls and tokens per answer.

    Where tasks share clusters, their number follows that of the questions. `unparsed`: the number of rollouts whose
    answer could not be read; all of them are in n, and wrong.
    """
    has_failed = any(record.trajectory.stop is Stop.FAILED for record in evaluation.records)
    raw = raw_anls_column([record.trajectory for record in evaluation.records])
    head = ["questions", "policy", "n", "accuracy", "95% interval", *raw, "unparsed", "RaPR", "calls", "visual tokens"]
    head += ["failed"] if has_failed else []
    is_clustered = accuracy_of_questions(evaluation.trajectories).clusters is not None
    head[3:3] = ["clusters"] if is_clustered else []
    rows = []
    unnamed = "-" if len(evaluation.categories) > 1 else "all"
    for category in evaluation.categories:
        parts = [
            (name, played)
            for name in evaluation.policies
            if (played := evaluation.of(name, category=category))  # none: without evidence an oracle cannot be played
        ]
        if sampled := [
            record.trajectory
            for record in evaluation.records
            if record.sample is not None and record.trajectory.task.category == category
        ]:
            parts.append((SAMPLED, sampled))
        for name, part in parts:
            failures = [str(len(failed(part)))] if has_failed else []
            cells = _row(name, part, evaluation.budgets, raw)
            cells[2:2] = [_clusters(part)] if is_clustered else []
            rows.append([category or unnamed, *cells, *failures])
    return table([head, *rows], text_columns=2)


def _row(name: str, trajectories: Sequence[Trajectory], budgets: ViewBudgets, raw: Sequence[str]) -> list[str]:
    estimate = accuracy_of_questions(trajectories)
    if all_failed(trajectories):
        return [name.replace("_", " "), str(estimate.n), *["-"] * (6 + len(raw))]
    return [
        name.replace("_", " "),
        str(estimate.n),
        fraction(estimate.value),
        interval(estimate),
        *([fraction(raw_anls_of_questions(trajectories).value)] if raw else []),
        str(len(unparsed(trajectories))),
        fraction(rapr(trajectories)),
        fraction(calls(trajectories)),
        f"{visual_tokens(trajectories, budgets):.0f}",
    ]


def _clusters(trajectories: Sequence[Trajectory]) -> str:
    return str(len({cluster_of(one.task) or (one.task.task_id,) for one in trajectories}))


def accuracy_of_questions(trajectories: Sequence[Trajectory]) -> Estimate:
    """Mean over questions of each one's mean grade; for sampled rollouts this is avg@k.

    A failed episode counts as wrong; if all failed there is no accuracy: NaN.
    """
    return _unless_all_failed(trajectories, mean_of_tasks([(one.task, one.reward) for one in trajectories]))


def failure_notice(evaluation: Evaluation) -> str:
    """How many episodes failed, and the first error; empty if none did."""
    broken = failed(evaluation.trajectories)
    if not broken:
        return ""
    parts = {name: [one.trajectory for one in records] for name, records in parts_of(evaluation).items()}
    dead = [name.replace("_", " ") for name, played in parts.items() if all_failed(played)]
    whole = len(evaluation.records)
    if len(dead) == len(parts):
        counted = f"All {whole} episodes failed, so there is no accuracy"
    else:
        counted = f"{len(broken)} of {whole} episodes failed and count as wrong"
        counted += f"; all of {' and '.join(dead)} did, for which there is no accuracy" if dead else ""
    return f"{counted}. The first error: {(broken[0].error or 'unknown').rstrip('.')}."


def _unless_all_failed(trajectories: Sequence[Trajectory], estimate: Estimate) -> Estimate:
    return replace(NOTHING, n=estimate.n) if all_failed(trajectories) else estimate


def parts_of(evaluation: Evaluation) -> dict[str, list[Record]]:
    """The records by policy; the sampled rollouts come last, under the name `SAMPLED`."""
    parts: dict[str, list[Record]] = {name: [] for name in evaluation.policies}
    for record in evaluation.records:
        parts.setdefault(record.policy if record.sample is None else SAMPLED, []).append(record)
    return parts


def summary_table(
    evaluation: Evaluation,
    seconds: Mapping[str, float],
    released: Verdicts | None = None,
    judge: Verdicts | None = None,
) -> str:
    """A row for each policy: accuracy over all questions, the other scorers' scores, RaPR, and the cost of an answer.

    The accuracy of k sampled rollouts a question is avg@k; pass@k is the mean of each question's best grade.
    """
    parts = parts_of(evaluation)
    has_failed = any(record.trajectory.stop is Stop.FAILED for record in evaluation.records)
    raw = raw_anls_column([record.trajectory for record in evaluation.records])
    rows = []
    for name, records in parts.items():
        trajectories = [record.trajectory for record in records]
        cells = {"policy": _label(name, trajectories)} | _scores("accuracy", accuracy_of_questions(trajectories))
        for title in raw:
            cells[title] = fraction(raw_anls_of_questions(trajectories).value)
        cells["unparsed"] = "-" if all_failed(trajectories) else str(len(unparsed(trajectories)))
        if released is not None:
            cells |= _scores("released judge", judged(records, released))
        if judge is not None:
            cells |= _scores("judge", judged(records, judge))
        if SAMPLED in parts:
            cells["pass@k"] = _best(trajectories) if name == SAMPLED else "-"
        cells["RaPR"] = "-" if all_failed(trajectories) else fraction(rapr(trajectories))
        cells["turns"] = f"{sum(len(one.messages) for one in trajectories) / len(trajectories):.2f}"
        cells["visual tokens"] = f"{visual_tokens(trajectories, evaluation.budgets):.0f}"
        cells["s/answer"] = f"{seconds[name]:.3g}" if name in seconds else "-"
        cells["failed calls"] = _failed_calls(trajectories)
        if has_failed:
            cells["failed episodes"] = str(len(failed(trajectories)))
        rows.append(cells)
    return table([list(rows[0]), *(list(cells.values()) for cells in rows)])


def position_table(evaluation: Evaluation) -> str | None:
    """Accuracy by the position that the right option was shown at; None if no question has options."""
    by_policy = {name: values for name, records in parts_of(evaluation).items() if (values := accuracy_at(records))}
    positions = sorted({position for values in by_policy.values() for position in values})
    if not positions:
        return None
    head = ["right answer at", *(f"({OPTION_LETTERS[position]})" for position in positions)]
    rows = [
        [name.replace("_", " "), *(_at(values.get(position, NOTHING)) for position in positions)]
        for name, values in by_policy.items()
    ]
    return table([head, *rows])


def accuracy_at(records: Sequence[Record]) -> dict[int, Estimate]:
    """Accuracy by the position (from 0) of the right option as shown; questions without options are left out."""
    by_position: dict[int, list[Trajectory]] = {}
    for trajectory in (record.trajectory for record in records):
        position = right_position(trajectory.task)
        if position is not None:
            by_position.setdefault(position, []).append(trajectory)
    return {position: accuracy(played) for position, played in sorted(by_position.items())}


def _at(estimate: Estimate) -> str:
    return f"{fraction(estimate.value)} of {estimate.n}"


def _best(trajectories: Sequence[Trajectory]) -> str:
    return fraction(pass_at_k(trajectories, samples_of(trajectories)).value)


def _label(name: str, trajectories: Sequence[Trajectory]) -> str:
    if name != SAMPLED:
        return name.replace("_", " ")
    questions = len({trajectory.task.task_id for trajectory in trajectories})
    return f"sampled, avg@{round(len(trajectories) / questions)}"


def _scores(name: str, estimate: Estimate) -> dict[str, str]:
    return {name: fraction(estimate.value), f"{name} 95%": interval(estimate)}


def judged(records: Sequence[Record], verdicts: Verdicts) -> Estimate:
    """Mean over questions of the other scorer's grades; `accuracy_of_questions` is the same of our own grades."""
    graded = [(record.trajectory.task, verdicts[record.key]) for record in records]
    return _unless_all_failed([record.trajectory for record in records], mean_of_tasks(graded))


def _failed_calls(trajectories: Sequence[Trajectory]) -> str:
    counts = failures_by_code(trajectories)
    codes = ", ".join(f"{code} {count}" for code, count in counts.items())
    return f"{sum(counts.values())} ({codes})" if counts else "0"
