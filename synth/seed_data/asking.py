"""Asking about regions that nobody has labelled: what may replace a template's question.

Knows tasks with evidence. Knows no model: an `Asker` by a teacher's endpoint lies with the teacher.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pixel_env.task import Task
from pixel_env.tasks.formats.options import are_numbers
from synth.plans.plan import Refusal


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a region and what counts as its answer; with `options`, the answer is one of them."""

    question: str
    answers: tuple[str, ...]
    options: tuple[str, ...] = ()


class Asker(Protocol):
    """Looks at the crop of each seed's evidence and writes a question that the crop answers and the overview does not.

    The seed's own question, a template's, may be ignored. `name` says who asked, for the data card.
    """

    @property
    def name(self) -> str: ...

    def ask(self, seeds: Sequence[Task], *, seed: int) -> Iterator[tuple[int, Asked | Refusal]]:
        """(place in `seeds`, question or why there is none), once for each seed, in any order, as they come."""
        ...


def asked_of(task: Task, asked: Asked) -> Task:
    """The task with that question: graded by choice with options, else as a number or by its exact text."""
    grader = "choice" if asked.options else "number" if are_numbers(asked.answers) else "exact"
    return replace(task, question=asked.question, answers=asked.answers, options=asked.options, grader=grader)
