"""Generated text-only tasks: arithmetic and logic with exact answers and a step-by-step solution.

A task is generated from (seed, index) alone, and its solution from the task id. Depends on the families of
`arithmetic.py` and `logic.py`; independent of plans and teachers.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pixel_env.lazy_sequence import LazySequence
from pixel_env.task import Task
from synth.text_only import arithmetic, logic
from synth.text_only.problem import Problem

FAMILIES: dict[str, Callable[[np.random.Generator], Problem]] = {
    "expression": arithmetic.expression,
    "shopping": arithmetic.shopping,
    "sharing": arithmetic.sharing,
    "discount": arithmetic.discount,
    "journey": arithmetic.journey,
    "clock": arithmetic.clock,
    "sequence": arithmetic.sequence,
    "ordering": logic.ordering,
    "weekday": logic.weekday,
    "truth-tellers": logic.truth_tellers,
    "boxes": logic.boxes,
}
"""The families of problems, used in turn."""

_TASK_ID = re.compile(r"text-only/(\d+)/(\d+)-([a-z-]+)")


def text_tasks(count: int, seed: int = 0) -> Sequence[Task]:
    """`count` tasks, the families in turn, each generated on access.

    Task i depends on (seed, i) alone. Of 30,000 questions, about one in fifty is repeated.
    """
    return _TextTasks(count, seed)


@dataclass(frozen=True)
class _TextTasks(LazySequence[Task]):
    size: int
    seed: int

    def __len__(self) -> int:
        return self.size

    def at(self, index: int) -> Task:
        """The task with this index, from 0."""
        family = list(FAMILIES)[index % len(FAMILIES)]
        problem = _problem(self.seed, index, family)
        task_id = f"text-only/{self.seed}/{index:06d}-{family}"
        return Task(task_id, problem.question, (problem.answer,), media="text", grader=problem.grader, category=family)


def solution(task: Task) -> str | None:
    """The solution in words, step by step; None for a task that is not from this module."""
    match = _TASK_ID.fullmatch(task.task_id)
    if match is None or match[3] not in FAMILIES:
        return None
    problem = _problem(int(match[1]), int(match[2]), match[3])
    return problem.steps if (problem.question, (problem.answer,)) == (task.question, task.answers) else None


def _problem(seed: int, index: int, family: str) -> Problem:
    return FAMILIES[family](np.random.default_rng((seed, index)))
