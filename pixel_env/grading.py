"""Graders: an answer's text against a task's reference answers, as a number from 0 to 1.

Pure functions of text. A grader never sees the episode, so nothing but the answer can be rewarded.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Sequence

from pixel_env.errors import UnknownNameError
from pixel_env.types import Task

ANLS_THRESHOLD = 0.5
"""Answers farther than this from every reference score 0 (InfographicsVQA, section 5)."""

_NUMBER_NAMES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty"""
_NUMBER_WORDS = {word: value for value, word in enumerate(_NUMBER_NAMES.split())}
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|[-+]?\.\d+")


def grade(task: Task, answer: str) -> float:
    """The grade of `answer` by the task's own grader, 0 to 1. Raises UnknownNameError for a grader that is none."""
    if task.grader not in GRADERS:
        raise UnknownNameError.among("grader", task.grader, GRADERS, f"The task is {task.task_id!r}.")
    return GRADERS[task.grader](answer, task)


def exact(answer: str, task: Task) -> float:
    """1 if `answer` equals a reference; upper case, spaces, a final full stop and Unicode variants do not count."""
    return float(_plain(answer) in {_plain(reference) for reference in task.answers})


def choice(answer: str, task: Task) -> float:
    """1 if `answer` names the right option, by its letter ("B", "(B)", "B. red") or by its whole text.

    A reference is an option's text or, if no option reads so, its letter. An answer is read as a letter first,
    because letters are what the question shows. Other answers, also those that name two options, are 0.
    """
    chosen = _option_of_answer(answer, task.options)
    return float(chosen is not None and chosen in {_option_of_reference(text, task.options) for text in task.answers})


def number(answer: str, task: Task) -> float:
    """1 if `answer` holds exactly one number (digits, or a word up to twenty) and it equals that of a reference."""
    given = _number_in(answer)
    references = [_number_in(reference) for reference in task.answers]
    return float(given is not None and any(value is not None and math.isclose(given, value) for value in references))


def anls(answer: str, task: Task) -> float:
    """Normalised Levenshtein similarity to the closest reference, 0 below a half (InfographicsVQA's measure)."""
    return max((_similarity(_folded(answer), _folded(reference)) for reference in task.answers), default=0.0)


GRADERS: dict[str, Callable[[str, Task], float]] = {"exact": exact, "choice": choice, "number": number, "anls": anls}
"""By the name that a task gives in `grader`."""


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _plain(text: str) -> str:
    return _folded(text).removesuffix(".").rstrip()


def _option_of_answer(answer: str, options: Sequence[str]) -> int | None:
    # A bare letter, or a marked one that may be followed by the option's text: "A dog" is not the option A.
    found = re.fullmatch(r"\(?([A-Za-z])\)?[.:]?|\(([A-Za-z])\).*|([A-Za-z])[.:)]\s.*", answer.strip(), re.DOTALL)
    if found:
        place = ord(next(group for group in found.groups() if group).upper()) - ord("A")
        if place < len(options):
            return place
    return _option_with_text(answer, options)


def _option_of_reference(reference: str, options: Sequence[str]) -> int | None:
    place = _option_with_text(reference, options)
    return _option_of_answer(reference, options) if place is None else place


def _option_with_text(text: str, options: Sequence[str]) -> int | None:
    return next((place for place, option in enumerate(options) if _plain(option) == _plain(text)), None)


def _number_in(text: str) -> float | None:
    plain = _folded(text)
    values = [float(found.replace(",", "")) for found in _NUMBER.findall(plain)]
    values += [float(_NUMBER_WORDS[word]) for word in re.findall(r"[a-z]+", plain) if word in _NUMBER_WORDS]
    return values[0] if len(values) == 1 else None


def _similarity(first: str, second: str) -> float:
    longest = max(len(first), len(second))
    # The difference in length bounds the distance from below: a long text is not worth the quadratic table.
    if abs(len(first) - len(second)) >= ANLS_THRESHOLD * longest > 0:
        return 0.0
    distance = _edit_distance(first, second) / longest if longest else 0.0
    return 1.0 - distance if distance < ANLS_THRESHOLD else 0.0


def _edit_distance(first: str, second: str) -> int:
    row = list(range(len(second) + 1))
    for i, left in enumerate(first, start=1):
        above, row = row, [i]
        for j, right in enumerate(second, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (left != right)))
    return row[-1]
