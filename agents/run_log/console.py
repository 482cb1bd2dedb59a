"""The console's line for each row that a training logs, and the last lines of a run.

Depends on metrics by name; independent of trainers.
"""

import math
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.run_log.log import kind_of

_TRAIN = (
    ("reward", "reward", "{:.3f}"),
    ("accuracy", "accuracy", "{:.3f}"),
    ("rapr", "RaPR", "{:.3f}"),
    ("loss", "loss", "{:.4f}"),
    ("mean_token_accuracy", "token accuracy", "{:.3f}"),
    ("completions/mean_length", "tokens", "{:.0f}"),
    ("learning_rate", "lr", "{:.1e}"),
)
_EVAL = (
    ("eval_reward", "reward", "{:.3f}"),
    ("eval_accuracy", "accuracy", "{:.3f}"),
    ("eval_rapr", "RaPR", "{:.3f}"),
    ("eval_loss", "loss", "{:.4f}"),
    ("eval_mean_token_accuracy", "token accuracy", "{:.3f}"),
    ("eval_runtime", "seconds", "{:.0f}"),
)
_HIDDEN_IN_RL = ("mean_token_accuracy", "learning_rate")


def line_of(step: int, total: int, metrics: Mapping[str, Any], *, seconds_a_step: float | None) -> str:
    """One line: step, the figures that most runs are watched by, seconds a step and the time that is left."""
    kind = kind_of(metrics)
    if kind == "end":
        return f"trained: {step} step{'' if step == 1 else 's'} in {duration(float(metrics['train_runtime']))}"
    head = f"step {step:>{len(str(total))}}/{total}"
    if kind == "eval":
        return "  ".join([head, "held-out:", *_figures(_EVAL, metrics), *_interval(metrics)])
    columns = [one for one in _TRAIN if "reward" not in metrics or one[0] not in _HIDDEN_IN_RL]
    figures = _figures(columns, metrics)
    if _teaches_nothing(metrics):
        figures.append("nothing to learn from: all advantages are 0")
    if seconds_a_step is not None:
        figures += [f"{seconds_a_step:.3g} s/step", f"left {duration(seconds_a_step * (total - step))}"]
    return "  ".join([head, *figures])


def _figures(columns: Any, metrics: Mapping[str, Any]) -> list[str]:
    shown = []
    for name, label, form in columns:
        value = metrics.get(name)
        if isinstance(value, int | float):
            shown.append(f"{label} {form.format(value) if math.isfinite(value) else value}")
    return shown


def _teaches_nothing(metrics: Mapping[str, Any]) -> bool:
    """Whether every rollout has advantage 0, no kept one was replayed in its place, and no KL term is in the loss."""
    return metrics.get("filtered") == 1.0 and not metrics.get("replay/share") and "kl" not in metrics


def _interval(metrics: Mapping[str, Any]) -> list[str]:
    if "eval_accuracy_low" not in metrics:
        return []
    low, high, count = (metrics[f"eval_accuracy_{name}"] for name in ("low", "high", "n"))
    return [f"({low:.3f} to {high:.3f}, n = {count:.0f})"]


def duration(seconds: float) -> str:
    """'45 s', '12 min', '3 h 05 min'."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"


def next_commands(folder: Path, *, tasks: str | None) -> str:
    """Where the trained model is, and the commands that evaluate and show it. `tasks`: held-out ones, if any."""
    model = shlex.quote(str(folder))
    on = f" --tasks {shlex.quote(tasks)}" if tasks else " --tasks YOUR_TASKS"
    return (
        f"The model is in {folder}.\n"
        f"  evaluate it:   pixel-env eval --model {model}{on}\n"
        f"  see the run:   pixel-env report {model}"
    )
