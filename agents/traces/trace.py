"""Demonstrations (traces): the assistant's turns of whole episodes, and the JSONL file that contains them.

Depends on tasks and texts; independent of tokens (`collator.py`) and of how a trace is made (`synth/`). A row is

    {"task_id": "...", "kind": "...", "turns": [{"text": "...", "train": true, "mistake": "..."}, ...]}

and its task is looked up in the task set that the file is read with. A turn with `"train": false` is played and shown,
but the loss skips it. `kind` and `mistake` are left out where there is none.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from pixel_env.errors import TaskError
from pixel_env.task import Task, TaskSet
from pixel_env.views import ViewBudgets

_Value = TypeVar("_Value", str, bool, list[Any])
_JSON_NAMES = {str: "a text", bool: "true or false", list: "a list"}


class Mistake(StrEnum):
    """The deliberate mistake in the operation of a turn (arXiv 2505.15966, trajectory synthesis)."""

    UNRELATED_REGION = "unrelated_region"
    OVERSIZED_REGION = "oversized_region"
    WRONG_FRAMES = "wrong_frames"


@dataclass(frozen=True, slots=True)
class TraceTurn:
    """One assistant turn, verbatim; `train` is False if the model sees the turn but does not learn it.

    `mistake`: the deliberate mistake in its operation, if any; such a turn is not trained unless the recipe sets it.
    """

    text: str
    train: bool = True
    mistake: Mistake | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """An episode to learn from. The observations are not part of it: they come from playing the turns.

    `kind`: its type (`synth/plans/plan.py`: "single_pass", "recrop_once", ...), by which figures are grouped.
    `budgets`: the pixel budgets within which its calls were written, None if they are not known: a call in pixels of
    the shown image means another place within others. They are not written with the trace; a folder of traces knows
    them.
    """

    task: Task
    turns: tuple[TraceTurn, ...]
    kind: str = ""
    budgets: ViewBudgets | None = field(default=None, compare=False, repr=False)


def write_traces(traces: Iterable[Trace], path: Path) -> None:
    """Writes one row per trace."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for trace in traces:
            file.write(json.dumps(_row(trace), ensure_ascii=False) + "\n")


def _row(trace: Trace) -> dict[str, Any]:
    kind = {"kind": trace.kind} if trace.kind else {}
    return {"task_id": trace.task.task_id, **kind, "turns": [turn_row(turn) for turn in trace.turns]}


def turn_row(turn: TraceTurn) -> dict[str, Any]:
    """The turn as a row of JSON."""
    mistake = {"mistake": turn.mistake.value} if turn.mistake else {}
    return {"text": turn.text, "train": turn.train, **mistake}


def read_traces(path: Path, task_set: TaskSet) -> list[Trace]:
    """The traces of the file, their tasks taken from `task_set`. Raises TaskError, naming the row."""
    tasks = {task.task_id: task for task in task_set.tasks}
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"cannot read the traces {path}: {error}. Give a text file in UTF-8.") from error
    return [_read_row(line, f"{path}, row {row}", tasks) for row, line in enumerate(lines, 1) if line.strip()]


def _read_row(line: str, position: str, tasks: dict[str, Task]) -> Trace:
    try:
        row = json.loads(line)
        task_id, kind = _of_type(str, row, "task_id"), _of_type(str, {"kind": "", **row}, "kind")
        turns = tuple(read_turn(turn) for turn in _of_type(list, row, "turns"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise TaskError(
            f"{position}: not a trace ({type(error).__name__}: {error}). "
            'Wanted: {"task_id": "...", "turns": [{"text": "...", "train": true}]}.'
        ) from error
    if task_id not in tasks:
        raise TaskError(
            f"{position}: the task set has no task {task_id!r} among its {len(tasks)}. "
            "Give the task set that the traces were made from."
        )
    if not turns:
        raise TaskError(f"{position}: the trace has no turns; wanted: at least one. Add its turns, or remove the row.")
    return Trace(tasks[task_id], turns, kind)


def read_turn(turn: dict[str, Any]) -> TraceTurn:
    """What `turn_row` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    mistake = Mistake(turn["mistake"]) if "mistake" in turn else None
    return TraceTurn(_of_type(str, turn, "text"), _of_type(bool, turn, "train"), mistake)


def _of_type(kind: type[_Value], row: dict[str, Any], name: str) -> _Value:
    """The value of a key. Raises TypeError, naming it, for another type: the text "false" would count as true."""
    if not isinstance(value := row[name], kind):
        raise TypeError(f"{name!r} is {value!r}, wanted {_JSON_NAMES[kind]}")
    return value
