r"""Markup within texts of published files: lettered options in a question, `\boxed{}` around an answer.

Pure functions of text. Depends on graders; independent of formats and files.
"""

import ast
import itertools
import re
import string
from collections.abc import Sequence

from pixel_env.dialects.wording import OPTION_LETTERS
from pixel_env.errors import TaskError
from pixel_env.grading import GRADERS
from pixel_env.grading.boxed import last_boxed
from pixel_env.grading.counts import number_named
from pixel_env.task import Task
from pixel_env.tasks.files.row import shortened

_OPTION = re.compile(r"(?<!\S)(?P<opening>\(?)(?P<letter>[A-Z])(?P<closing>[.):])\s+")
_MEDIA_PLACEHOLDER = re.compile(r"<(?:image|video)>\s*")
_LETTER_REQUEST = re.compile(r"\banswer with the option['’]?s? letter\b[^.\n]*\.?\s*\Z", re.IGNORECASE)
_OPTIONS_TITLE = re.compile(r"\b(?:options|choices)\s*:?\Z", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z-]+\.?")
NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
"""A text that is a number and nothing else (with `fullmatch`)."""


def without_placeholders(question: str) -> str:
    """The question without the placeholders of its images, such as `<image>`."""
    return _MEDIA_PLACEHOLDER.sub("", question).strip()


def without_letter_request(question: str) -> str:
    """The question without a closing "Answer with the option's letter ...": the dialect adds its own wording."""
    return _LETTER_REQUEST.sub("", question).strip()


def reference_answers(given: str | Sequence[str]) -> tuple[str, ...]:
    r"""The reference answers of a cell: the content of each `\boxed{}`, each entry if that is a list."""
    answers = [entry.strip() for text in ([given] if isinstance(given, str) else given) for entry in listed(text)]
    return tuple(answer for answer in dict.fromkeys(answers) if answer)


def accepted_answers(answers: Sequence[str], grader: str) -> tuple[str, ...]:
    """The reference answers, and under the grader `exact` 12 for 12%.

    The authors' reward accepts an answer without the percent sign that a question implies ("What percentage ...?").
    Under `number` a percent sign is a unit anyway. A published ANLS knows the given references alone, and an option is
    named by its own text.
    """
    if grader != "exact":
        return tuple(answers)
    bare = [answer.removesuffix("%").strip() for answer in answers if answer.endswith("%")]
    return tuple(answer for answer in dict.fromkeys([*answers, *bare]) if answer)


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
    """The question without its options, and the options: those after the last sequence of labels A, B, ...

    Without options: the question as it is, and (). The labels of a sequence have the same style: in "(A) Mr. B. Smith
    (B) Mrs. C. Jones" two of the four letters are labels. Every option holds a letter or a digit. Labels in brackets
    are preferred.
    """
    by_style: dict[tuple[str, str], list[re.Match[str]]] = {}
    for label in _OPTION.finditer(question):
        by_style.setdefault((label["opening"], label["closing"]), []).append(label)
    runs = [run for run in map(_last_run, by_style.values()) if len(run) > 1]
    for run in sorted(runs, key=lambda run: (bool(run[0]["opening"]), run[0].start()), reverse=True):
        parted = _parted(question, run)
        if parted is not None:
            return parted
    return question, ()


def _last_run(labels: Sequence[re.Match[str]]) -> list[re.Match[str]]:
    """The labels A, B, ... from the last A, up to the first label that does not continue the sequence."""
    first = max((index for index, label in enumerate(labels) if label["letter"] == "A"), default=len(labels))
    lettered = zip(labels[first:], string.ascii_uppercase, strict=False)
    return [label for label, _ in itertools.takewhile(lambda pair: pair[0]["letter"] == pair[1], lettered)]


def _parted(question: str, run: Sequence[re.Match[str]]) -> tuple[str, tuple[str, ...]] | None:
    """The question and the options at these labels; None if the question or an option is empty."""
    ends = [label.start() for label in run[1:]] + [len(question)]
    options = [question[label.end() : end].strip().rstrip(",;") for label, end in zip(run, ends, strict=True)]
    options[-1], _, rest = options[-1].partition("\n")
    before = question[: run[0].start()].rstrip()
    stem = _OPTIONS_TITLE.sub("", before).strip()
    left = "\n".join(part for part in (stem, rest.strip()) if part)
    if not before or not left or not all(any(map(str.isalnum, option)) for option in options):
        return None
    return left, tuple(options)


def is_among(answer: str, options: Sequence[str]) -> bool:
    """Whether `answer` is one of the options, or the letter of one."""
    return GRADERS["choice"](answer, Task("", "", (answer,), options=tuple(options))) == 1.0


def are_numbers(answers: Sequence[str]) -> bool:
    """Whether every answer is a number and nothing else."""
    return all(NUMBER.fullmatch(answer) for answer in answers)


def open_grader(answers: Sequence[str]) -> str:
    """The grader of a question without options: of numbers if every reference answer is one, "8" or "Eight."."""
    is_number = (are_numbers([text]) or (_WORD.fullmatch(text) and number_named(text) is not None) for text in answers)
    return "number" if all(is_number) else "exact"


def check_option_count(task: Task) -> None:
    """Raises TaskError for a task with more options than there are letters to show them with."""
    if len(task.options) > len(OPTION_LETTERS):
        raise TaskError(
            f"the task {shortened(task.task_id)} has {len(task.options)} options, but options are shown with letters; "
            f"give at most {len(OPTION_LETTERS)} options"
        )
