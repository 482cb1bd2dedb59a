r"""What the authors' files write inside of texts: lettered options in a question, `\boxed{}` around an answer.

Pure functions of text.
"""

import ast
import itertools
import re
import string
from collections.abc import Sequence

from pixel_env.actions import last_boxed
from pixel_env.grading import GRADERS
from pixel_env.types import Task

_OPTION = re.compile(r"(?<!\S)\(?([A-Z])[.):]\s+")
_MEDIA_MARK = re.compile(r"<(?:image|video)>\s*")
_LETTER_REQUEST = re.compile(r"\banswer with the option['’]?s? letter\b[^.\n]*\.?\s*\Z", re.IGNORECASE)
_OPTIONS_TITLE = re.compile(r"\b(?:options|choices)\s*:?\Z", re.IGNORECASE)
NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
"""A text that is a number and nothing else (with `fullmatch`)."""


def without_marks(question: str) -> str:
    """The question without the marks that stand for its pictures."""
    return _MEDIA_MARK.sub("", question).strip()


def without_letter_request(question: str) -> str:
    """The question without a closing "Answer with the option's letter ...": the environment asks in its own words."""
    return _LETTER_REQUEST.sub("", question).strip()


def reference_answers(given: str | Sequence[str]) -> tuple[str, ...]:
    r"""What counts as right: the content of each `\boxed{}`, each entry of a list that stands in it, and 12 for 12%."""
    answers = [entry.strip() for text in ([given] if isinstance(given, str) else given) for entry in listed(text)]
    answers += [answer.removesuffix("%").strip() for answer in answers if answer.endswith("%")]
    return tuple(answer for answer in dict.fromkeys(answers) if answer)


def listed(answer: str) -> list[str]:
    r"""The entries of an answer that is the text of a list, boxed or not; else the answer alone, without its box."""
    boxed = last_boxed(answer)
    text = answer if boxed is None else boxed
    if not text.lstrip().startswith("["):
        return [text]
    try:
        entries = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return [text]
    return [str(entry) for entry in entries] if isinstance(entries, list) else [text]


def without_options(question: str) -> tuple[str, tuple[str, ...]]:
    """The question without its options, and the options: the last A, B, ... in a row; none: as it was, and ()."""
    marks = list(_OPTION.finditer(question))
    first = max((place for place, mark in enumerate(marks) if mark[1] == "A"), default=len(marks))
    lettered = zip(marks[first:], string.ascii_uppercase, strict=False)
    run = [mark for mark, _ in itertools.takewhile(lambda pair: pair[0][1] == pair[1], lettered)]
    if len(run) < 2 or not question[: run[0].start()].strip():
        return question, ()
    ends = [mark.start() for mark in run[1:]] + [len(question)]
    options = [question[mark.end() : end].strip().rstrip(",;") for mark, end in zip(run, ends, strict=True)]
    options[-1], _, rest = options[-1].partition("\n")
    stem = _OPTIONS_TITLE.sub("", question[: run[0].start()].rstrip()).strip()
    left = "\n".join(part for part in (stem, rest.strip()) if part)
    return (left, tuple(options)) if left and all(option.strip() for option in options) else (question, ())


def is_among(answer: str, options: Sequence[str]) -> bool:
    """Whether `answer` is one of the options, or the letter of one."""
    return GRADERS["choice"](answer, Task("", "", (answer,), options=tuple(options))) == 1.0


def are_numbers(answers: Sequence[str]) -> bool:
    """Whether every answer is a number and nothing else."""
    return all(NUMBER.fullmatch(answer) for answer in answers)
