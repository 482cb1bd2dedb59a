"""Graders: an answer's text against a task's reference answers, as a number from 0 to 1.

Pure functions of an answer and its task. Depends on the task; independent of the episode: a grader sees no
observation and no earlier turn, so only the final answer can be rewarded.

A grader of your own is a function marked with `@grader`; a task names it 'module:function':

    from pixel_env.grading import grader

    @grader
    def within_one(answer, task):
        return float(answer.isdigit() and abs(int(answer) - int(task.answers[0])) <= 1)

With `@grader(reads=function)` it also says which answers it can read (`legibility.py`); the others are counted as
unparsed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import overload

from pixel_env.errors import ConfigError, UnknownNameError, shortened
from pixel_env.grading.answers import exact
from pixel_env.grading.choices import choice
from pixel_env.grading.counts import number
from pixel_env.grading.legibility import READS, Reads
from pixel_env.grading.similarity import ANLS_THRESHOLD, anls
from pixel_env.import_callable import imported
from pixel_env.task import Task

__all__ = [
    "ANLS_THRESHOLD",
    "GRADERS",
    "Grader",
    "Reads",
    "anls",
    "choice",
    "exact",
    "grade",
    "grader",
    "grader_named",
    "is_read",
    "number",
]

Grader = Callable[[str, Task], float]
"""From an answer's text and its task to a grade, 0 to 1."""

GRADERS: dict[str, Grader] = {"exact": exact, "choice": choice, "number": number, "anls": anls}
"""By name, as in `Task.grader`."""


@dataclass(frozen=True, slots=True)
class _Marked:
    """A grader of a user's own, and what it says about which answers it can read; None: nothing."""

    grades: Grader
    reads: Reads | None


_MARKED: dict[int, _Marked] = {}


@overload
def grader(function: Grader) -> Grader: ...
@overload
def grader(*, reads: Reads) -> Callable[[Grader], Grader]: ...
def grader(function: Grader | None = None, *, reads: Reads | None = None) -> Grader | Callable[[Grader], Grader]:
    """Marks a function of yours as a grader, so that a task may name it 'module:function'.

    `reads(answer, task)`: whether it can read an answer; without it, every answer that is given counts as read.
    """

    # Without this mark, a row of a foreign task file could call any function of any module with a model's text.
    def marked(function: Grader) -> Grader:
        _MARKED[id(function)] = _Marked(function, reads)
        return function

    return marked if function is None else marked(function)


def grader_named(name: str) -> Grader:
    """The grader of that name: one of `GRADERS`, or your own as 'module:function'.

    Raises UnknownNameError, or ConfigError for one of your own that cannot be loaded or is not marked with `@grader`.
    """
    return GRADERS[name] if name in GRADERS else _own(name).grades


def _own(name: str) -> _Marked:
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
            f"the grader {task.grader!r} returned {shortened(value)} for the answer {shortened(answer)} to the task "
            f"{task.task_id!r}. Wanted: a number from 0 to 1. Return a float, such as float(answer == task.answers[0])."
        )
    return float(value)


def is_read(task: Task, answer: str | None) -> bool:
    """Whether the task's own grader could read `answer`; None, the answer of an episode that gave none, is never read.

    An answer that is not read is graded 0. A grader of your own that declares no `reads` reads every answer.
    Raises ConfigError for a `reads` that raises, or does not return a bool.
    """
    if answer is None:
        return False
    if task.grader in GRADERS:
        return READS[task.grader](answer, task)
    reads = _own(task.grader).reads
    return reads is None or _said(reads, answer, task)


def _said(reads: Reads, answer: str, task: Task) -> bool:
    """What a `reads` of a user's own says. Raises ConfigError if that is nothing to count with."""
    try:
        value: object = reads(answer, task)
    except Exception as error:  # code of the user's own: any error may come
        value = error
    if not isinstance(value, bool):
        raise ConfigError(
            f"the 'reads' of the grader {task.grader!r} gave {shortened(value)} for the answer {shortened(answer)} to "
            f"the task {task.task_id!r}. Wanted: True or False for every text."
        )
    return value


def _is_grade(value: object) -> bool:
    return isinstance(value, bool | int | float) and math.isfinite(value) and 0.0 <= value <= 1.0
