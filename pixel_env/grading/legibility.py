"""Whether a grader could read an answer at all: an answer that names nothing is wrong, and is counted apart.

Pure functions of an answer and its task. Depends on how the graders read; independent of grades and of episodes.
"""

from collections.abc import Callable
from functools import lru_cache

from pixel_env.grading.answers import readings, says_something, unwrapped
from pixel_env.grading.choices import options_named
from pixel_env.grading.counts import number_named
from pixel_env.task import Task

Reads = Callable[[str, Task], bool]
"""From an answer's text and its task to whether the grader can read the answer; the references do not matter."""


def reads_exact(answer: str, task: Task) -> bool:
    """Whether `answer` gives any text: "the best choice" may be one, "The answer is" announces and gives none."""
    return bool(readings(answer))


def reads_text(answer: str, task: Task) -> bool:
    """Whether `answer` holds any text: not if it is empty, punctuation, or a lead-in such as "The answer is"."""
    return says_something(unwrapped(answer))


def reads_choice(answer: str, task: Task) -> bool:
    """Whether `answer` names one option. Of an answer that names several nobody can say which one it gives."""
    return _names_one(answer, task.options)


@lru_cache(maxsize=2**16)  # every table of a report asks about the same answers
def _names_one(answer: str, options: tuple[str, ...]) -> bool:
    return len(options_named(answer, options)) == 1


def reads_number(answer: str, task: Task) -> bool:
    """Whether `answer` names one number: not a range, a bound or two different ones."""
    return _names_number(answer, task.question)


@lru_cache(maxsize=2**16)
def _names_number(answer: str, question: str) -> bool:
    return number_named(answer, question) is not None


READS: dict[str, Reads] = {"exact": reads_exact, "choice": reads_choice, "number": reads_number, "anls": reads_text}
"""What each built-in grader reads, by its name."""
