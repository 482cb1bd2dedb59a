r"""An answer's text without its wrapping: LaTeX, Markdown, a lead-in such as "The answer is".

Depends on text; independent of options, numbers and references. Every grader reads an answer through `unwrapped`, and
a reference through `without_markup`: a reference is what its set says, so no words of it are a lead-in.
"""

import re
import unicodedata

from pixel_env.grading.boxed import last_boxed
from pixel_env.grading.patterns import Pattern
from pixel_env.grading.phrases import LEAD_INS, opening
from pixel_env.task import Task

_WRAPPER = Pattern(r"\\(?:text|math|mbox|boxed|fbox|operatorname)[a-z]*\s*\{([^{}]*)\}")
_DEEPEST_WRAPPERS = 8  # `\text{\textbf{...}}` ends somewhere: hostile nesting must not cost a pass per brace
_MATH_DELIMITER = Pattern(r"\\[()\[\]]|\\left(?![a-z])|\\right(?![a-z])|\\,|\\;|\\!|(?<!\\)~")
_EMPTY_FORMULA = Pattern(r"\s*(?:\$\$\s*)+")
_ESCAPED = Pattern(r"\\([%$&#_{}])")
_ANSWER_TAG = Pattern(r"</?answer>", re.IGNORECASE)
_EMPHASIS = Pattern(r"(?<![0-9A-Za-z*])\*{1,3}([^*]+)\*{1,3}(?![0-9A-Za-z*])")  # "是**红色**", but not 2**3
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "「": "」", "$": "$", "_": "_"}

CHINESE = "\u2e80-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
"""Chinese, Japanese and Korean characters, as part of a character class. No space separates them from a letter."""
LEAD_IN = Pattern(opening(LEAD_INS), re.IGNORECASE)
"""Words that announce an answer: "The answer is", "final answer:", "the right option is", "答案是"."""
_ANNOUNCES = Pattern(r"(?:[:=]|\b(?:is|be|ist|lautet|wäre|est|serait|es|sería)|[是为は])[\s.]*\Z")
_OPENING_LEAD_IN = Pattern(rf"\s*(?:(?:so|thus|hence|therefore|ok|okay)\b,?\s*)?(?:{LEAD_IN.pattern})+", re.IGNORECASE)


def unwrapped(answer: str) -> str:
    r"""`answer` without markup and lead-in; case is kept. "" if nothing else is there.

    If the text holds a complete `\boxed{}`, the content of the last one, as in `pixel_env/actions.py`, which recognises
    answers.
    """
    text = without_markup(answer)
    lead_in = _OPENING_LEAD_IN.match(text)
    text = _unquoted(text[lead_in.end() :]) if lead_in else text
    return text if says_something(text) else ""


def without_markup(text: str) -> str:
    r"""`text` without LaTeX, Markdown, answer tags and quotation marks around it; of a text with a box, its content."""
    boxed = last_boxed(text)
    text = text if boxed is None else boxed
    if _EMPTY_FORMULA.fullmatch(text):
        return ""
    text = _EMPHASIS.sub(r"\1", _ANSWER_TAG.sub(" ", text)).replace("`", "").replace("$$", "$")
    for _ in range(_DEEPEST_WRAPPERS):
        text, count = _WRAPPER.subn(r"\1", text)
        if not count:
            break
    return _unquoted(_ESCAPED.sub(r"\1", _MATH_DELIMITER.sub(" ", text)))


def says_something(text: str) -> bool:
    """Whether the text holds a letter, a digit or a symbol such as "+": punctuation and space alone say nothing."""
    return any(unicodedata.category(character)[0] in "LNS" for character in text)


def folded(text: str) -> str:
    """`text` in the form in which texts are compared: NFKC, case folded, runs of white space as one space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def plain(text: str) -> str:
    """`text` folded, without a final full stop, Latin or Chinese."""
    return folded(text).removesuffix(".").removesuffix("。").rstrip()


def exact(answer: str, task: Task) -> float:
    """1 if `answer` equals a reference; case, white space, markup, a final full stop, Unicode variants are ignored.

    A lead-in may stand before the answer, unless it is the answer: "the best choice" is a text like any other.
    """
    return float(not readings(answer).isdisjoint(plain(without_markup(reference)) for reference in task.answers))


def readings(answer: str) -> frozenset[str]:
    """The texts that `answer` may give, `plain`: with its lead-in and without; none if it announces nothing."""
    whole, text = without_markup(answer), unwrapped(answer)
    if not text and _ANNOUNCES.search(folded(whole)):
        return frozenset()
    return frozenset(plain(reading) for reading in (whole, text) if says_something(reading))


def _unquoted(text: str) -> str:
    text = text.strip()
    while len(text) > 2 and _QUOTES.get(text[0]) == text[-1]:
        inner = text[1:-1]
        if text[0] in inner or text[-1] in inner:
            break  # "red" or "blue": two quotations, not one
        text = inner.strip()
    return text
