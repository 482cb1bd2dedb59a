"""`metrics.json`: an evaluation's figures for programs, the same bytes for the same trajectories.

Knows records and figures. Holds nothing that depends on time or on the order in which episodes ended.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from agents.metrics.statistics import Estimate
from agents.metrics.trajectories import calls, failures_by_code, rapr, stop_reasons, visual_tokens
from agents.run_folder.configuration import write_whole
from benchmarks.evaluation.records import SAMPLED, Evaluation, Record
from benchmarks.evaluation.tables import Verdicts, accuracy_at, accuracy_of_questions, judged, parts_of, pass_at_k

METRICS = "metrics.json"


def write_metrics(folder: Path, evaluation: Evaluation, released: Verdicts | None) -> Path:
    """Writes the figures of every policy, over all questions and by category; returns the file's path."""
    figures = {name: _of_policy(name, records, evaluation, released) for name, records in parts_of(evaluation).items()}
    whole = {
        "task_set": evaluation.task_set.name,
        "notice": evaluation.task_set.notice,
        "questions": len(evaluation.task_set),
        "intervals": "95 %, Wilson",
        "policies": figures,
    }
    path = folder / METRICS
    write_whole(path, json.dumps(whole, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")
    return path


def _of_policy(
    name: str, records: Sequence[Record], evaluation: Evaluation, released: Verdicts | None
) -> Mapping[str, object]:
    by_category: dict[str, list[Record]] = {}
    for record in records:
        by_category.setdefault(record.trajectory.task.category, []).append(record)
    places = accuracy_at(records)
    return {
        "all": _figures(name, records, evaluation, released),
        "by_category": {part: _figures(name, rows, evaluation, released) for part, rows in by_category.items()},
        "by_position_of_the_right_answer": {str(place + 1): _estimate(found) for place, found in places.items()},
    }


def _figures(
    name: str, records: Sequence[Record], evaluation: Evaluation, released: Verdicts | None
) -> dict[str, object]:
    played = [record.trajectory for record in records]
    told: dict[str, object] = {
        "accuracy": _estimate(accuracy_of_questions(played)),
        "rollouts": len(played),
        "rapr": rapr(played),
        "calls": calls(played),
        "failed_calls": failures_by_code(played),
        "stops": stop_reasons(played),
        "turns": sum(len(one.turns) for one in played) / len(played),
        "visual_tokens": visual_tokens(played, evaluation.budgets),
    }
    if name == SAMPLED:
        told["pass_at_k"] = pass_at_k(played)
    if released is not None:
        told["released_judge"] = _estimate(judged(records, released))
    return told


def _estimate(estimate: Estimate) -> dict[str, float | int | None]:
    values = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return {name: None if math.isnan(value) else value for name, value in values.items()} | {"questions": estimate.n}
