"""The one number that an answer names, in digits or in words.

Depends on text and numbers, and on the words of the task's question for answers such as "no dogs"; independent of
episodes.
"""

import math
import re
import unicodedata

from pixel_env.grading.answers import folded, unwrapped
from pixel_env.task import Task

_SMALL_NAMES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen"""
_TENS_NAMES = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = {word: 10 * ten for ten, word in enumerate(_TENS_NAMES.split(), start=2)}
_SMALL = {word: value for value, word in enumerate(_SMALL_NAMES.split())} | _TENS
_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}

_DIGITS = r"(?:\d{1,3}(?:,\d{3}){1,8}(?!\d|,\d)|\d+)(?:\.\d+)?|\.\d+"
_WORD = rf"\b(?:{'|'.join([*_SMALL, *_SCALES])})\b"
_NUMBER = re.compile(
    r"(?P<sign>(?<![\w.)])[-+]|\b(?:minus|negative)\s+)?"
    rf"(?:(?<![\w.^])(?:(?P<whole>\d+)\s(?=\d+\s?/))?(?P<top>{_DIGITS})(?:\s?/\s?(?P<bottom>{_DIGITS}))?"
    rf"(?:\s(?P<scale>{'|'.join(_SCALES)})\b)?"
    rf"|(?P<words>{_WORD}(?:(?:[\s-]|\sand\s){_WORD})*))"
)
_BOUND_BEFORE = re.compile(
    r"(?:\bat (?:least|most)|\b(?:more|less|fewer|greater|larger|smaller) than|"
    r"\b(?:over|under|above|below|up to)|[<>≤≥]=?)\s?$"
)
_BOUND_AFTER = re.compile(r"\s?(?:\+|or (?:more|fewer|less)\b)|,\d")  # "3,5" is neither a thousand nor a decimal here
_CALCULATION = re.compile(r"\d\s?(?:[×*÷]+|x)\s?\d|\d:\d|/\s?[\d.,]+\s?/")
_PRONOUN_BEFORE = re.compile(r"\b(?:this|that|each|every|another|any|which|no|the(?:\s[a-z]+)?)[\s-]$")  # "the red one"
_LONGEST_LEAD = 40  # characters before a number that can belong to it

_THOUSANDS = re.compile(r"(?<=\d)(?:\{,\}|\\[,;!]|[\u00a0\u2009\u202f'’])(?=\d{3}(?!\d))")
_LATEX_FRACTION = re.compile(r"\\[dt]?frac\s*\{([\d.]+)\}\s*\{([\d.]+)\}")
_LATEX_FRACTION_OF_DIGITS = re.compile(r"\\[dt]?frac\s*(\d)\s*(\d)")  # "\frac12" is a half
_RAISED = re.compile(r"[⁰¹²³⁴-⁹]+")
_LOWERED = re.compile(r"[₀-₉]+")
_VULGAR_FRACTION = re.compile(r"[¼-¾⅐-⅞↉]")
_UNIT_EXPONENT = re.compile(r"(?<=[a-z])\^\d+")
_ORDINAL = re.compile(r"\b\d+(?:st|nd|rd|th)\b")

_ZERO = re.compile(r"(?:there (?:is|are|was|were) )?(?:none|nobody|no[- ]one|nothing)(?: of (?:them|these|those))?")
_DENIAL = re.compile(r"(?:there (?:is|are|was|were) )?no ([a-z]+(?: [a-z]+){0,11})")
_NOBODY_HERE = re.compile(
    r"(?:nobody|no[- ]one) (?:is|was) (?:there|here|visible|present|shown|"
    r"(?:visible |shown )?in (?:the|this) (?:image|picture|photo|scene|video))"
)
_PEOPLE = "people person man men woman women child children kid boy girl adult"
_PEOPLE_WORDS = frozenset(_PEOPLE.split())
_PLACES = "in on at of the a this image picture photo scene video visible here shown seen present"
_PLACE_WORDS = frozenset(_PLACES.split())


def number(answer: str, task: Task) -> float:
    """1 if `answer` names exactly one number and it equals that of a reference.

    Digits (thousands separators, decimals, fractions, "3½", signs, units) and words ("twenty-one", "two dozen") count;
    the same number given twice is one. Two different numbers, bounds ("at least 3", "3-5", "3+") and calculations are
    0. "None" is zero, and so is "no dogs" if the question asks about dogs, and "no one is there" if it asks about
    people.
    """
    given = number_named(answer, task.question)
    references = [number_named(reference, task.question) for reference in task.answers]
    return float(given is not None and any(value is not None and math.isclose(given, value) for value in references))


def number_named(answer: str, question: str = "") -> float | None:
    """The number that `answer` names; None if it names none or several, or if the number is part of something else."""
    text = _readable(answer)
    if _is_zero(text.rstrip(".! "), question):
        return 0.0
    if _CALCULATION.search(text):
        return None
    values: list[float] = []
    for match in _NUMBER.finditer(text):
        before = text[max(0, match.start() - _LONGEST_LEAD) : match.start()]
        if match["words"] == "one" and _PRONOUN_BEFORE.search(before):
            continue
        if _BOUND_BEFORE.search(before) or _BOUND_AFTER.match(text, match.end()):
            return None
        values += _values_of(match)
    if re.search(r"\d", _NUMBER.sub("", text)) or not all(math.isfinite(value) for value in values):
        return None  # digits that are part of a name, such as B2, or a number too large for a float
    values = list(dict.fromkeys(values))
    return values[0] if len(values) == 1 else None


def _readable(answer: str) -> str:
    """`answer` with one spelling for each form of a number. Ordinals and exponents of units ("m²") are left out."""
    text = _LATEX_FRACTION.sub(r" \1/\2 ", _THOUSANDS.sub(",", answer))
    text = _LATEX_FRACTION_OF_DIGITS.sub(r" \1/\2 ", text)
    # Before folding, which would make 3² the number 32 and 3½ the fraction 31/2.
    text = _RAISED.sub(lambda match: "^" + unicodedata.normalize("NFKC", match.group()), text)
    text = _LOWERED.sub(lambda match: "_" + unicodedata.normalize("NFKC", match.group()), text)
    text = _VULGAR_FRACTION.sub(lambda match: " " + unicodedata.normalize("NFKC", match.group()), text)
    text = folded(unwrapped(text)).replace("−", "-").replace("⁄", "/")
    text = _ORDINAL.sub(" ", _UNIT_EXPONENT.sub("", re.sub(r"\.{2,}", " ", text)))
    return re.sub(r"\bhalf (?:a )?dozen\b", "6", text)


def _is_zero(text: str, question: str) -> bool:
    if _ZERO.fullmatch(text):
        return True
    question_words = {_singular(word) for word in re.findall(r"[a-z]+", folded(question))}
    if _NOBODY_HERE.fullmatch(text):
        return not question_words.isdisjoint(_PEOPLE_WORDS)
    denial = _DENIAL.fullmatch(text)
    if denial is None:
        return False
    denied = {_singular(word) for word in denial[1].split() if word not in _PLACE_WORDS}
    return bool(denied) and denied <= question_words  # "no idea" denies nothing that the question is about


def _singular(word: str) -> str:
    return word.removesuffix("s")


def _values_of(match: re.Match[str]) -> list[float]:
    """The value of one match, or several values if its words do not form one number."""
    sign = -1.0 if (match["sign"] or "").startswith(("-", "minus", "negative")) else 1.0
    if match["words"]:
        return [sign * value for value in _values_of_words(re.findall(r"[a-z]+", match["words"]))]
    top, bottom = _float(match["top"]), _float(match["bottom"] or "1")
    if not bottom:
        return [math.nan]
    if match["whole"] and top >= bottom:
        return [_float(match["whole"]), top / bottom]  # "1 5/3" is not a mixed number
    whole = _float(match["whole"] or "0")
    return [sign * (whole + top / bottom) * _SCALES.get(match["scale"] or "", 1)]


def _float(digits: str) -> float:
    return float(digits.replace(",", ""))


def _values_of_words(words: list[str]) -> list[float]:
    """ "three hundred and twenty one" is one value, "five and six" are two."""
    values: list[float] = []
    thousands, rest, last = 0, 0, ""
    for word in words:
        if word == "and":
            last = last if last in _SCALES else "and"
        elif word in ("hundred", "dozen"):
            rest, last = (rest or 1) * _SCALES[word], word
        elif word in _SCALES:
            thousands, rest, last = thousands + (rest or 1) * _SCALES[word], 0, word
        else:
            if last and last not in _SCALES and not (last in _TENS and 0 < _SMALL[word] < 10):
                values.append(float(thousands + rest))
                thousands, rest = 0, 0
            rest, last = rest + _SMALL[word], word
    return [*values, float(thousands + rest)]
