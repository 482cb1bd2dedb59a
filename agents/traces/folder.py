"""A folder of traces with the tasks that they need: what `pixel-env synth` writes and `pixel-env sft` reads.

| file | content |
|---|---|
| `traces.jsonl` | the traces (`trace.py`) |
| `tasks.jsonl` | one task per line, in the order of their first trace (`task_rows.py`) |
| `task_set.json` | name, notice and pixel budgets of the set, and the relative path to the seed data's images |
| `configuration.json` | the configuration of the command that wrote the traces, with the dialect; not written here |
| `pictures/` | images without a file of their own (a cell of a table file, an array) |

Depends on rows of tasks and on files; independent of how a trace is made or trained on.
"""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from agents.checkpoints.conventions import convention_in
from agents.run_folder.configuration import FILE_NAME as CONFIGURATION
from agents.run_folder.configuration import read_configuration, write_whole
from agents.run_folder.own_dialect import is_same, kept_name
from agents.traces.task_rows import Places, budgets_of_row, budgets_row, task_of_row, task_row
from agents.traces.trace import Trace, read_traces, write_traces
from pixel_env.budgets import budgets_for
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.table import parts_of_name
from pixel_env.errors import ConfigError, TaskError, shortened
from pixel_env.media.sources import FileSource
from pixel_env.task import Task, TaskSet
from pixel_env.tasks.files.access import MediaAccess
from pixel_env.tasks.files.clips import ClipFrame
from pixel_env.views import ViewBudgets

TRACES, TASKS, TASK_SET = "traces.jsonl", "tasks.jsonl", "task_set.json"


def is_trace_folder(path: Path) -> bool:
    """Whether `path` is such a folder."""
    return (path / TRACES).is_file() and (path / TASK_SET).is_file()


def check_dialect(folder: Path, dialect: Dialect) -> None:
    """Raises ConfigError if the traces were made with another call format, where the folder records the dialect."""
    if not (folder / CONFIGURATION).is_file():
        return
    try:
        named = read_configuration(folder).get("dialect", dialect.name)
    except (OSError, RecursionError) as error:
        raise ConfigError(f"{folder / CONFIGURATION} cannot be read ({error}). Generate the traces again.") from error
    if not isinstance(named, str):
        raise ConfigError(
            f"{folder / CONFIGURATION} names the dialect {shortened(named)}, wanted a text. Generate the traces again."
        )
    made = kept_name(folder, named)
    if not call_alike(made, dialect.name) and not is_same(made, dialect):
        raise ConfigError(
            f"The traces in {folder} were made with the dialect {made!r}, but --dialect is {dialect.name!r}. "
            f"Give --dialect {made}, or generate the traces again."
        )


def call_alike(made: str, other: str) -> bool:
    """Whether the dialect `other` reads the calls of one in which traces were made.

    It does if it is the same one, whatever their variants (after a colon), with at least its operations (after a plus).
    """
    (made_row, _, made_operations), (row, _, operations) = parts_of_name(made), parts_of_name(other)
    return made_row == row and set(made_operations) <= set(operations)


def same_task(one: Task, other: Task) -> bool:
    """Whether both have the same id, question and pixels, wherever the files are."""
    if one == other:
        return True
    if replace(one, sources=()) != replace(other, sources=()):
        return False
    return [source.key for source in one.sources] == [source.key for source in other.sources]


def tasks_by_id(tasks: Iterable[Task]) -> dict[str, Task]:
    """The distinct tasks by id, in order. Raises TaskError if two different tasks have one id."""
    by_id: dict[str, Task] = {}
    for task in tasks:
        if not same_task(by_id.setdefault(task.task_id, task), task):
            raise TaskError(
                f"two different tasks have the id {task.task_id!r}, by which a trace refers to its task. "
                "Give each task its own id."
            )
    return by_id


# --------------------------------------------------------------------------------------------------------- writing


def write_trace_folder(folder: Path, traces: Sequence[Trace], task_set: TaskSet, seeds_folder: Path | None) -> None:
    """Writes the files, each atomically. `seeds_folder`: the folder of the tasks' images, None if all are rendered.

    The same traces give the same bytes. Raises TaskError if two different tasks have one id.
    """
    tasks = tasks_by_id(trace.task for trace in traces)
    folder.mkdir(parents=True, exist_ok=True)
    rows = [task_row(task, folder, seeds_folder) for task in tasks.values()]
    facts = {
        "name": task_set.name,
        "notice": task_set.notice,
        "budgets": budgets_row(task_set.budgets),
        "seeds_folder": None if seeds_folder is None else os.path.relpath(seeds_folder, folder),
    }
    write_whole(folder / TASKS, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    write_whole(folder / TASK_SET, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    partial = folder / f"{TRACES}.partial"
    write_traces(traces, partial)
    partial.replace(folder / TRACES)


def common_folder(traces: Sequence[Trace]) -> Path | None:
    """The deepest common folder of all files that the traces show; None if they show no file."""
    folders = {
        str(source.path.resolve().parent)
        for trace in traces
        for source in trace.task.sources
        if isinstance(source, FileSource | ClipFrame)
    }
    return Path(os.path.commonpath(folders)) if folders else None


# --------------------------------------------------------------------------------------------------------- reading


def read_trace_folder(folder: Path, access: MediaAccess | None = None) -> tuple[TaskSet, list[Trace]]:
    """The task set and its traces. Raises TaskError, naming the file, and the row where it is one.

    `access`: where images may lie besides the folder of the seed data, to which the names of rows are relative; None:
    nowhere.
    """
    access = access or MediaAccess()
    name, notice, budgets, seeds_folder = _read_facts(folder, access)
    places = Places(folder, seeds_folder, access)
    tasks = [
        _read_task(line, f"{folder / TASKS}, row {row}", places)
        for row, line in enumerate(_text(folder / TASKS).split("\n"), 1)
        if line.strip()
    ]
    try:
        tasks = list(tasks_by_id(tasks).values())
    except TaskError as error:
        raise TaskError(f"{folder / TASKS}: {error}") from error
    task_set = TaskSet(name, tasks, notice, budgets)
    made = _made_within(folder, task_set)
    return task_set, [replace(trace, budgets=made) for trace in read_traces(folder / TRACES, task_set)]


def _made_within(folder: Path, task_set: TaskSet) -> ViewBudgets | None:
    """The pixel budgets within which the calls were written; None where the folder does not record the dialect."""
    try:
        convention = convention_in(folder)
        return None if convention is None else budgets_for(None, task_set, convention.value())
    except (OSError, RecursionError) as error:
        raise TaskError(f"{folder / CONFIGURATION} cannot be read ({error}). Generate the traces again.") from error


def _read_facts(folder: Path, access: MediaAccess) -> tuple[str, str, ViewBudgets | None, Path]:
    """Name, notice and budgets of the set, and the folder of its images."""
    text = _text(folder / TASK_SET)
    try:
        facts = json.loads(text)
        name, notice, seeds_folder = facts["name"], facts["notice"], facts["seeds_folder"]
        if not (isinstance(name, str) and isinstance(notice, str) and isinstance(seeds_folder, str | None)):
            raise TypeError("name and notice are texts, seeds_folder is a text or null")
        is_everything = os.path.realpath(folder / (seeds_folder or ".")) == os.path.realpath("/")
        if is_everything and access.media_root is None:
            raise ValueError(
                f"every file is below the seeds_folder {shortened(seeds_folder)}; --media_root / allows it"
            )
        return name, notice, budgets_of_row(facts["budgets"]), folder / (seeds_folder or ".")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise TaskError(
            f"{folder / TASK_SET} cannot be used ({type(error).__name__}: {error}). Put it back as pixel-env synth "
            "wrote it, or generate the traces again."
        ) from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise TaskError(f"cannot read {path}: {error.strerror}. Give a folder that pixel-env synth wrote.") from error
    except UnicodeDecodeError as error:
        raise TaskError(f"{path} is not text in UTF-8. Give a folder that pixel-env synth wrote.") from error


def _read_task(line: str, position: str, places: Places) -> Task:
    try:
        return task_of_row(json.loads(line), places)
    except TaskError as error:
        raise TaskError(f"{position}: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise TaskError(
            f"{position}: not a task that pixel-env wrote ({type(error).__name__}: {error}). Generate the traces again."
        ) from error
