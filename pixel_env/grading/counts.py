"""The one number that an answer names, in digits or in words.

Depends on text and numbers, and on the words of the task's question for answers such as "no dogs"; independent of
episodes. `numerals.py` finds the numbers, `count_stances.py` says what is said of each, `zero_words.py` knows "none".
"""

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pixel_env.grading import stance_words as words
from pixel_env.grading.answers import LEAD_IN, folded, unwrapped
from pixel_env.grading.boxed import last_boxed
from pixel_env.grading.count_stances import Reading, Stance, reading
from pixel_env.grading.number_words import HALF_A_DOZEN
from pixel_env.grading.numerals import Mention, has_other_digits, mentions_in
from pixel_env.grading.patterns import Pattern
from pixel_env.grading.question_words import asked_about
from pixel_env.grading.totals import Given, total_of, without_counting, without_list_marks, without_sums
from pixel_env.grading.zero_words import says_zero
from pixel_env.task import Task

_BOUND_BEFORE = Pattern(
    r"(?:[<>≤≥]=?|\bat (?:least|most)|\b(?:more|less|fewer|greater|larger|smaller) than|"
    r"\b(?:over|under|above|below|up to)|\b(?:a )?(?:minimum|maximum)(?: of)?|"
    r"\b(?:mindestens|höchstens|maximal|minimal|mehr als|weniger als|bis zu)|"
    r"\b(?:au moins|au plus|plus de|moins de|jusqu'à)|"
    r"\b(?:al menos|por lo menos|más de|menos de|hasta|como máximo|como mínimo)|"
    r"至少|最少|最多|超过|超過|多于|少于|大于|小于|不到|不足|不止|起码|少なくとも|多くとも|最大|最低)\s?\Z"
)
_BOUND_AFTER = Pattern(
    r"\s?(?:\+|or (?:more|fewer|less)\b|oder (?:mehr|weniger)\b|ou (?:plus|moins)\b|o (?:más|menos)\b|"
    r"[^\W\d_]{0,2}?(?:以上|以下|以内|未満)|[多余餘幾几])|,\d"  # "3,5" is neither a thousand nor a decimal here
)
_CALCULATION = Pattern(r"\d\s?(?:[×*÷]+|x)\s?\d|\d:\d|/\s?[\d.,]+\s?/")
_PRONOUN_BEFORE = Pattern(  # "the red one"
    r"\b(?:this|that|each|every|another|any|which|no|an?\s(?!single|lone)[a-z]+|the(?:\s[a-z]+)?)[\s-]\Z"
)
_MOST_NUMBERS = 300  # a text with more of them names none, and costs no more
_PRONOUN_AFTER = Pattern(r"\s(?:is|was|has)\b")  # "one is black"
_LONGEST_LEAD = 40  # characters before a number that can belong to it

_THOUSANDS = Pattern(r"(?<=\d)(?:\{,\}|\\[,;!]|[\u00a0\u2009\u202f'’])(?=\d{3}(?!\d))")
_LATEX_FRACTION = Pattern(r"\\[dt]?frac\s*\{([\d.]+)\}\s*\{([\d.]+)\}")
_LATEX_FRACTION_OF_DIGITS = Pattern(r"\\[dt]?frac\s*(\d)\s*(\d)")  # "\frac12" is a half
_RAISED = Pattern(r"[⁰¹²³⁴-⁹]+")
_LOWERED = Pattern(r"[₀-₉]+")
_VULGAR_FRACTION = Pattern(r"[¼-¾⅐-⅞↉]")
_UNIT_EXPONENT = Pattern(r"(?<=[a-z])\^\d+")
_ORDINAL = Pattern(r"\b\d+(?:st|nd|rd|th|ème|e)\b|\b[23]d\b")
_SIGNS = str.maketrans({"−": "-", "⁄": "/", "’": "'"})
_REASON = Pattern(r"\b(?:because|since|given that|weil|parce que|car|porque|ya que|puesto que)\b|因为|因為|から|ので")
_WHERE_CHINESE = Pattern(r"一[张張幅枚](?:图片?|圖片?|照片|画像|写真)(?=里|中|上|内|裡|の)")


def number(answer: str, task: Task) -> float:
    """1 if `answer` names exactly one number and it equals that of a reference.

    Digits (thousands separators, decimals, fractions, "3½", signs, units, "3k") and words ("twenty-one", "two dozen",
    "zwölf", "三只") count; the same number given twice is one, and so is a total with its parts ("4 dogs: two black,
    two white", "2 left and 3 right, 5 in total", "2 + 3 = 5"). Two different numbers, bounds ("at least 3", "3-5",
    "3+") and calculations are 0. So is a number that is denied ("not 3", "3 is wrong"), asked or supposed ("Is it 3?",
    "if there were 3"); of "4, not 3" the 4 counts. The number of an image ("in image 3") is a label. "None" is zero,
    and so is "no dogs" if the question asks about dogs, and "no one is there" if it asks about people.
    """
    given = number_named(answer, task.question)
    references = [number_named(reference, task.question) for reference in task.answers]
    return float(given is not None and any(value is not None and math.isclose(given, value) for value in references))


def number_named(answer: str, question: str = "") -> float | None:
    """The number that `answer` names; None if it names none or several, or if the number is part of something else.

    If the text announces its answer ("the answer is ..."), what it announces; else what it adds up to ("in total 3").
    """
    text, asked_text, asked = _readable(answer), folded(question), asked_about(question)
    if _CALCULATION.search(text):
        return None
    read = reading(text, asked_text)
    said = _said(read, asked)
    if said is None:
        return None
    spans = _announcements(read.text, begins_with_one=_lost_a_lead_in(answer, text))
    announced = {value for span in spans if (value := _the_one(said, *span)) is not None}
    if announced:
        return announced.pop() if len(announced) == 1 else None
    sums = {value for span in _sums(read, said) if (value := _the_one(said, *span)) is not None}
    if len(sums) == 1:
        return _undenied(sums.pop(), said)
    one = _the_one(said, 0, len(read.text))
    return _total(said, read.text, asked) if one is None else one


@dataclass(frozen=True)
class _Said:
    """A number at a position of the text, as named or as denied."""

    start: int
    end: int
    value: float
    is_denied: bool


def _said(read: Reading, asked: frozenset[str]) -> list[_Said] | None:
    """What the text says of each number; None if no answer can be read from a text with such numbers."""
    mentions = mentions_in(read.text, read.question, asked)
    if len(mentions) > _MOST_NUMBERS or has_other_digits(read.text):
        return None  # digits that are part of a name, such as B2
    zeros = [clause for clause in read.clauses() if says_zero(read.text[slice(*clause)], asked, read.question)]
    said = [_Said(start, end, 0.0, is_denied=False) for start, end in zeros if not read.is_open(start, end)]
    for mention in mentions:
        if any(start <= mention.start < end for start, end in zeros):
            continue
        if _is_pronoun(mention, read.text, is_only_one=len(mentions) == 1):
            continue
        stance = read.stance(mention.start, mention.end)
        if stance is Stance.DENIED:
            said.append(_Said(mention.start, mention.end, mention.value, is_denied=True))
        elif stance is Stance.NAMED:
            said.append(_Said(mention.start, mention.end, _bounded(mention, read.text), is_denied=False))
    return said


def _the_one(said: Sequence[_Said], start: int, end: int) -> float | None:
    """The one number that is named from `start` to `end`, if it is one and is not denied there as well."""
    here = [item for item in said if start <= item.start < end]
    denied = {item.value for item in here if item.is_denied}
    named = {item.value for item in here if not item.is_denied} - denied
    # A range, or a number too large for a float, is no number and makes its neighbours none.
    return named.pop() if len(named) == 1 and all(map(math.isfinite, named)) else None


def _undenied(value: float, said: Sequence[_Said]) -> float | None:
    return None if any(item.is_denied and item.value == value for item in said) else value


def _sums(read: Reading, said: Sequence[_Said]) -> Iterator[tuple[int, int]]:
    """The clauses that add up or conclude: "one here, so there are 3", "the total is 3". What stands before them counts
    for nothing, and a conclusion has no number behind it."""
    for match in (*words.TOTALS.finditer(read.text), *words.CONCLUDES.finditer(read.text)):
        opening, end = read.clause_around(match.start())
        if not any(opening <= item.start < end for item in said):
            _, end = read.clause_around(end)
        if words.TOTALS.is_of(match) or not any(item.start >= end for item in said):
            yield match.end(), end


def _total(said: Sequence[_Said], text: str, asked: frozenset[str]) -> float | None:
    """The number of which all others are the parts, if the text says so."""
    if any(item.is_denied for item in said):
        return None
    return total_of([Given(item.start, item.end, item.value) for item in said], text, asked)


def _announcements(text: str, *, begins_with_one: bool) -> list[tuple[int, int]]:
    """From the end of each lead-in to the reason behind it or the next lead-in."""
    lead_ins = [match.span() for match in LEAD_IN.finditer(text)]
    lead_ins = [(0, 0), *lead_ins] if begins_with_one else lead_ins
    ends = [*(start for start, _ in lead_ins[1:]), len(text)]
    return [(start, _start_of_reason(text, start, end)) for (_, start), end in zip(lead_ins, ends, strict=False)]


def _start_of_reason(text: str, start: int, end: int) -> int:
    reason = _REASON.search(text, start, end)
    return end if reason is None else reason.start()


def _lost_a_lead_in(answer: str, text: str) -> bool:
    """Whether the answer has a lead-in more than its readable text: `unwrapped` takes off the one at the start."""
    boxed = last_boxed(answer)
    return len(LEAD_IN.findall(folded(answer if boxed is None else boxed))) > len(LEAD_IN.findall(text))


def _is_pronoun(mention: Mention, text: str, *, is_only_one: bool) -> bool:
    if not mention.is_word or text[mention.start : mention.end] != "one":
        return False
    if not is_only_one and _PRONOUN_AFTER.match(text, mention.end):
        return True
    return _PRONOUN_BEFORE.search(text, max(0, mention.start - _LONGEST_LEAD), mention.start) is not None


def _bounded(mention: Mention, text: str) -> float:
    """The value, or NaN for a bound."""
    before = _BOUND_BEFORE.search(text, max(0, mention.start - _LONGEST_LEAD), mention.start)
    return math.nan if before or _BOUND_AFTER.match(text, mention.end) else mention.value


def _readable(answer: str) -> str:
    """`answer` with one spelling for each form of a number. Ordinals and exponents of units ("m²") are left out."""
    text = _LATEX_FRACTION.sub(r" \1/\2 ", _THOUSANDS.sub(",", without_list_marks(answer)))
    text = _LATEX_FRACTION_OF_DIGITS.sub(r" \1/\2 ", text)
    # Before folding, which would make 3² the number 32 and 3½ the fraction 31/2.
    text = _RAISED.sub(lambda match: "^" + unicodedata.normalize("NFKC", match.group()), text)
    text = _LOWERED.sub(lambda match: "_" + unicodedata.normalize("NFKC", match.group()), text)
    text = _VULGAR_FRACTION.sub(lambda match: " " + unicodedata.normalize("NFKC", match.group()), text)
    text = folded(unwrapped(text)).translate(_SIGNS)
    text = _ORDINAL.sub(" ", _UNIT_EXPONENT.sub("", re.sub(r"\.{2,}", " ", text)))
    return folded(without_counting(without_sums(HALF_A_DOZEN.sub("6", _WHERE_CHINESE.sub("", text)))))
