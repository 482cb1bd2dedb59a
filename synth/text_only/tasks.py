"""Text-only tasks that write themselves: arithmetic and logic with exact answers and a solution step by step.

A task is composed from (seed, place) alone, and its solution again from its id. Knows the families of
`arithmetic.py` and `logic.py`; nothing of plans or teachers.
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
"""The families of problems, asked in turn."""

_TASK_ID = re.compile(r"text-only/(\d+)/(\d+)-([a-z-]+)")


def text_tasks(count: int, seed: int = 0) -> Sequence[Task]:
    """`count` tasks, the families in turn, each composed when it is asked for.

    Task i depends on (seed, i) alone. Of 30,000 questions, about one in fifty occurs twice.
    """
    return _TextTasks(count, seed)


@dataclass(frozen=True)
class _TextTasks(LazySequence[Task]):
    size: int
    seed: int

    def __len__(self) -> int:
        return self.size

    def at(self, place: int) -> Task:
        """Task number `place`, from 0."""
        family = list(FAMILIES)[place % len(FAMILIES)]
        problem = _composed(self.seed, place, family)
        task_id = f"text-only/{self.seed}/{place:06d}-{family}"
        return Task(task_id, problem.question, (problem.answer,), media="text", grader=problem.grader, category=family)


def solution(task: Task) -> str | None:
    """The steps to the answer, in words; None for a task that is not of this module."""
    found = _TASK_ID.fullmatch(task.task_id)
    if found is None or found[3] not in FAMILIES:
        return None
    problem = _composed(int(found[1]), int(found[2]), found[3])
    return problem.steps if (problem.question, (problem.answer,)) == (task.question, task.answers) else None


def _composed(seed: int, place: int, family: str) -> Problem:
    return FAMILIES[family](np.random.default_rng((seed, place)))
