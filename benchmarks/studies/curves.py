"""Training curves: one logged metric of a training job, step by step.

Depends on the file in which transformers stores the logged metrics of a trainer; independent of charts.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixel_env.errors import ConfigError

STATE = "trainer_state.json"


@dataclass(frozen=True, slots=True)
class Curve:
    """A metric by optimizer step; steps without a value are left out."""

    name: str
    steps: tuple[int, ...]
    values: tuple[float, ...]

    def smoothed(self, window: int) -> "Curve":
        """The moving average: each value becomes the mean over a window of `window` steps, shorter at the ends."""
        steps, values = np.array(self.steps), np.array(self.values)
        means = [float(values[np.abs(steps - step) <= window // 2].mean()) for step in self.steps]
        return Curve(self.name, self.steps, tuple(means))

    def thinned(self, points: int) -> "Curve":
        """At most about so many points: each is the mean of neighbours, at the last one's step."""
        size = -(-len(self.steps) // points)
        if size <= 1:
            return self
        parts = [slice(start, start + size) for start in range(0, len(self.steps), size)]
        steps = tuple(self.steps[part][-1] for part in parts)
        return Curve(self.name, steps, tuple(float(np.mean(self.values[part])) for part in parts))


def read_curve(folder: Path, metric: str, name: str) -> Curve:
    """The curve of `metric` from the last checkpoint that a training job left in `folder`. Raises ConfigError."""
    rows = [row for row in log_history(folder) if metric in row]
    return Curve(name, tuple(int(row["step"]) for row in rows), tuple(float(row[metric]) for row in rows))


def log_history(folder: Path) -> list[dict[str, float]]:
    """The rows that the last checkpoint in `folder` holds. Raises ConfigError if there is none, or it is broken."""
    states = [folder / STATE] if (folder / STATE).exists() else sorted(folder.glob(f"checkpoint-*/{STATE}"), key=_step)
    if not states:
        raise ConfigError(f"{folder} holds no {STATE}, so its training did not finish. Run the command again.")
    try:
        history: list[dict[str, float]] = json.loads(states[-1].read_text(encoding="utf-8"))["log_history"]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{states[-1]} cannot be read ({type(error).__name__}: {error}).") from error
    return history


def _step(state: Path) -> int:
    return int(state.parent.name.rpartition("-")[2])
