"""Task sets by name or from a file: `load_tasks`.

Knows which loader reads what. Knows nothing of episodes. The file format of users' own tasks is told in `jsonl.py`.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pixel_env.errors import TaskError
from pixel_env.tasks.jsonl import read_jsonl
from pixel_env.types import Task, TaskSet

__all__ = ["TaskSpec", "load_tasks", "read_jsonl"]

SAMPLE_PREFIX = "sample:"

TaskSpec = str | Path | Sequence[Task] | TaskSet
"""What `tasks=` takes everywhere."""


def load_tasks(spec: TaskSpec, *, split: Literal["train", "test"] = "test", count: int | None = None) -> TaskSet:
    """The task set that `spec` stands for; `count` keeps its first tasks only.

    "sample:NAME" is an embedded sample set; a path is a JSONL file of ours (`jsonl.py`); tasks and task sets are taken
    as they are. `split` chooses between the photographs of an embedded set; a file has one split. Raises TaskError or
    UnknownNameError.
    """
    if split not in ("train", "test"):
        raise TaskError(f"no split named {split!r}; there are 'train' and 'test'")
    if count is not None and count < 1:
        raise TaskError(f"count is the number of tasks to keep and must be at least 1, got {count}")
    task_set = _load(spec, split, count)
    if len(task_set) == 0:
        raise TaskError(f"the task set {task_set.name!r} is empty; give at least one task")
    return task_set


def _load(spec: TaskSpec, split: Literal["train", "test"], count: int | None) -> TaskSet:
    if isinstance(spec, TaskSet):
        return _first(spec, count)
    if isinstance(spec, str) and spec.startswith(SAMPLE_PREFIX):
        from pixel_env.samples import sample_set  # its data is not needed for anything else

        name = spec.removeprefix(SAMPLE_PREFIX)
        return sample_set(name, split=split) if count is None else sample_set(name, split=split, count=count)
    if isinstance(spec, str | Path):
        return _first(read_jsonl(Path(spec)), count)
    return _first(TaskSet("tasks given in Python", _checked(spec)), count)


def _first(task_set: TaskSet, count: int | None) -> TaskSet:
    return task_set if count is None else replace(task_set, tasks=task_set.tasks[:count])


def _checked(tasks: Sequence[Task]) -> Sequence[Task]:
    wrong = next((item for item in tasks if not isinstance(item, Task)), None)
    if wrong is not None:
        raise TaskError(
            f"tasks= takes a name, a path, a TaskSet or a sequence of Task, got a {type(wrong).__name__} in it. "
            "Rows of your own are read from a JSONL file: pass its path."
        )
    return tasks
