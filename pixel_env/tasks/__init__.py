"""Task sets by name, from files and from the hub: `load_tasks`.

Depends on the readers of files and on the embedded samples; independent of episodes. The format of users' own tasks is
described in `formats/jsonl.py`, each published one in its reader, how they are recognised in `formats/recognition.py`,
and formats and sets from outside the package in `formats/outside.py`.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pixel_env.errors import ConfigError, TaskError, UnknownNameError
from pixel_env.grading import Grader, grader_named
from pixel_env.task import Task, TaskSet
from pixel_env.tasks.files.access import MediaAccess
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.options import check_option_count
from pixel_env.tasks.formats.outside import format_before_path, task_function
from pixel_env.tasks.formats.recognition import Located, locate
from pixel_env.tasks.preparation.hub import chosen_on_hub, fetched, fetched_part, is_hub_id
from pixel_env.tasks.preparation.index import read_index
from pixel_env.tasks.preparation.named import PREPARED_PREFIX, check_is_no_name, prepared_spec
from pixel_env.tasks.reading import BadRowsWarning, Reading, read_located
from pixel_env.tasks.regraded import regraded

__all__ = ["BadRowsWarning", "TaskSpec", "load_tasks", "locate_spec", "media_access", "read_path", "read_spec"]

SAMPLE_PREFIX = "sample:"
_NOTHING_MORE = MediaAccess()

TaskSpec = str | Path | Sequence[Task] | TaskSet
"""What `tasks=` accepts everywhere."""

Split = Literal["train", "test"]


def load_tasks(
    spec: TaskSpec,
    *,
    split: Split = "test",
    count: int | None = None,
    strict: bool = False,
    grader: str | Grader | None = None,
    follow_links: bool = False,
    media_root: str | Path | None = None,
) -> TaskSet:
    """The task set that `spec` names; `count` keeps only its first tasks.

    "sample:NAME" is an embedded sample set; "prepared:NAME" is a data set of `pixel-env data list` that was prepared; a
    path is a file or folder of our own format or a published one, recognised by its columns or named before the path
    ("vstar:PATH", or "module:FORMAT:PATH" for a format of your own); "module:function" is a function of your own from
    the split to its tasks; "owner/name" that is not a path is a data set of the hub, fetched once, and
    "owner/name:FILE" one of its files (`preparation/hub.py`); tasks and task sets are used as they are. `split` chooses
    between the photographs of an embedded set, and between the files of a folder by their names; a file has one split.
    Rows that cannot be used are left out, with one BadRowsWarning that names them; `strict` raises TaskError instead.
    `media_root` is a folder in which rows may name files besides the set's own; `follow_links` allows links in the
    set's folder to lead out of it. `grader`, a name or a function marked with @grader, grades every task instead of the
    task's own (`regraded.py`).
    Raises TaskError, UnknownNameError or ConfigError.
    """
    if split not in ("train", "test"):
        raise TaskError(f"no split named {split!r}; give 'train' or 'test'")
    if count is not None and count < 1:
        raise TaskError(f"count must be at least 1, got {count}; it is the number of tasks to keep")
    task_set = _load(spec, split, count, strict, media_access(media_root, follow_links=follow_links))
    if len(task_set) == 0:
        raise TaskError(f"the task set {task_set.name!r} is empty; give at least one task")
    return task_set if grader is None else regraded(task_set, grader)


def media_access(media_root: str | Path | None = None, *, follow_links: bool = False) -> MediaAccess:
    """Where images may be besides a set's folder. Raises TaskError for a media root that is no folder."""
    folder = None if media_root is None else Path(media_root).expanduser()
    if folder is not None and not folder.is_dir():
        raise TaskError(f"there is no folder {folder} to look for images in; give another media_root")
    return MediaAccess(folder, follow_links)


def read_path(spec: str | Path, *, split: Split = "test", access: MediaAccess = _NOTHING_MORE) -> Reading:
    """What `load_tasks` reads from a file, a folder or the hub, with what is wrong in it. Raises TaskError."""
    located = locate_spec(spec, split=split, access=access)
    index = read_index(located)
    return read_located(located, None if index is None else index.faults)[0]


def read_spec(
    spec: str | Path, *, split: Split = "test", access: MediaAccess = _NOTHING_MORE
) -> tuple[TaskSet, Reading | None]:
    """The task set that `spec` names, and how it was read if it is in files. Rows that cannot be used are no error.

    Raises TaskError, UnknownNameError or ConfigError.
    """
    if (made := _made_by_code(spec, split, None)) is not None:
        return made, None
    reading = read_path(spec, split=split, access=access)
    return reading.task_set, reading


def locate_spec(spec: str | Path, *, split: Split = "test", access: MediaAccess = _NOTHING_MORE) -> Located:
    """The files that `load_tasks` would read for a path or hub id. Raises TaskError."""
    path, named = _path_of(spec)
    return replace(locate(path, named, split), access=access)


def _load(spec: TaskSpec, split: Split, count: int | None, strict: bool, access: MediaAccess) -> TaskSet:
    if isinstance(spec, TaskSet):
        return _first(spec, count)
    if isinstance(spec, str | Path):
        made = _made_by_code(spec, split, count)
        return (
            _first(read_path(spec, split=split, access=access).usable(strict=strict), count) if made is None else made
        )
    return _first(_task_set_of(spec, "tasks given in Python"), count)


def _made_by_code(spec: str | Path, split: Split, count: int | None) -> TaskSet | None:
    """An embedded set, or that of a function of the user's; None if `spec` names files."""
    if isinstance(spec, Path):
        return None
    if spec.startswith(SAMPLE_PREFIX):
        from pixel_env.samples import sample_set  # its data is not needed for anything else

        name = spec.removeprefix(SAMPLE_PREFIX)
        return sample_set(name, split=split) if count is None else sample_set(name, split=split, count=count)
    function = None if spec.startswith(PREPARED_PREFIX) else task_function(spec)
    return None if function is None else _first(_task_set_of(function(split), spec), count)


def _task_set_of(tasks: Sequence[Task] | TaskSet, name: str) -> TaskSet:
    return tasks if isinstance(tasks, TaskSet) else TaskSet(name, _checked(tasks))


def _path_of(spec: str | Path) -> tuple[Path, Format | None]:
    """Where the files are, and the format that is named before the path."""
    if isinstance(spec, str) and spec.startswith(PREPARED_PREFIX):
        spec = prepared_spec(spec.removeprefix(PREPARED_PREFIX))
    named, place = format_before_path(spec)
    path = Path(place).expanduser()
    part = None if path.exists() else chosen_on_hub(place)
    if part is not None and not Path(part[0]).exists():
        return fetched_part(*part), named
    if path.exists():
        return path, named
    if is_hub_id(place):
        return fetched(place), named
    check_is_no_name(place)
    return path, named


def _first(task_set: TaskSet, count: int | None) -> TaskSet:
    return task_set if count is None else replace(task_set, tasks=task_set.tasks[:count])


def _checked(tasks: Sequence[Task]) -> Sequence[Task]:
    if not isinstance(tasks, Sequence) or isinstance(tasks, str):
        raise TaskError(
            f"tasks= takes a name, a path, a TaskSet or a sequence of Task, got a {type(tasks).__name__}. "
            "Return a list of Task, or give the path of a task file."
        )
    not_a_task = next((item for item in tasks if not isinstance(item, Task)), None)
    if not_a_task is not None:
        raise TaskError(
            f"tasks= takes a name, a path, a TaskSet or a sequence of Task, got an item of type "
            f"{type(not_a_task).__name__}. Rows of your own are read from a JSONL file: give its path."
        )
    for task in tasks:
        check_option_count(task)
        _check_grader(task)
    return tasks


def _check_grader(task: Task) -> None:
    """Raises UnknownNameError or ConfigError, with the task, for a grader that cannot be found by its name."""
    try:
        grader_named(task.grader)
    except (UnknownNameError, ConfigError) as error:
        raise type(error)(f"{error} The task is {task.task_id!r}.") from None
