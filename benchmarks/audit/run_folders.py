"""A run folder of ours as episodes: what can be read is audited, what cannot is named.

Depends on stored rows and task sets; independent of what is measured.
"""

from pathlib import Path

from benchmarks.audit.episodes import Episodes
from benchmarks.evaluation.recorded import Outside, evaluation_configuration, questions_of, recorded_dialect
from benchmarks.evaluation.records import ROWS, Evaluation, Key, Record, key_of
from benchmarks.evaluation.stored_rows import rows_with_errors
from pixel_env.budgets import budgets_for
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError, MediaError, TaskError
from pixel_env.store import trajectory_of
from pixel_env.task import Task


def read_run_folder(folder: Path, dialect_name: str, outside: Outside) -> Episodes:
    """The episodes in the folder, in the order of its rows; of a repeated episode the last one counts.

    `dialect_name`: that of the calls; "": the one that the folder records. `outside`: where pictures may lie besides
    the folder of its task set. Raises ConfigError for a folder that is no
    evaluation, PixelEnvError if none of its questions can be loaded.
    """
    config = evaluation_configuration(folder)
    recorded: str = config["dialect"]
    dialect = dialect_named(dialect_name) if dialect_name else recorded_dialect(folder, config)
    task_set = questions_of(folder, config, outside)
    tasks = {task.task_id: task for task in task_set.tasks}
    records: dict[Key, Record] = {}
    faults: list[str] = []
    rows = 0
    for number, row in enumerate(rows_with_errors(folder / ROWS), start=1):
        rows += 1
        if isinstance(row, ConfigError):
            faults.append(str(row))
            continue
        try:
            records[key_of(row)] = _record(row, tasks)
        except (ConfigError, TaskError, MediaError) as error:
            faults.append(f"{folder / ROWS}, line {number}: {error}")
    another = f"the calls are read as {dialect.name!r}; the run was played in {recorded!r}"
    remarks = (another,) if dialect_name not in ("", recorded) else ()
    evaluation = Evaluation(
        task_set, budgets_for(None, task_set, recorded_dialect(folder, config)), list(records.values())
    )
    return Episodes(str(folder), evaluation, dialect, rows, tuple(faults), remarks)


def _record(row: dict[str, object], tasks: dict[str, Task]) -> Record:
    """Raises TaskError for a row whose question is gone, MediaError for one whose image is."""
    task_id = str(row["task_id"])
    if task_id not in tasks:
        raise TaskError(f"the task set no longer has the question {task_id!r}, or its image is gone")
    policy, _, sample = key_of(row)
    return Record(trajectory_of(row, tasks[task_id]), str(policy), sample)
