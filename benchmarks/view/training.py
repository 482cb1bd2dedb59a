"""The rollouts that a training kept (`rollouts.jsonl`), as a run on the page.

Depends on the files of the run and on its task sets; independent of pages.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.checkpoints.conventions import convention_in
from agents.run_folder.configuration import FILE_NAME, read_configuration
from agents.run_log.rollouts import ROLLOUTS
from benchmarks.evaluation.recorded import NOTHING_OUTSIDE, Outside, recorded_dialect, recorded_tasks
from benchmarks.evaluation.records import Key, Record
from benchmarks.evaluation.stored_rows import training_rows_in
from benchmarks.view.rows import Run, Training
from pixel_env.budgets import budgets_for
from pixel_env.errors import ConfigError, PixelEnvError
from pixel_env.store import trajectory_of
from pixel_env.task import Task, TaskSet
from pixel_env.views import ViewBudgets

_PLAYED = {"train": "training", "eval": "held-out"}
_GROUP_REWARD = "group_reward"


def read_training_run(folder: Path, *, limit: int | None = None, outside: Outside = NOTHING_OUTSIDE) -> Run:
    """The rollouts in `folder`, or those of the first `limit` questions. Raises ConfigError for a broken folder.

    `outside`: where pictures may lie besides the folders of its task sets.
    """
    try:
        configuration = read_configuration(folder)
    except FileNotFoundError as error:
        raise ConfigError(
            f"{folder} has {ROLLOUTS} and no {FILE_NAME}, so its tasks are not known. Train with pixel-env grpo, which "
            "writes both."
        ) from error
    rows = list(training_rows_in(folder / ROLLOUTS))
    if not rows:
        raise ConfigError(f"{folder} has kept no rollouts yet. Wait for the first step, or raise --log_rollouts_steps.")
    kinds = {row["kind"] for row in rows}
    task_sets = {kind: _tasks(folder, configuration, kind, outside) for kind in _PLAYED if kind in kinds}
    questions = {kind: {task.task_id: task for task in task_set.tasks} for kind, task_set in task_sets.items()}
    kept = set(list(dict.fromkeys(row["task_id"] for row in rows))[:limit])
    records: list[Record] = []
    training: dict[Key, Training] = {}
    for row in rows:
        if row["task_id"] in kept:
            try:
                record, one = _read(row, questions)
            except PixelEnvError as error:
                raise type(error)(f"{folder / ROLLOUTS}: {error}") from error
            records.append(record)
            training[record.key] = one
    first = next(iter(task_sets.values()))
    notice = " ".join(dict.fromkeys(task_set.notice for task_set in task_sets.values() if task_set.notice))
    return Run(str(folder), records, _budgets(folder, configuration, first), notice, configuration, training)


def _read(row: Mapping[str, Any], questions: Mapping[str, Mapping[str, Task]]) -> tuple[Record, Training]:
    known = questions[row["kind"]]
    if row["task_id"] not in known:
        raise ConfigError(
            f"the task {row['task_id']!r} of step {row['step']} is not in the task set any more. Restore the task set."
        )
    played = "replayed" if row["use"] == "replayed" else _PLAYED[row["kind"]]
    record = Record(trajectory_of(row, known[row["task_id"]]), f"{played}, step {row['step']}", int(row["sample"]))
    functions = {name: value for name, value in row["functions"].items() if name != _GROUP_REWARD and value is not None}
    sampled, later = sum(row["runs"][::2]), sum(row["runs"])
    return record, Training(
        int(row["step"]),
        played,
        str(row["use"]),
        {name: float(value) for name, value in {**row["parts"], **functions}.items()},
        {name: float(value) for name, value in row["weights"].items()},
        None if row["total"] is None else float(row["total"]),
        float(row["advantage"]),
        f"{row['prompt_tokens']} of the prompt, {later} after it; {sampled} sampled, {row['loss_tokens']} in the loss",
    )


def _tasks(folder: Path, configuration: Mapping[str, Any], kind: str, outside: Outside) -> TaskSet:
    """The tasks as the training loaded them. Raises PixelEnvError if they are gone."""
    prefix = "" if kind == "train" else "eval_"
    try:
        field, count = f"{prefix}tasks", configuration[f"{prefix}task_count"]
        return recorded_tasks(folder, configuration, field, "train" if kind == "train" else "test", count, outside)
    except KeyError as error:
        raise ConfigError(f"{folder / FILE_NAME} does not name {error}: it is not that of pixel-env grpo.") from error


def _budgets(folder: Path, configuration: Mapping[str, Any], task_set: TaskSet) -> ViewBudgets:
    """The budgets that the images were shown with: those recorded with the model, if it has been saved yet."""
    convention = convention_in(folder)
    if convention is not None and convention.budgets is not None:
        return convention.budgets
    if "dialect" not in configuration:
        raise ConfigError(f"{folder / FILE_NAME} names no dialect: it is not that of pixel-env grpo.")
    return budgets_for(None, task_set, recorded_dialect(folder, configuration))
