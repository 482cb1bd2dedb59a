"""`summary.json` of a training run: what was right on held-out tasks before the first step and after the last.

Knows the trainer's logged figures. Knows nothing of how they came about.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agents.run_folder.configuration import write_whole

FILE_NAME = "summary.json"


def write_summary(folder: Path, history: Sequence[Mapping[str, Any]], after: Mapping[str, float], state: Any) -> None:
    """Writes `accuracy_before` and `accuracy_after` with their 95 % intervals, and RaPR beside them.

    `history`: the trainer's log, whose evaluation at step 0 is the one before (null if the run made none); `after`: the
    figures of the last evaluation; `state`: the trainer's, for its steps and its best checkpoint. A best checkpoint was
    chosen by the same tasks: `chosen_on_the_same_tasks` says so, for its accuracy flatters a little.
    """
    before = next((row for row in history if "eval_accuracy" in row and row["step"] == 0), None)
    summary = {
        "steps": state.global_step,
        "accuracy_before": None if before is None else _interval(before),
        "accuracy_after": _interval(after),
        "rapr_before": None if before is None else before["eval_rapr"],
        "rapr_after": after["eval_rapr"],
        "best_checkpoint": state.best_model_checkpoint,
        "chosen_on_the_same_tasks": state.best_model_checkpoint is not None,
    }
    write_whole(folder / FILE_NAME, json.dumps(summary, indent=2) + "\n")


def _interval(figures: Mapping[str, float]) -> dict[str, float]:
    names = {"value": "eval_accuracy", "low": "eval_accuracy_low", "high": "eval_accuracy_high", "n": "eval_accuracy_n"}
    return {name: figures[key] for name, key in names.items()}
