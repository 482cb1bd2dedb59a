"""Texts of options and of answers in the one form in which they are compared.

"four" and "4", "$1,000" and "$1000", "2 meters" and "2 m", "bottom-left" and "bottom left" are the same there. Texts
are folded, so upper case never decides. Depends on text; independent of what an answer says about an option.
"""

import re
import unicodedata
from functools import lru_cache

from pixel_env.grading.answers import CHINESE
from pixel_env.grading.number_words import ENGLISH_VALUES
from pixel_env.grading.patterns import Pattern
from pixel_env.grading.phrases import FUNCTION_WORDS, one_of
from pixel_env.grading.verdict_phrases import IS_DENIED_AFTER, IS_RIGHT

PLACEHOLDER = "\ue000"
"""Replaces an option's text; a private-use character, so no answer contains it."""
_LINE_END = "\ue001"
_PRIVATE = Pattern(f"[{PLACEHOLDER}{_LINE_END}]")
# A line break behind a space is a space: how a text was wrapped must not count.
_LINE_BREAK = Pattern(r"(?<=\S)\r?\n\s*")
_SIGNS = str.maketrans("[{【〔「『《<]}】〕」』》>。、’‘“”", "((((((((" + "))))))))" + ".,''\"\"")
_BULLET = Pattern(r"(?:(?<=\n)|\A)(?:[-*•>]|#{1,6})\s+(?=\(?[a-z](?!\w))")
_ARROW = Pattern(r"[-=]{1,4}>|[→⇒➜]")
_QUOTED_LETTER = Pattern(r"(?<!\w)(['\"$])([a-z])\1(?!\w)")
# "b.blue", but not "a.m."
_LABEL = Pattern(
    r"(?:(?<=\n)|\A)(?:\(([a-z])\)(?=[.:])|([a-z])(?:(?=[.:])|\)))(?![.:][a-z][.\s]|[.:][a-z]\Z|\.\s?m\b)(?P<sign>[.:]?)\s*"
)
_LONE_LETTER = Pattern(r"\A([a-z])(?=\n)")
_OPTION_LABEL = Pattern(r"\(?([a-z])(?:\)[.:]?|[.:])\s*")
_CHINESE_AND_LATIN = Pattern(rf"(?<=[{CHINESE}])(?=[a-z0-9])|(?<=[a-z0-9])(?=[{CHINESE}])")
_ARTICLE = Pattern(r"(?:an?|the)\s+(?=\S)")

_THOUSANDS = Pattern(r"(?<=\d),(?=\d{3}(?!\d))")
_HYPHEN = Pattern(r"(?<=[a-z]{2})-(?=[a-z]{2})")
_UNITS = {
    "m": "meters?|metres?",
    "cm": "centimet(?:er|re)s?",
    "mm": "millimet(?:er|re)s?",
    "km": "kilomet(?:er|re)s?",
    "kg": "kilograms?|kilos?",
    "g": "grams?",
    "l": "lit(?:er|re)s?",
    "s": "seconds?|secs?",
    "min": "minutes?|mins?",
    "h": "hours?|hrs?",
    "ft": "feet|foot",
    "in": "inch(?:es)?",
    "%": "percent|per cent",
    "°c": "degrees? celsius",
    "km/h": "kmh|kph|kilomet(?:er|re)s? per hour",
    "mph": "miles? per hour",
}
_UNIT = Pattern(
    r"(?<=\d)\s?(?:"
    + "|".join(f"(?P<u{i}>(?:{re.escape(unit)}|{words})(?!\\w))" for i, (unit, words) in enumerate(_UNITS.items()))
    + ")"
)
_UNIT_NAMES = tuple(_UNITS)
_NUMBER_WORD = Pattern(rf"(?<![\w-])(?:{'|'.join(set(ENGLISH_VALUES) - {'one'})})(?![\w-])")
_VERDICT = Pattern(rf"{one_of(IS_RIGHT)}|{one_of(IS_DENIED_AFTER)}")
_JUDGED = Pattern(
    r"(?<![\w'])[a-z]\)?\s+(?:is|are|was|looks|seems|must be|isn't|cannot be|can't be)\s+"
    r"(?:(?:not|also|clearly|definitely|indeed|the)\s+)*\Z"
)
_ANSWER_WORD = Pattern(r"\s+(?:answers?|options?|choices?|one|letter)\b|\s+with\s+(?:\w+\s+)?\(?[a-z](?!\w)")
_LONGEST_LEAD = 40
_FUNCTION_WORD = Pattern(one_of(FUNCTION_WORDS))


def comparable(text: str) -> str:
    """`text`, whose markup is removed, in the form in which options are looked for; "\\n" ends a line."""
    text = _LINE_BREAK.sub(_LINE_END, _PRIVATE.sub(" ", text)).replace("。", ". ")
    text = " ".join(unicodedata.normalize("NFKC", text).casefold().split()).replace(_LINE_END, "\n")
    text = _BULLET.sub("", _ARROW.sub("→", text)).translate(_SIGNS)
    text = _CHINESE_AND_LATIN.sub(" ", _QUOTED_LETTER.sub(r"(\2)", text))
    return _LONE_LETTER.sub(r"(\1)", _LABEL.sub(_label, _with_digits(text)))


def _label(match: re.Match[str]) -> str:
    return f"({match[1] or match[2]}){match['sign']} "


def _with_digits(text: str) -> str:
    """`text` with one spelling for numbers and units. "one" stays: it may stand for a thing ("the red one")."""
    text = _NUMBER_WORD.sub(lambda match: str(ENGLISH_VALUES[match.group()]), _HYPHEN.sub(" ", text))
    return _UNIT.sub(_unit, _THOUSANDS.sub("", text))


def _unit(match: re.Match[str]) -> str:
    name = _UNIT_NAMES[int((match.lastgroup or "u0")[1:])]
    return name if name == "%" else f" {name}"


def letter_index(text: str) -> int | None:
    """The index of the option with this letter; None if the text is not one letter."""
    return ord(text) - ord("a") if len(text) == 1 and "a" <= text <= "z" else None


@lru_cache(maxsize=256)
def texts_of(options: tuple[str, ...]) -> tuple[str, ...]:
    """The comparable text of each option, without the labels if *all* options have one ("(A) cat", "(B) dog")."""
    texts = [_end_cut(comparable(option)) for option in options]
    labels = [_OPTION_LABEL.match(text) for text in texts]
    if all(label and letter_index(label[1]) == index for index, label in enumerate(labels)):
        texts = [text[label.end() :] for text, label in zip(texts, labels, strict=True) if label]
    return tuple(texts)


def option_that_reads(text: str, texts: tuple[str, ...]) -> int | None:
    """The option whose text is all of `text`, up to a leading article and a final full stop."""
    text = _end_cut(text)
    if text and text in texts:
        return texts.index(text)
    bare = _bare(text)
    equal = [index for index, option in enumerate(texts) if bare and _bare(option) == bare]
    return equal[0] if len({texts[index] for index in equal}) == 1 else None


def option_that_contains(text: str, texts: tuple[str, ...]) -> int | None:
    """The only option in which all of `text` stands, as whole words: "left" in "on the left side of the dog"."""
    text = _bare(_end_cut(text))
    if len(text) < 2 and not text.isdigit() and not re.match(f"[{CHINESE}]", text):
        return None
    if not re.search(r"\w", _FUNCTION_WORD.sub("", text)):
        return None
    words = whole_words((text,))
    holding = [index for index, option in enumerate(texts) if words.search(_bare(option))]
    return holding[0] if len({texts[index] for index in holding}) == 1 else None


def with_placeholders(text: str, texts: tuple[str, ...]) -> tuple[str, list[int]]:
    """`text` with a placeholder for each option's text in it, and the options that they replace, in order."""
    pattern = _pattern(texts)
    if pattern is None:
        return text, []
    pieces, found, place = [], [], 0
    for match in pattern.finditer(text):
        if not _is_verdict(text, match):
            pieces += [text[place : match.start()], PLACEHOLDER]
            found.append(texts.index(match.group().replace("\n", " ")))
            place = match.end()
    return "".join([*pieces, text[place:]]), found


def _is_verdict(text: str, match: re.Match[str]) -> bool:
    """Whether the words judge an answer and name no option: "B is right", where an option reads "right"."""
    if not _VERDICT.fullmatch(match.group()):
        return False
    lead = text[max(0, match.start() - _LONGEST_LEAD) : match.start()]
    return bool(_JUDGED.search(lead) or _ANSWER_WORD.match(text, match.end()))


@lru_cache(maxsize=256)
def _pattern(texts: tuple[str, ...]) -> re.Pattern[str] | None:
    """Matches options' texts as whole words, the longest first. A text that is the letter of an option is left out."""
    listed = {text for text in texts if text and "\n" not in text and not _is_letter_of(text, texts)}
    return whole_words(tuple(sorted(listed, key=lambda text: (-len(text), text)))) if listed else None


def whole_words(texts: tuple[str, ...]) -> re.Pattern[str]:
    """Matches any of the texts, the first that fits, where it is not a part of a longer word or number."""
    return re.compile("|".join(map(_as_words, texts)))


def _as_words(text: str) -> str:
    # Chinese and Japanese have no spaces: the text may stand within other characters.
    before = "" if re.match(f"[{CHINESE}]", text[0]) else r"(?<!\w)(?<![0-9][.,])"
    after = "" if re.match(f"[{CHINESE}]", text[-1]) else r"(?!\w)(?![.,][0-9])"
    return before + re.escape(text).replace(r"\ ", r"[ \n]") + after


def _is_letter_of(text: str, texts: tuple[str, ...]) -> bool:
    index = letter_index(text)
    return index is not None and index < len(texts)


def _end_cut(text: str) -> str:
    return text.removesuffix(".").rstrip()


def _bare(text: str) -> str:
    return re.sub(r"\bone\b", "1", _ARTICLE.sub("", text.replace("\n", " "), count=1) if _ARTICLE.match(text) else text)
