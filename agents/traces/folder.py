"""A folder of traces with the tasks that they need: what `pixel-env synth` writes and `pixel-env sft` reads.

| file | content |
|---|---|
| `traces.jsonl` | the traces (`trace.py`) |
| `tasks.jsonl` | one task per line, in the order of their first trace |
| `task_set.json` | name, notice and pixel budgets of the set, and the relative path to the seed data's images |
| `configuration.json` | the configuration of the command that wrote the traces, with the dialect; not written here |
| `pictures/` | images without a file of their own (a cell of a table file, an array) |

A rendered scene is not stored: its row is the id of a task of a sample set, which contains its number and random seed.
An image of a file is named by its path relative to the folder of the seed data. Depends on tasks, images and files;
independent of how a trace is made or trained on.
"""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from agents.run_folder.configuration import FILE_NAME as CONFIGURATION
from agents.run_folder.configuration import read_configuration, write_whole
from agents.run_folder.own_dialect import is_same, kept_name
from agents.traces.trace import Trace, read_traces, write_traces
from pixel_env.boxes import Box
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.table import parts_of_name
from pixel_env.errors import ConfigError, TaskError
from pixel_env.media.sources import FileSource
from pixel_env.samples import SAMPLE_SETS
from pixel_env.samples.scenes import Split
from pixel_env.store import save_image
from pixel_env.task import Evidence, Task, TaskSet
from pixel_env.tasks.files.clips import ClipFrame
from pixel_env.views import Source, ViewBudgets

TRACES, TASKS, TASK_SET, PICTURES = "traces.jsonl", "tasks.jsonl", "task_set.json", "pictures"


def is_trace_folder(path: Path) -> bool:
    """Whether `path` is such a folder."""
    return (path / TRACES).is_file() and (path / TASK_SET).is_file()


def check_dialect(folder: Path, dialect: Dialect) -> None:
    """Raises ConfigError if the traces were made with another call format, where the folder records the dialect."""
    if not (folder / CONFIGURATION).is_file():
        return
    made = kept_name(folder, str(read_configuration(folder).get("dialect", dialect.name)))
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


def budgets_row(budgets: ViewBudgets | None) -> dict[str, Any] | None:
    """The budgets as JSON; `budgets_of_row` is the inverse."""
    return None if budgets is None else budgets.to_row()


def task_row(task: Task, folder: Path, seeds_folder: Path | None) -> dict[str, Any]:
    """The task as JSON; `task_of_row` with the same folders is the inverse."""
    if _rendered_task(task.task_id) == task:
        return {"sample": task.task_id}
    rate = {} if task.frames_per_second is None else {"frames_per_second": task.frames_per_second}
    return {
        "id": task.task_id,
        "question": task.question,
        "answers": list(task.answers),
        "media": task.media,
        "sources": [_source_row(source, folder, seeds_folder) for source in task.sources],
        "grader": task.grader,
        "options": list(task.options),
        "evidence": [{"image": one.image, "box": list(one.box.corners)} for one in task.evidence],
        "category": task.category,
        "needs_looking": task.needs_looking,
        **rate,
    }


def _source_row(source: Source, folder: Path, seeds_folder: Path | None) -> str | dict[str, Any]:
    if seeds_folder is not None:
        match source:
            case FileSource(path) if path.parent == folder / PICTURES:
                return {"picture": path.name}
            case FileSource(path):
                return os.path.relpath(path, seeds_folder)
            case ClipFrame(path, number, count, start_s, end_s):
                clip = os.path.relpath(path, seeds_folder)
                return {"clip": clip, "number": number, "count": count, "start_s": start_s, "end_s": end_s}
    return {"picture": save_image(np.asarray(source.decode()), folder / PICTURES)}


# --------------------------------------------------------------------------------------------------------- reading


def read_trace_folder(folder: Path) -> tuple[TaskSet, list[Trace]]:
    """The task set and its traces. Raises TaskError, naming the file, and the row where it is one."""
    name, notice, budgets, seeds_folder = _read_facts(folder)
    tasks = [
        _read_task(line, f"{folder / TASKS}, row {row}", folder, seeds_folder)
        for row, line in enumerate(_text(folder / TASKS).split("\n"), 1)
        if line.strip()
    ]
    try:
        tasks = list(tasks_by_id(tasks).values())
    except TaskError as error:
        raise TaskError(f"{folder / TASKS}: {error}") from error
    task_set = TaskSet(name, tasks, notice, budgets)
    return task_set, read_traces(folder / TRACES, task_set)


def _read_facts(folder: Path) -> tuple[str, str, ViewBudgets | None, Path]:
    """Name, notice and budgets of the set, and the folder of its images."""
    text = _text(folder / TASK_SET)
    try:
        facts = json.loads(text)
        name, notice, seeds_folder = facts["name"], facts["notice"], facts["seeds_folder"]
        if not (isinstance(name, str) and isinstance(notice, str) and isinstance(seeds_folder, str | None)):
            raise TypeError("name and notice are texts, seeds_folder is a text or null")
        return name, notice, budgets_of_row(facts["budgets"]), folder / (seeds_folder or ".")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
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


def _read_task(line: str, position: str, folder: Path, seeds_folder: Path) -> Task:
    try:
        row = json.loads(line)
        return task_of_row(row, folder, seeds_folder)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TaskError(
            f"{position}: not a task that pixel-env wrote ({type(error).__name__}: {error}). Generate the traces again."
        ) from error


def budgets_of_row(row: dict[str, Any] | None) -> ViewBudgets | None:
    """The budgets that `budgets_row` wrote."""
    return None if row is None else ViewBudgets.from_row(row)


def task_of_row(row: dict[str, Any], folder: Path, seeds_folder: Path) -> Task:
    """The task that `task_row` wrote. Raises TaskError for one whose images are missing."""
    if "sample" in row:
        task = _rendered_task(row["sample"])
        if task is None:
            raise TaskError(f"no sample set has a task {row['sample']!r}. Use the release that wrote the folder.")
        return task
    return Task(
        row["id"],
        row["question"],
        tuple(row["answers"]),
        tuple(_source_of(one, folder, seeds_folder) for one in row["sources"]),
        media=row["media"],
        grader=row["grader"],
        options=tuple(row["options"]),
        evidence=tuple(Evidence(one["image"], Box(*one["box"])) for one in row["evidence"]),
        category=row["category"],
        needs_looking=row["needs_looking"],
        frames_per_second=row.get("frames_per_second"),
    )


def _source_of(one: str | dict[str, Any], folder: Path, seeds_folder: Path) -> Source:
    if isinstance(one, str):
        return _file(seeds_folder / one)
    if "picture" in one:
        return _file(folder / PICTURES / one["picture"])
    clip = FileSource(seeds_folder / one["clip"]).path
    return ClipFrame(clip, one["number"], one["count"], one["start_s"], one["end_s"])


def _file(path: Path) -> FileSource:
    if not os.path.isfile(path):  # unlike Path.is_file, also False for a name that is too long
        raise TaskError(
            f"the image {path} is missing. Restore the images of the seed data, or set 'seeds_folder' in {TASK_SET} "
            "to their folder."
        )
    return FileSource(path)


def _rendered_task(task_id: str) -> Task | None:
    """The task of a sample set that has this id ("NAME/SPLIT/SEED/NUMBER-KIND"), or None."""
    name, _, rest = task_id.partition("/")
    parts = rest.split("/")
    if name not in SAMPLE_SETS or len(parts) != 3:
        return None
    split, seed, (number, _, kind) = parts[0], parts[1], parts[2].partition("-")
    sample = SAMPLE_SETS[name]
    if split not in get_args(Split) or not (seed.isdigit() and number.isdigit()) or kind not in sample.kinds:
        return None
    index = int(number)
    return sample.tasks(cast(Split, split), index + 1, (kind,), int(seed)).tasks[index]
