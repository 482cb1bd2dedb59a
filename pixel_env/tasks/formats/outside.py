"""Task formats and task sets from outside the package, named 'module:NAME'.

    my_formats:SURVEYS:data/surveys.jsonl    a `Format` of the module my_formats, and the path that it reads
    my_tasks:mazes                           a function of the split that returns the tasks; no file is read

Depends on the table of formats and on imports; independent of files and rows.
"""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.import_callable import imported
from pixel_env.task import Task, TaskSet
from pixel_env.tasks.formats.format import Format
from pixel_env.tasks.formats.guarded import guarded
from pixel_env.tasks.formats.recognition import FORMATS, Formats

TaskFunction = Callable[[str], TaskSet | Sequence[Task]]
"""From the split, "train" or "test", to its tasks."""

_NAMED = re.compile(r"(?P<name>[A-Za-z_][\w.]*:[A-Za-z_]\w*)(:(?P<path>.+))?")


def format_before_path(spec: str | Path, formats: Formats = FORMATS) -> tuple[Format | None, str]:
    """The format that is named before the path, None if there is none, and the path.

    Raises ConfigError for a 'module:NAME' that is not a format. An existing path is always taken as a path.
    """
    text = str(spec)
    if os.path.exists(text):
        return None, text
    prefix, colon, rest = text.partition(":")
    if colon and prefix in formats:
        return formats[prefix], rest
    own = _NAMED.fullmatch(text)
    if own is None or own["path"] is None or prefix in FORMATS:
        return None, text
    return own_format(own["name"]), own["path"]


def format_named(name: str) -> Format:
    """The format of the table, or your own as 'module:NAME'. Raises UnknownNameError, ConfigError."""
    if name in FORMATS:
        return FORMATS[name]
    if ":" not in name:
        raise UnknownNameError.among("task format", name, FORMATS, "Your own is given as 'module:NAME'.")
    return own_format(name)


def own_format(name: str) -> Format:
    """The `Format` that 'module:NAME' names; its mistakes are problems of the row. Raises ConfigError."""
    own = imported(name, "task format")
    if not isinstance(own, Format):
        raise ConfigError(
            f"{name!r} is of the type {type(own).__name__}, not a task format. "
            "Wanted: a Format (pixel_env.tasks.formats.format), see docs/extending.md."
        )
    return own if own in FORMATS.values() else guarded(own, name)


def task_function(spec: str) -> TaskFunction | None:
    """The function that 'module:function' names; None if `spec` has another form. Raises ConfigError.

    A path, or the name of a format before one, is never taken for a function.
    """
    own = _NAMED.fullmatch(spec)
    if own is None or own["path"] is not None or os.path.exists(spec) or spec.partition(":")[0] in FORMATS:
        return None
    function = imported(spec, "task set")
    if isinstance(function, Format):
        raise ConfigError(f"{spec!r} is a task format and needs the path that it reads: {spec}:PATH")
    if not callable(function):
        raise ConfigError(
            f"{spec!r} is of the type {type(function).__name__}. Wanted: a function of the split ('train' or 'test') "
            "that returns a TaskSet or a list of Task."
        )
    task_function: TaskFunction = function
    return task_function
