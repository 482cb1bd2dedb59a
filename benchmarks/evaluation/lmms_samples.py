"""The samples of an evaluation as lmms-eval logs them, for tools that read its files.

One JSON line a question with lmms-eval's keys (`doc_id`, `doc`, `target`, `arguments`, `resps`, `filtered_resps`, three
hashes; lmms_eval/evaluator.py) and the grade under `score`. Knows records; knows nothing of models.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agents.run_folder.configuration import write_whole
from benchmarks.evaluation.records import SAMPLED, Evaluation
from pixel_env.episode import Trajectory


def write_samples(folder: Path, evaluation: Evaluation) -> list[Path]:
    """Writes a file for each policy, and one for the sampled rollouts, whose answers stand in one row a question."""
    places = {task.task_id: place for place, task in enumerate(evaluation.task_set.tasks)}
    parts = {name: evaluation.of(name) for name in evaluation.policies}
    parts[SAMPLED] = [record.trajectory for record in evaluation.records if record.sample is not None]
    written = []
    for name, trajectories in parts.items():
        groups: dict[str, list[Trajectory]] = {}
        for trajectory in trajectories:
            groups.setdefault(trajectory.task.task_id, []).append(trajectory)
        rows = [_row(places[task_id], group) for task_id, group in groups.items()]
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
        "resps": [["\n".join(turn.text for turn in trajectory.turns) for trajectory in group]],
        "filtered_resps": [trajectory.answer or "" for trajectory in group],
        "doc_hash": _hash(json.dumps(doc, indent=2)),
        "prompt_hash": _hash(prompt),
        "target_hash": _hash(str(target)),
        "score": sum(trajectory.reward for trajectory in group) / len(group),
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
