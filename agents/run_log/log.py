"""`log.jsonl` of a training run: a row each time the trainer logs, with its step, the time and every metric.

A row is `{"version", "step", "total", "time", "kind", <metric>: number or null, ...}`: `total` is the number of steps
of the run, `kind` is "train" (means since the row before), "eval" (an evaluation) or "end" (the whole training). A
number that is not finite is null. Depends on JSONL files; independent of trainers and of what the metrics mean.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pixel_env.errors import ConfigError
from pixel_env.store import TrajectoryStore, read_with_errors

LOG = "log.jsonl"
Kind = Literal["train", "eval", "end"]
Row = dict[str, Any]
_TAIL_BYTES = 100_000
_OWN = ("version", "step", "total", "time", "kind")


@dataclass(frozen=True, slots=True)
class LogRow:
    """A row of the log: the metrics that have a value, and the names of those that were not finite."""

    step: int
    total: int
    time: str
    kind: str
    metrics: Mapping[str, float]
    without_value: tuple[str, ...] = ()


def kind_of(metrics: Mapping[str, Any]) -> Kind:
    """Which of the trainer's three kinds of logged rows this is, by the names that transformers gives them."""
    if any(name.startswith("eval_") for name in metrics):
        return "eval"
    return "end" if "train_runtime" in metrics else "train"


def log_row(step: int, metrics: Mapping[str, Any], *, total: int = 0, time: datetime | None = None) -> Row:
    """The row of `metrics`. `total`: 0, and `time`: None, where it is not known."""
    stamp = "" if time is None else time.astimezone(UTC).isoformat(timespec="milliseconds")
    numbers = {name: _number(value) for name, value in metrics.items() if name not in _OWN}
    return {"step": step, "total": total, "time": stamp, "kind": kind_of(metrics), **numbers}


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def read_log(folder: Path) -> tuple[list[LogRow], list[str]]:
    """The rows of the log in `folder`, in order, and what is wrong with the lines that are left out."""
    rows, errors = [], []
    for number, row in enumerate(read_with_errors(folder / LOG), start=1):
        try:
            rows.append(_read(row))
        except (ConfigError, KeyError, TypeError, ValueError) as error:
            reason = str(error) if isinstance(error, ConfigError) else f"line {number} is no row of a log ({error!r})"
            errors.append(reason.removeprefix(f"{folder / LOG}, "))
    return rows, errors


def last_step(folder: Path) -> LogRow | None:
    """The last row about training steps, from the end of the file alone; None if there is none yet."""
    path = folder / LOG
    if not path.exists():
        return None
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        lines = file.read().split(b"\n")
    for line in reversed(lines[:-1]):  # the last one is not whole
        try:
            row = _read(json.loads(line))
        except (ValueError, TypeError, KeyError):
            continue
        if row.kind == "train":
            return row
    return None


def _read(row: Row | ConfigError) -> LogRow:
    if isinstance(row, ConfigError):
        raise row
    metrics = {name: value for name, value in row.items() if name not in _OWN}
    numbers = {name: float(value) for name, value in metrics.items() if isinstance(value, int | float)}
    missing = tuple(name for name, value in metrics.items() if value is None)
    return LogRow(int(row["step"]), int(row["total"]), str(row["time"]), str(row["kind"]), numbers, missing)


# ----------------------------------------------------------------------------------------------------- a run resumes


def resume_log(folder: Path, step: int, history: Sequence[Mapping[str, Any]]) -> None:
    """Leaves in the log what the run had logged when it saved the checkpoint of `step`, so that no step is there twice.

    `history`: the rows that the checkpoint holds (`log_history` of `trainer_state.json`). A log that is missing is
    written anew from them, without times.
    """
    path = folder / LOG
    if not path.exists():
        store = TrajectoryStore(path)
        for row in history:
            store.append(log_row(int(row["step"]), row))
        return
    left = Counter((kind_of(row), int(row["step"])) for row in history if int(row["step"]) == step)

    def is_beyond(row: Row) -> bool:
        if row["step"] != step:
            return bool(row["step"] > step)
        left[row["kind"], step] -= 1
        return left[row["kind"], step] < 0

    cut_at(path, is_beyond)


def cut_at(path: Path, is_beyond: Callable[[Row], bool]) -> None:
    """Cuts the file before the first row that `is_beyond`; rows were appended in the order of their steps.

    A line that cannot be read is kept.
    """
    if not path.exists():
        return
    with path.open("r+b") as file:
        start = 0
        for line in iter(file.readline, b""):
            try:
                row = json.loads(line.decode("utf-8", "surrogatepass"))
                found = is_beyond(row)
            except (ValueError, TypeError, KeyError, RecursionError):
                found = False
            if found:
                file.truncate(start)
                return
            start += len(line)
