"""Graders: an answer's text against a task's reference answers, as a number from 0 to 1.

Pure functions of an answer and its task. Depends on the task; independent of the episode: a grader sees no
observation and no earlier turn, so only the final answer can be rewarded.

A grader of your own is a function marked with `@grader`; a task names it 'module:function':

    from pixel_env.grading import grader

    @grader
    def within_one(answer, task):
        return float(abs(int(answer) - int(task.answers[0])) <= 1)
"""

import math
from collections.abc import Callable

from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.grading.answers import exact
from pixel_env.grading.choices import choice
from pixel_env.grading.counts import number
from pixel_env.grading.similarity import ANLS_THRESHOLD, anls
from pixel_env.import_callable import imported
from pixel_env.task import Task

__all__ = [
    "ANLS_THRESHOLD",
    "GRADERS",
    "Grader",
    "anls",
    "choice",
    "exact",
    "grade",
    "grader",
    "grader_named",
    "number",
]

Grader = Callable[[str, Task], float]
"""From an answer's text and its task to a grade, 0 to 1."""

GRADERS: dict[str, Grader] = {"exact": exact, "choice": choice, "number": number, "anls": anls}
"""By name, as in `Task.grader`."""

_MARKED: dict[int, Grader] = {}


def grader(function: Grader) -> Grader:
    """Marks a function of yours as a grader, so that a task may name it 'module:function'."""
    # Without this mark, a row of a foreign task file could call any function of any module with a model's text.
    _MARKED[id(function)] = function
    return function


def grader_named(name: str) -> Grader:
    """The grader of that name: one of `GRADERS`, or your own as 'module:function'.

    Raises UnknownNameError, or ConfigError for one of your own that cannot be loaded or is not marked with `@grader`.
    """
    if name in GRADERS:
        return GRADERS[name]
    module, _, function = name.partition(":")
    if not module or not function:
        raise UnknownNameError.among("grader", name, GRADERS, "Your own is given as 'module:function'.")
    own = _MARKED.get(id(imported(name, "grader")))
    if own is None:
        raise ConfigError(
            f"{name!r} is not marked as a grader, so it is not called. If it is yours, put @grader above it: "
            "from pixel_env.grading import grader"
        )
    return own


def grade(task: Task, answer: str) -> float:
    """The grade of `answer` by the task's own grader, 0 to 1. Raises UnknownNameError for an unknown grader.

    Raises ConfigError for a grader of your own that cannot be loaded, or does not return a number from 0 to 1.
    """
    try:
        known = grader_named(task.grader)
    except UnknownNameError as error:
        raise UnknownNameError(f"{error} The task is {task.task_id!r}.") from None
    value = known(answer, task)
    if task.grader not in GRADERS and not _is_grade(value):
        raise ConfigError(
            f"the grader {task.grader!r} returned {value!r} for the answer {answer!r} to the task {task.task_id!r}. "
            "Wanted: a number from 0 to 1. Return a float, such as float(answer == task.answers[0])."
        )
    return float(value)


def _is_grade(value: object) -> bool:
    return isinstance(value, bool | int | float) and math.isfinite(value) and 0.0 <= value <= 1.0
