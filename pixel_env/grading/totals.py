"""A number that is given with its parts: "There are 4 birds: two on the fence and two in the tree", "2 + 3 = 5".

Pure functions of numbers and the text around them. A number counts as a total where the text marks it as one, in six
languages, and where it is the sum of all other numbers of the text: words alone would take "3 dogs of 5 animals in
total" for 5. Depends on text and the words of the question; independent of how numbers are written and of graders.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pixel_env.grading.patterns import Pattern
from pixel_env.grading.question_words import is_asked

_MOST_PARTS = 40
_REACH = 40  # characters between a number and the word that marks it
_PARTS_FOLLOW = Pattern(
    r"[:(（：=]|\b(?:of which|of them|of these|including|consisting of|namely|davon|darunter|nämlich|dont|à savoir|"
    r"de los cuales|de las cuales|incluyendo)\b|其中|包括|分别|そのうち|うち|内訳"
)
_TOTAL_BEFORE = Pattern(
    r"(?:\b(?:total|totals|totalling|totaling|altogether|sum|makes?|making|so|therefore|thus|hence|insgesamt|zusammen|"
    r"gesamt|also|somit|daher|ergibt|en tout|donc|soit|por (?:lo )?tanto|suman?)\b|共|总|總|合计|合計|全部で|一共|"
    r"所以|因此|よって|=)[^\d.!?;:]*:?[^\d.!?;:]*\Z"
)
_TOTAL_AFTER = Pattern(
    r"\s?(?:[^\W\d]+\s){0,3}?(?:in total|total|altogether|in all|insgesamt|zusammen|au total|en tout|en total)\b"
)
_OR = Pattern(r"\b(?:or|oder|ou|o|maybe|perhaps|vielleicht|peut-être|quizás?)\b|或|还是|または|か、")
_LIST_MARK = Pattern(r"^[ \t]*(?:[-*•]\s+)?(?:\*\*)?(\d{1,2})(?:[.)、]|\.\))(?!\d)(?=\s|\*\*)", re.MULTILINE)
_BEHIND = Pattern(r"\s([^\W\d_]+)(?:\s([^\W\d_]+))?")
_JOIN_WORDS = """
a on in at to by near behind beside beneath below above over under next with of and are is were was more other
others partly partially visible total altogether auf in an im am bei hinter neben unter über vor und sind sichtbar
sur dans à au derrière sous et sont visibles en por detrás sobre bajo y son están con
"""
_JOINS = frozenset(_JOIN_WORDS.split())
_SUM = Pattern(r"(?<![\w.,+*/-])\d{1,4}(?:\s?\+\s?\d{1,4})+\s?=\s?\d{1,5}(?![\w%]|[.,]\d|\s?[-+*/=])")
_COUNTED_ALOUD = Pattern(r"(?<![\w.,])1(?:\s?[,、…]\s?\d{1,2}){2,}(?![\w%]|[.,]\d)")


@dataclass(frozen=True, slots=True)
class Given:
    """A number that a text gives, from `start` to `end`."""

    start: int
    end: int
    value: float


def total_of(given: Sequence[Given], text: str, asked: frozenset[str]) -> float | None:
    """The first or the last of these numbers if it is marked as the total and all others are its parts.

    `asked`: the stems of the question. Of "5 animals: 3 dogs and 2 cats" none is the total of what "How many dogs?"
    asks about.
    """
    if not 3 <= len(given) <= _MOST_PARTS or _OR.search(text, given[0].start, given[-1].end):
        return None
    first, second, last = given[0], given[1], given[-1]
    counted = [_counts_asked(item, text, asked) for item in given]
    if _is_sum(first.value, given) and _PARTS_FOLLOW.search(text, first.end, second.start):
        return None if counted[0] is False and True in counted else first.value
    if True in counted[:-1] and counted[-1] is not True and False in counted:
        return None
    is_marked = _TOTAL_BEFORE.search(text, max(given[-2].end, last.start - _REACH), last.start)
    if _is_sum(last.value, given) and (is_marked or _TOTAL_AFTER.match(text, last.end)):
        return last.value
    return None


def _counts_asked(item: Given, text: str, asked: frozenset[str]) -> bool | None:
    """Whether what stands behind a number is what the question asks about; None if that is not said."""
    behind = _BEHIND.match(text, item.end)
    if behind is None or behind[1] in _JOINS:
        return None
    return any(word and word not in _JOINS and is_asked(word, asked) for word in behind.groups())


def _is_sum(total: float, given: Sequence[Given]) -> bool:
    parts = [item.value for item in given if item.value != total]
    return len(parts) > 1 and min(parts) > 0 and math.isclose(math.fsum(parts), total)


def without_list_marks(answer: str) -> str:
    """`answer` without the numbers 1, 2, 3, ... at the beginning of its lines."""
    marks = [int(match[1]) for match in _LIST_MARK.finditer(answer)]
    is_list = len(marks) > 1 and marks == list(range(1, len(marks) + 1))
    return _LIST_MARK.sub(" ", answer) if is_list else answer


def without_sums(text: str) -> str:
    """`text` with the result in place of a sum that is right: "2 + 3 = 5"."""
    return _SUM.sub(_result, text)


def _result(match: re.Match[str]) -> str:
    *parts, total = map(int, re.findall(r"\d+", match.group()))
    return str(total) if sum(parts) == total else match.group()


def without_counting(text: str) -> str:
    """`text` without "1, 2, 3, 4", where the last of these numbers is given again."""
    counted = _COUNTED_ALOUD.search(text)
    if counted is None:
        return text
    numbers = [int(number) for number in re.findall(r"\d+", counted.group())]
    rest = f"{text[: counted.start()]} {text[counted.end() :]}"
    is_counting = numbers == list(range(1, len(numbers) + 1))
    return rest if is_counting and re.search(rf"(?<![\d.,]){numbers[-1]}(?![\d%]|[.,]\d)", rest) else text
