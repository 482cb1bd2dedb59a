"""Files of an evaluation for other programs: `metrics.json`, and its samples as lmms-eval logs them.

Depends on records and statistics; independent of models, of time and of the order in which episodes ended: the same
trajectories give the same bytes. A sample is one JSON line a question with lmms-eval's keys (`doc_id`, `doc`, `target`,
`arguments`, `resps`, `filtered_resps`, three hashes; lmms_eval/evaluator.py) and the grade under `score`.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agents.metrics.statistics import Estimate
from agents.metrics.trajectories import (
    all_failed,
    calls,
    failed,
    failures_by_code,
    rapr,
    stop_reasons,
    unparsed,
    visual_tokens,
)
from agents.run_folder.configuration import write_whole
from benchmarks.evaluation.averages import groups_of, macro_accuracy
from benchmarks.evaluation.evidence import evidence_figures
from benchmarks.evaluation.judge.agreement import Judgement, agreement_on
from benchmarks.evaluation.pass_at_k import pass_curve
from benchmarks.evaluation.raw_anls import raw_anls_column, raw_anls_of_questions
from benchmarks.evaluation.records import SAMPLED, Evaluation, Record
from benchmarks.evaluation.tables import Verdicts, accuracy_at, accuracy_of_questions, judged, parts_of
from benchmarks.evaluation.variants import cyclic_accuracy, zooming_gap
from pixel_env.episode import Trajectory

METRICS = "metrics.json"


@dataclass(frozen=True, slots=True)
class _Others:
    """The scores of the other scorers, as far as there are any."""

    released: Verdicts | None
    judgement: Judgement | None


def write_metrics(
    folder: Path, evaluation: Evaluation, released: Verdicts | None, judgement: Judgement | None = None
) -> Path:
    """Writes the metrics of every policy, over all questions and by category; returns the file's path."""
    others = _Others(released, judgement)
    clusters = accuracy_of_questions(evaluation.trajectories).clusters
    figures = {name: _of_policy(name, records, evaluation, others) for name, records in parts_of(evaluation).items()}
    whole: dict[str, object] = {
        "task_set": evaluation.task_set.name,
        "notice": evaluation.task_set.notice,
        "questions": len(evaluation.task_set),
        "intervals": "95 %, Wilson" if clusters is None else f"95 %, Wilson, clustered ({clusters} clusters)",
        "policies": figures,
    }
    if judgement is not None:
        whole["judge"] = {"model": judgement.model, "prompt_sha256": judgement.prompt}
    path = folder / METRICS
    write_whole(path, json.dumps(whole, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")
    return path


def _of_policy(name: str, records: Sequence[Record], evaluation: Evaluation, others: _Others) -> Mapping[str, object]:
    by_category: dict[str, list[Record]] = {}
    for record in records:
        by_category.setdefault(record.trajectory.task.category, []).append(record)
    by_group: dict[str, list[Record]] = {}
    for record in records:
        for group in groups_of(record.trajectory.task.category):
            by_group.setdefault(group, []).append(record)
    by_position = accuracy_at(records)
    groups = {part: _figures(name, rows, evaluation, others) for part, rows in by_group.items()}
    return {
        "all": _figures(name, records, evaluation, others),
        "by_category": {part: _figures(name, rows, evaluation, others) for part, rows in by_category.items()},
        **({"by_group_of_categories": groups} if groups else {}),
        "by_position_of_the_right_answer": {
            str(position + 1): _estimate(value) for position, value in by_position.items()
        },
    }


def _figures(name: str, records: Sequence[Record], evaluation: Evaluation, others: _Others) -> dict[str, object]:
    played = [record.trajectory for record in records]
    figures: dict[str, object] = {
        "accuracy": _estimate(accuracy_of_questions(played)),
        "rollouts": len(played),
        "failed": len(failed(played)),
        "unparsed": len(unparsed(played)),
        "rapr": None if all_failed(played) else rapr(played),
        "calls": None if all_failed(played) else calls(played),
        "failed_calls": failures_by_code(played),
        "stops": stop_reasons(played),
        "turns": sum(len(one.messages) for one in played) / len(played),
        "visual_tokens": visual_tokens(played, evaluation.budgets),
    }
    if raw_anls_column(played):
        figures["anls_of_raw_text"] = _estimate(raw_anls_of_questions(played))
    if name == SAMPLED:
        curve = pass_curve(played)
        figures["pass_at"] = {str(k): _estimate(one) for k, one in curve.items()}
        figures["pass_at_k"] = None if all_failed(played) else curve[max(curve)].value
    figures |= _set_figures(records)
    if others.released is not None:
        figures["released_judge"] = _estimate(judged(records, others.released))
    if others.judgement is not None:
        figures["judge"] = _judge_figures(records, others.judgement)
    return figures


def _set_figures(records: Sequence[Record]) -> dict[str, object]:
    """The figures of sets with several categories, with rotations, with two views, or with evidence boxes."""
    played = [record.trajectory for record in records]
    figures: dict[str, object] = {}
    if macro := macro_accuracy(played):
        figures["macro_accuracy"] = _estimate(macro)
    if cyclic := cyclic_accuracy(records):
        figures["cyclic_accuracy"] = _estimate(cyclic)
    if gap := zooming_gap(records):
        views = {"full": gap.full, "crop": gap.crop, "crop_minus_full": gap.gap}
        figures["zooming_gap"] = {name: _estimate(one) for name, one in views.items()}
    if ious := evidence_figures(played):
        figures["evidence_iou"] = {"best_box": _estimate(ious[0]), "mean": _estimate(ious[1])}
    return figures


def _judge_figures(records: Sequence[Record], judgement: Judgement) -> dict[str, float | int | None]:
    one = agreement_on(records, judgement)
    shares = {"agreement": one.share, "kappa": one.kappa}
    counts = {**asdict(one), **{name: None if math.isnan(value) else value for name, value in shares.items()}}
    return _estimate(judged(records, judgement.grades(records))) | counts


def _estimate(estimate: Estimate) -> dict[str, float | int | None]:
    values = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    clusters = {} if estimate.clusters is None else {"clusters": estimate.clusters}
    finite = {name: None if math.isnan(value) else value for name, value in values.items()}
    return finite | {"questions": estimate.n} | clusters


# --------------------------------------------------------------------------------------------------- lmms-eval


def write_samples(folder: Path, evaluation: Evaluation) -> list[Path]:
    """Writes a file for each policy, and one for the sampled rollouts, with one row for each question."""
    indices = {task.task_id: index for index, task in enumerate(evaluation.task_set.tasks)}
    parts = {name: evaluation.of(name) for name in evaluation.policies}
    parts[SAMPLED] = [record.trajectory for record in evaluation.records if record.sample is not None]
    written = []
    for name, trajectories in parts.items():
        groups: dict[str, list[Trajectory]] = {}
        for trajectory in trajectories:
            groups.setdefault(trajectory.task.task_id, []).append(trajectory)
        rows = [_row(indices[task_id], group) for task_id, group in groups.items()]
        if rows:
            written.append(folder / f"samples_{name}.jsonl")
            write_whole(written[-1], "".join(f"{json.dumps(row)}\n" for row in rows))
    return written


def _row(doc_id: int, group: Sequence[Trajectory]) -> dict[str, Any]:
    task, prompt = group[0].task, group[0].prompt.text
    doc = {"id": task.task_id, "question": task.question, "options": list(task.options), "category": task.category}
    target = task.answers[0] if len(task.answers) == 1 else list(task.answers)
    return {
        "doc_id": doc_id,
        "doc": doc,
        "target": target,
        "arguments": [prompt],
        "resps": [["\n".join(steps[0].text for steps in trajectory.messages) for trajectory in group]],
        "filtered_resps": [trajectory.answer or "" for trajectory in group],
        "doc_hash": _hash(json.dumps(doc, indent=2)),
        "prompt_hash": _hash(prompt),
        "target_hash": _hash(str(target)),
        "score": None if all_failed(group) else sum(trajectory.reward for trajectory in group) / len(group),
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
