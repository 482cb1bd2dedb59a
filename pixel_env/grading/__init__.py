"""Graders: an answer's text against a task's reference answers, as a number from 0 to 1.

Pure functions of an answer and its task. A grader never sees the episode, so nothing but the final answer can be
rewarded: no observation's text, no earlier turn.
"""

from collections.abc import Callable

from pixel_env.errors import UnknownNameError
from pixel_env.grading.answers import exact
from pixel_env.grading.choices import choice
from pixel_env.grading.counts import number
from pixel_env.grading.similarity import ANLS_THRESHOLD, anls
from pixel_env.task import Task

__all__ = ["ANLS_THRESHOLD", "GRADERS", "anls", "choice", "exact", "grade", "number"]

GRADERS: dict[str, Callable[[str, Task], float]] = {"exact": exact, "choice": choice, "number": number, "anls": anls}
"""By the name that a task gives in `grader`."""


def grade(task: Task, answer: str) -> float:
    """The grade of `answer` by the task's own grader, 0 to 1. Raises UnknownNameError for a grader that is none."""
    if task.grader not in GRADERS:
        raise UnknownNameError.among("grader", task.grader, GRADERS, f"The task is {task.task_id!r}.")
    return GRADERS[task.grader](answer, task)
