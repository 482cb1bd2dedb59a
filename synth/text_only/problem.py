"""A text-only problem, and random choices that all families of problems share.

Depends on numpy; independent of tasks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NAMES = (
    *("Ada", "Ben", "Clara", "David", "Elif", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Kira", "Liam"),
    *("Mona", "Nils", "Olga", "Pavel", "Quinn", "Rosa", "Samir", "Tara", "Umar", "Vera", "Wen", "Yara"),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A question, its only right answer, and the steps of its solution as a text that ends with the answer."""

    question: str
    answer: str
    steps: str
    grader: str = "number"


def one_of(choices: Sequence[str], rng: np.random.Generator) -> str:
    """One of the choices, each equally likely."""
    return choices[int(rng.integers(len(choices)))]


def some_of(choices: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    """`count` different choices, in random order."""
    return [choices[int(index)] for index in rng.permutation(len(choices))[:count]]


def whole(low: int, high: int, rng: np.random.Generator) -> int:
    """A whole number from `low` to `high`, both included."""
    return int(rng.integers(low, high + 1))


def counted(number: int, thing: str) -> str:
    """The number with its noun: "1 day", "2 days"."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def solved(*steps: str, answer: str, rng: np.random.Generator) -> str:
    """The steps as one text, with an opening and a last sentence that names the answer."""
    return " ".join([one_of(_OPENINGS, rng), *steps, one_of(_ENDINGS, rng).format(answer=answer)])


_OPENINGS = (
    "Let me work this out step by step.",
    "I take it one step at a time.",
    "This can be solved step by step.",
    "I go through it in order.",
    "Let me do this carefully.",
    "First I sort out what is given.",
    "There is no picture to look at, so I reason from the text.",
    "Everything that is needed stands in the text.",
)
_ENDINGS = (
    "So the answer is {answer}.",
    "The answer is therefore {answer}.",
    "That gives {answer}.",
    "Hence the answer: {answer}.",
    "The result is {answer}.",
    "So it is {answer}.",
)
