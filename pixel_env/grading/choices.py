"""Which options of a question an answer names: by letter, by text, or by both.

Knows options and text; nothing of episodes. Everything is compared folded, so upper case never decides, not even
between the letter "A" and the article: what stands around it does.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from pixel_env.grading.answers import LEAD_IN, folded, unwrapped
from pixel_env.types import Task

_BRACKETS = str.maketrans("[{【〔「『《<]}】〕」』》>", "((((((((" + "))))))))")
_QUOTED_LETTER = re.compile(r"(?<!\w)['\"‘’“”]([a-z])['\"‘’“”](?!\w)")
_OWN_LABEL = re.compile(r"\(?([a-z])(?:\)[.:]?|[.:])\s*")
_LEADING_LABEL = re.compile(r"\(?([a-z])[.:)](?![a-z][.\s]|[a-z]$)")  # "b.blue", but not "a.m."
_ARTICLE = re.compile(r"(?:an?|the)\s+(?=\S)")
_MARK = "\ue000"  # stands where an option's text was; of private use, so no text means it
_MENTION = re.compile(rf"{_MARK}|(?<![\w'’.°-])[a-z](?![\w'’-]|\.\w)")
# "a" and "i" are letters before these and behind these words; elsewhere they are the article and the pronoun.
_AFTER_A_LETTER = re.compile(r"\s*(?:$|[().,:;!?/&+=|–—-]|(?:or|and|is|was|because|since|as|but)\b)")
_BEFORE_A_LETTER = re.compile(r"\b(?:option|choice|letter)\s+$")
_DENIED = re.compile(
    r"(?:\bnot|\bcannot|n['’]t|\bneither|\bnor|\bnever|\bexcept|\brather than|\binstead of)(?:\s+be)?\s+"
    r"(?:(?:an?|the)\s+)?(?:(?:option|choice|letter|answer)\s+)?\(?$"
)
_LONGEST_LEAD = 60  # characters before a mention that can belong to it


def choice(answer: str, task: Task) -> float:
    r"""1 if `answer` names the right option and no other.

    It may do so by letter ("B", "(B) red", "\boxed{B}", "the answer is B"), by the option's whole text ("red", "It is
    red."), or by both. A reference is an option's text or, if no option reads so, its letter. An answer that is nothing
    but a letter is read as the letter, even if an option's text is one too, because letters are what the question
    shows. Of texts that contain one another the longest counts: "dark red" does not name "red". Everything else is 0,
    an option that is denied ("not B") included.
    """
    named = options_named(answer, task.options)
    return float(len(named) == 1 and any(named == option_meant(text, task.options) for text in task.answers))


def options_named(answer: str, options: Sequence[str]) -> frozenset[int]:
    """The places (from 0) of the options that `answer` names. Of options with equal texts, the first stands for all."""
    texts = _texts(tuple(options))
    text = _comparable(answer)
    place = _place(text.strip(" ().,:;!?"))
    if place is not None and place < len(texts):
        return frozenset({texts.index(texts[place])})
    whole = _option_that_reads(text, texts)
    return _mentioned(text, texts) if whole is None else frozenset({whole})


def option_meant(reference: str, options: Sequence[str]) -> frozenset[int]:
    """The option that a task's `reference` stands for, by its text before its letter; none if it names not just one."""
    whole = _option_that_reads(_comparable(reference), _texts(tuple(options)))
    named = options_named(reference, options) if whole is None else frozenset({whole})
    return named if len(named) == 1 else frozenset()


def _comparable(text: str) -> str:
    return _QUOTED_LETTER.sub(r"(\1)", folded(unwrapped(text)).translate(_BRACKETS)).replace(_MARK, " ")


def _place(text: str) -> int | None:
    """The place that a letter stands for."""
    return ord(text) - ord("a") if len(text) == 1 and "a" <= text <= "z" else None


@lru_cache(maxsize=256)
def _texts(options: tuple[str, ...]) -> tuple[str, ...]:
    """What each option says; labels that *all* options carry ("(A) cat", "(B) dog") are no part of it."""
    texts = [_comparable(option).removesuffix(".").rstrip() for option in options]
    labels = [_OWN_LABEL.match(text) for text in texts]
    if all(label and _place(label[1]) == place for place, label in enumerate(labels)):
        texts = [text[label.end() :] for text, label in zip(texts, labels, strict=True) if label]
    return tuple(texts)


def _option_that_reads(text: str, texts: tuple[str, ...]) -> int | None:
    """The option whose text is all of `text`, up to a leading article and a final full stop."""
    text = text.removesuffix(".").rstrip()
    if text and text in texts:
        return texts.index(text)
    bare = [_ARTICLE.sub("", option, count=1) if _ARTICLE.match(option) else option for option in (text, *texts)]
    return bare.index(bare[0], 1) - 1 if bare[0] and bare.count(bare[0]) == 2 else None


def _mentioned(text: str, texts: tuple[str, ...]) -> frozenset[int]:
    """The options that `text` mentions somewhere; none if it denies one."""
    marked, by_text = _with_marks(LEAD_IN.sub(" ", text), texts)
    places = set()
    label = _LEADING_LABEL.match(marked)
    if label:
        places.add(_place(label[1]))
    for found in _MENTION.finditer(marked):
        before = marked[max(0, found.start() - _LONGEST_LEAD) : found.start()]
        if found.group() == _MARK:
            place: int | None = by_text.pop(0)
        else:
            place = _place(found.group()) if _is_letter(marked, found, before) else None
        if place is not None and place < len(texts) and _DENIED.search(before):
            return frozenset()
        places.add(place)
    return frozenset(texts.index(texts[place]) for place in places if place is not None and place < len(texts))


def _with_marks(text: str, texts: tuple[str, ...]) -> tuple[str, list[int]]:
    """`text` with a mark for each option's text in it, and the options that the marks stand for, in order."""
    pattern = _pattern(texts)
    if pattern is None:
        return text, []
    return pattern.sub(_MARK, text), [texts.index(found.group()) for found in pattern.finditer(text)]


@lru_cache(maxsize=256)
def _pattern(texts: tuple[str, ...]) -> re.Pattern[str] | None:
    """Finds options' texts as whole words, the longest of several first. A text that reads as a letter is left out."""
    longest_first = sorted(
        {text for text in texts if text and not _is_letter_of(text, texts)}, key=lambda t: (-len(t), t)
    )
    if not longest_first:
        return None
    listed = "|".join(re.escape(text) for text in longest_first)
    return re.compile(rf"(?<!\w)(?<![0-9][.,])(?:{listed})(?!\w)(?![.,][0-9])")


def _is_letter_of(text: str, texts: tuple[str, ...]) -> bool:
    place = _place(text)
    return place is not None and place < len(texts)


def _is_letter(text: str, found: re.Match[str], before: str) -> bool:
    if found.group() not in "ai":
        return True
    return bool(_AFTER_A_LETTER.match(text, found.end()) or _BEFORE_A_LETTER.search(before))
