"""The numbers that a text mentions, in digits, words and Chinese or Japanese numerals.

Depends on number words; independent of what the text says about a number (`count_stances.py`) and of graders.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pixel_env.grading.answers import CHINESE
from pixel_env.grading.cjk_numerals import LARGE_UNITS, cjk_numbers
from pixel_env.grading.number_words import LANGUAGES, languages_of, scale_after, word_runs
from pixel_env.grading.patterns import Pattern
from pixel_env.grading.question_words import is_asked

_DIGITS = (
    r"(?:\d{1,3}(?:,\d{3}){1,8}(?!\d|,\d)|(?<!\d\s)[1-9]\d{0,2}(?:\s\d{3}){1,8}(?!\d|\s\d|[^\W\d_" + CHINESE + r"])"
    r"|\d+)(?:\.\d+)?|\.\d+"
)
_NUMBER = Pattern(
    rf"(?<![^\W{CHINESE}]|[.^])(?:(?P<whole>\d+)\s(?=\d+\s?/))?(?P<top>{_DIGITS})(?:\s?/\s?(?P<bottom>{_DIGITS}))?"
)
_SIGN = Pattern(
    r"(?:(?<![\w.)])[-+]|\b(?:minus|negative)\s+|(?<!\bau )(?<!\bou )\bmoins\s+|"
    r"(?<!\bal )(?<!\blo )(?<!\bo )\bmenos\s+|负|負の|マイナス)\Z"
)
_ATTACHED_SCALE = Pattern(r"(?:k|bn)\b")  # "3m" may be metres
_ATTACHED = {"k": 1_000, "bn": 10**9}
_ONES = frozenset().union(*(language.ones for language in LANGUAGES))
_ONE = Pattern(rf"\b(?P<one>{'|'.join(sorted(_ONES))})\b(?=\s(?P<first>[^\W\d_]+)(?:\s(?P<second>[^\W\d_]+))?)")
_LONGEST_SIGN = 24


@dataclass(frozen=True)
class Mention:
    """A number in a text, from `start` to `end`, and its value; NaN for what is no single number ("3/0").

    `is_word`: written in words; `is_weak`: an article that may mean one ("ein Hund").
    """

    start: int
    end: int
    value: float
    is_word: bool = False
    is_weak: bool = False


def mentions_in(text: str, question: str, asked: frozenset[str]) -> list[Mention]:
    """The numbers in the folded `text`, in order; `asked`: the stems of the folded question."""
    spoken = languages_of(f"{text} {question}")
    digits = [*_in_digits(text, spoken)]
    found = [*digits, *_in_words(text, spoken, {mention.end: mention.start for mention in digits}), *_in_cjk(text)]
    if not found:
        found = [*_articles(text, asked)]
    return sorted(found, key=lambda mention: mention.start)


def has_other_digits(text: str) -> bool:
    """Whether the text holds digits that are part of a name, such as B2."""
    return re.search(r"\d", _NUMBER.sub("", text)) is not None


def _in_digits(text: str, spoken: frozenset[int]) -> Iterator[Mention]:
    for match in _NUMBER.finditer(text):
        start, sign = _signed(text, match.start())
        scale, end = _scale(text, match.end(), spoken)
        for value in _values_of(match):
            yield Mention(start, end, sign * scale * value)


def _in_words(text: str, spoken: frozenset[int], digits: Mapping[int, int]) -> Iterator[Mention]:
    """The numbers in words; `digits`: where numbers in digits begin, by where they end with their scale."""
    for run in word_runs(text, spoken):
        if digits.get(run.end, run.start) < run.start:
            continue  # the scale of "3 million"
        start, sign = _signed(text, run.start)
        for value in run.values:
            yield Mention(start, run.end, sign * value, is_word=True)


def _in_cjk(text: str) -> Iterator[Mention]:
    for start, end, value in cjk_numbers(text):
        start, sign = _signed(text, start)
        yield Mention(start, end, math.nan if value is None else sign * value)


def _articles(text: str, asked: frozenset[str]) -> Iterator[Mention]:
    """ "Ein Hund", "une voiture": one of what the question asks about. Alone such a word is one, too."""
    if (alone := text.strip(" .!")) in _ONES:
        yield Mention(text.index(alone), text.index(alone) + len(alone), 1.0, is_word=True, is_weak=True)
    for match in _ONE.finditer(text):
        if any(word and is_asked(word, asked) for word in (match["first"], match["second"])):
            yield Mention(match.start(), match.end(), 1.0, is_word=True, is_weak=True)


def _signed(text: str, start: int) -> tuple[int, float]:
    """Where a number begins with its sign, and the sign."""
    first = max(0, start - _LONGEST_SIGN)
    sign = _SIGN.search(text, first, start) if start else None
    if sign is None:
        return start, 1.0
    return sign.start(), 1.0 if sign.group() == "+" else -1.0


def _scale(text: str, end: int, spoken: frozenset[int]) -> tuple[int, int]:
    if attached := _ATTACHED_SCALE.match(text, end):
        return _ATTACHED[attached.group()], attached.end()
    if end < len(text) and text[end] in LARGE_UNITS:
        return LARGE_UNITS[text[end]], end + 1
    return scale_after(text, end, spoken)


def _values_of(match: re.Match[str]) -> list[float]:
    top, bottom = _float(match["top"]), _float(match["bottom"] or "1")
    if not bottom:
        return [math.nan]
    if match["whole"] and top >= bottom:
        return [_float(match["whole"]), top / bottom]  # "1 5/3" is not a mixed number
    return [_float(match["whole"] or "0") + top / bottom]


def _float(digits: str) -> float:
    return float(digits.replace(",", "").replace(" ", ""))
