"""Other spellings of a detail: a text with its numbers in digits, its spelled words joined and its accents removed.

Pure functions of a text. Depends on the graders' number words and numerals; independent of tasks and of what a text
may say.
"""

import re
import unicodedata

from pixel_env.grading.answers import folded
from pixel_env.grading.cjk_numerals import cjk_numbers, value_of
from pixel_env.grading.counts import number_named
from pixel_env.grading.number_words import ENGLISH_NUMBER_WORD, LANGUAGES, languages_of, word_runs

_ROMAN = re.compile(r"(?<![\w'’.-])(?:[IVX]{2,}|[ivx]{2,}|[VX])(?![\w'’-])")
_ROMAN_VALUES = {"i": 1, "v": 5, "x": 10}
_SPELLED_OUT = re.compile(r"(?<![\w'’-])[^\W\d_](?:([-. ·_])[^\W\d_])(?:\1[^\W\d_])+(?![\w'’])")
_GROUPS = {"pair": 2, "couple": 2, "duo": 2, "trio": 3, "threesome": 3, "quartet": 4, "foursome": 4}
_GROUP = re.compile(rf"\ba ({'|'.join(_GROUPS)}) of\b")
_NUMBER = rf"(?:\d+|{ENGLISH_NUMBER_WORD})"
_CALCULATION = re.compile(rf"(?<![\w.])({_NUMBER})\s*(\+|plus|minus|times|×)\s*({_NUMBER})(?![\w.]*\d)")
_CJK_AT_THE_END = re.compile(r"(?<=[\u3400-\u9fff\u3040-\u30ff])([〇零一二两三四五六七八九十]+)(?=\W|$)")
_ENGLISH = re.compile(rf"(?:(?:{ENGLISH_NUMBER_WORD})[\s-]*)+")
_LETTERS = re.compile(r"[^\W\d_]+")
_FOREIGN = frozenset(
    word for language in LANGUAGES[1:] for words in (*language.phrases, tuple(language.scales)) for word in words
)
_DECORATIONS = re.compile(r"[\ufe0f\u20e3]")


def plainly_spelled(text: str) -> str:
    """`text` folded, with one spelling: digits for numbers, "red" for "r-e-d", "a" for "á".

    Numbers are those in German, French, Spanish, Chinese and Japanese words, Roman numerals, signs such as a circled
    digit, small groups ("a pair of") and calculations ("2 plus 1").
    """
    text = "".join(map(_sign, ["", *text], text)) if not text.isascii() else text
    text = _SPELLED_OUT.sub(lambda match: match.group().replace(match[1], ""), _DECORATIONS.sub("", text))
    text = _in_digits(folded(_ROMAN.sub(_roman, text)))
    text = _GROUP.sub(lambda match: f"{_GROUPS[match[1]]} of", text)
    return without_accents(_CALCULATION.sub(_result, text))


def without_accents(text: str) -> str:
    """`text` with plain letters in place of accented ones."""
    if text.isascii():
        return text
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


def _sign(before: str, char: str) -> str:
    """The digits of a sign such as a circled digit; a raised one behind a letter is an exponent."""
    if unicodedata.category(char) not in ("No", "Nl") or before.isalnum():
        return char
    value = unicodedata.numeric(char, None)
    return f" {int(value)} " if value is not None and value == int(value) else char


def _roman(match: re.Match[str]) -> str:
    values = [_ROMAN_VALUES[char] for char in match.group().casefold()]
    signs = [-1 if value < after else 1 for value, after in zip(values, [*values[1:], 0], strict=True)]
    return str(sum(sign * value for sign, value in zip(signs, values, strict=True)))


def _in_digits(text: str) -> str:
    """The folded text with digits in place of number words of other languages."""
    found: dict[tuple[int, int], tuple[float, ...]] = {}
    if not _FOREIGN.isdisjoint(_LETTERS.findall(text)) or any(
        one.thousand in text for one in LANGUAGES if one.thousand
    ):
        found = {(run.start, run.end): run.values for run in word_runs(text, languages_of(text))}
    found |= {(start, end): (value,) for start, end, value in cjk_numbers(text) if value is not None}
    found |= {
        match.span(1): (value,) for match in _CJK_AT_THE_END.finditer(text) if (value := value_of(match[1])) is not None
    }
    for (start, end), values in sorted(found.items(), reverse=True):
        if not _ENGLISH.fullmatch(text, start, end):
            text = f"{text[:start]} {' '.join(f'{value:g}' for value in values)} {text[end:]}"
    return folded(text)


def _result(match: re.Match[str]) -> str:
    first, second = number_named(match[1]), number_named(match[3])
    if first is None or second is None:
        return match.group()
    match match[2]:
        case "minus":
            value = first - second
        case "times" | "×":
            value = first * second
        case _:
            value = first + second
    return f"{value:g}"
