"""Questions about unlabelled regions, which replace those of a template: the protocol `Asker`.

Depends on tasks with evidence; independent of models. An implementation behind an endpoint belongs to the teachers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pixel_env.task import Task
from pixel_env.tasks.formats.options import are_numbers
from synth.plans.plan import Refusal


@dataclass(frozen=True, slots=True)
class RegionQuestion:
    """A question about a region and its accepted answers; with `options`, each answer is one of them."""

    question: str
    answers: tuple[str, ...]
    options: tuple[str, ...] = ()


Asked = RegionQuestion
"""The former name of `RegionQuestion`."""


class Asker(Protocol):
    """Writes a question about the evidence of each seed that its crop answers and the overview does not.

    The seed's own question comes from a template and may be ignored. `name` identifies the asker.
    """

    @property
    def name(self) -> str: ...

    def ask(self, seeds: Sequence[Task], *, seed: int) -> Iterator[tuple[int, RegionQuestion | Refusal]]:
        """Yields (index in `seeds`, question or refusal) once for each seed, in any order, as they are ready."""
        ...


def with_question(task: Task, question: RegionQuestion) -> Task:
    """The task with this question: graded by choice if it has options, else as a number or by its exact text."""
    grader = "choice" if question.options else "number" if are_numbers(question.answers) else "exact"
    return replace(task, question=question.question, answers=question.answers, options=question.options, grader=grader)
