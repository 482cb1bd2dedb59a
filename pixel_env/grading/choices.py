"""Which options of a question an answer names: by letter, by text, or by both.

Knows options and text; nothing of episodes. Everything is compared folded, so upper case never decides, not even
between the letter "A" and the article: what stands around it does.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pixel_env.grading.answers import CHINESE, LEAD_IN, folded, unwrapped
from pixel_env.task import Task

_SIGNS = str.maketrans("[{【〔「『《<]}】〕」』》>。、", "((((((((" + "))))))))" + ".,")
_QUOTED_LETTER = re.compile(r"(?<!\w)['\"‘’“”]([a-z])['\"‘’“”](?!\w)")
_OWN_LABEL = re.compile(r"\(?([a-z])(?:\)[.:]?|[.:])\s*")
_LEADING_LABEL = re.compile(r"\(?([a-z])[.:)](?![a-z][.\s]|[a-z]$)")  # "b.blue", but not "a.m."
_ARTICLE = re.compile(r"(?:an?|the)\s+(?=\S)")
_MARK = "\ue000"  # stands where an option's text was; of private use, so no text means it
_MENTION = re.compile(rf"{_MARK}|(?<![\w'’.°-])[a-z](?![\w'’-]|\.\w)")
# "a" and "i" are letters before these and behind these words; elsewhere they are the article and the pronoun.
_AFTER_A_LETTER = re.compile(rf"\s*(?:$|[().,:;!?/&+=|–—{CHINESE}-]|(?:or|and|is|was|because|since|as|but)\b)")
_BEFORE_A_LETTER = re.compile(r"\b(?:option|choice|letter)\s+$")
_DENIED = re.compile(
    r"(?:\bnot|\bcannot|n['’]t|\bneither|\bnor|\bnever|\bexcept|\brather than|\binstead of)(?:\s+be)?\s+"
    r"(?:(?:an?|the)\s+)?(?:(?:option|choice|letter|answer)\s+)?\(?$|(?:不[是选为]|并非|而非|除了?)\s*\(?$"
)
_CHINESE_AND_LATIN = re.compile(rf"(?<=[{CHINESE}])(?=[a-z0-9])|(?<=[a-z0-9])(?=[{CHINESE}])")
_LETTER_IN_A_LINE_OF_ITS_OWN = re.compile(r"\A([A-Za-z])(?=\r?\n)")
# A letter with a sign of its own is a label; one without is told by words that only a reason or a denial begins with.
_OPENING = re.compile(
    r"(?:(?:option|choice|letter)\s+)?(?:\(([a-z])\)[.:]?|([a-z])[.:)](?![a-z][.\s]|[a-z]$)|"
    r"([a-z])(?=\s*,?\s*(?:(?:and|but)\s+)?(?:rather than|instead of|because|since|explanation|reason|reasoning)\b|"
    r"\s*[,;(–—-]\s*(?:(?:and|but)\s+)?(?:not\b|不)|\s+(?:(?:and|but)\s+)?not\s+\(?[a-z](?![\w'’])|"
    r"\s+is\s+(?:the\s+)?(?:right|correct|best|answer)\b))"
)
_JUDGED = re.compile(
    r"\)?\s*(?:is|was|looks?|seems?|can|could|may|might|would|does|shows?|has|cannot|can['’]t|isn['’]t|doesn['’]t)\b"
    r"(?!\s+(?:also\s+)?(?:the\s+)?(?:right|correct|best|true|better|answer)\b)"
)
_JOINED = re.compile(r"[\s,;.)]*(?:(?:or|and|nor|then)(?![\w'’]|\s+not\b)|[/&+|=?或和及])")
_TAKEN_BACK = re.compile(
    r"\b(?:wait|actually|correction|sorry|i mean|or rather|on second thought|scratch that)\b|"
    r"\bno\s*[,.:;!—–-]|\bno\s+(?:it|its|it['’]s|the answer)\b"
)
_CONCLUDES = re.compile(
    r"(?:\b(?:so|therefore|thus|hence|maybe|perhaps|possibly|alternatively|(?:could|may|might)(?:\s+also)?\s+be)\b"
    rf"|{LEAD_IN.pattern})[\s,:]*(?:(?:an?|the|option|choice)\s+)?\(?$"
)
_FOUND_RIGHT = re.compile(r"\)?\s+(?:is|was)\s+(?:also\s+|the\s+)*(?:right|correct|best|true|better|answer)\b")
_AT_ONCE = re.compile(r"(?:(?:it['’]s|(?:it|this|that|they|there)\s+(?:is|are|was|were))\s+)?(?:(?:an?|the)\s+)?\(?")
_OR = re.compile(r"\bor\s+\(?$")
_LONGEST_LEAD = 60  # characters before a mention that can belong to it


@dataclass(frozen=True, slots=True)
class _Mention:
    """A letter or an option's text that stands in a text; `before`: what stands before it."""

    place: int
    start: int
    end: int
    before: str

    @property
    def is_denied(self) -> bool:
        return _DENIED.search(self.before) is not None


def choice(answer: str, task: Task) -> float:
    r"""1 if `answer` names the right option and no other.

    It may do so by letter ("B", "(B) red", "\boxed{B}", "the answer is B"), by the option's whole text ("red", "It is
    red."), or by both. A reference is an option's text or, if no option reads so, its letter. An answer that is nothing
    but a letter is read as the letter, even if an option's text is one too, because letters are what the question
    shows. A label that opens the answer decides, and what follows explains it ("A, not B", "C. 3 (1 and 2)"), unless it
    gives another answer. Of texts that contain one another the longest counts: "dark red" does not name "red".
    Everything else is 0, an option that is denied ("not B") included.
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
    if whole is not None:
        return frozenset({whole})
    opened = _opened_with(text, texts)
    return _mentioned(text, texts) if opened is None else opened


def option_meant(reference: str, options: Sequence[str]) -> frozenset[int]:
    """The option that a task's `reference` stands for, by its text before its letter; none if it names not just one."""
    whole = _option_that_reads(_comparable(reference), _texts(tuple(options)))
    named = options_named(reference, options) if whole is None else frozenset({whole})
    return named if len(named) == 1 else frozenset()


def _comparable(text: str) -> str:
    text = folded(_LETTER_IN_A_LINE_OF_ITS_OWN.sub(r"\1.", unwrapped(text))).translate(_SIGNS)
    return _CHINESE_AND_LATIN.sub(" ", _QUOTED_LETTER.sub(r"(\1)", text)).replace(_MARK, " ")


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


def _opened_with(text: str, texts: tuple[str, ...]) -> frozenset[int] | None:
    """The option whose label `text` opens with, if what follows explains it; none if that gives another answer too.

    None where no label opens the text, or where it is judged ("(A) is wrong") or joined to another ("A. or B.").
    """
    label = _OPENING.match(text)
    place = _place(label[label.lastindex or 0]) if label else None
    if label is None or place is None or place >= len(texts):
        return None
    own = texts.index(texts[place])
    rest, by_text = _with_marks(text[label.end() :], texts)
    begin = _behind_signs(rest, 0)
    says_its_text = rest.startswith(_MARK, begin) and by_text[0] == own
    if _JUDGED.match(rest) or _JOINED.match(rest, begin + 1 if says_its_text else 0):
        return None
    begin = _behind_signs(rest, begin + 1) if says_its_text else begin
    # "3 (1 on the left and 2 on the right)": behind the label's own text, a text in brackets is a part of the reason.
    is_remark = says_its_text and rest.startswith("(", begin) and rest.startswith(_MARK, begin + 1)
    others = [one for one in _mentions(rest, by_text) if one.place < len(texts) and texts[one.place] != texts[own]]
    said = [one for one in others if not one.is_denied]
    is_taken_back = bool(said) and _TAKEN_BACK.search(rest) is not None
    is_choice = said == others and any(_OR.search(one.before) for one in said)
    answers_again = any(_is_answer(one, rest, len(rest) if is_remark else begin) for one in said)
    return frozenset() if is_taken_back or is_choice or answers_again else frozenset({own})


def _behind_signs(text: str, start: int) -> int:
    return len(text) - len(text[start:].lstrip(" .,:;–—-"))


def _is_answer(mention: _Mention, rest: str, begin: int) -> bool:
    """Whether an option that is mentioned behind a label is given as an answer, not in an explanation of the label."""
    is_text = rest[mention.start] == _MARK
    opening = _AT_ONCE.match(rest, begin)
    comes_at_once = opening is not None and opening.end() == mention.start
    if comes_at_once and (is_text or not _JUDGED.match(rest, mention.end)):
        return True
    is_found_right = not is_text and _FOUND_RIGHT.match(rest, mention.end)
    return bool(is_found_right or _CONCLUDES.search(mention.before))


def _mentioned(text: str, texts: tuple[str, ...]) -> frozenset[int]:
    """The options that `text` mentions somewhere; none if it denies one."""
    marked, by_text = _with_marks(LEAD_IN.sub(" ", text), texts)
    label = _LEADING_LABEL.match(marked)
    places = {_place(label[1])} if label else set()
    for mention in _mentions(marked, by_text):
        if mention.place < len(texts) and mention.is_denied:
            return frozenset()
        places.add(mention.place)
    return frozenset(texts.index(texts[place]) for place in places if place is not None and place < len(texts))


def _mentions(marked: str, by_text: Sequence[int]) -> Iterator[_Mention]:
    """What a text with marks mentions, in order. `by_text`: the options that its marks stand for."""
    texts = iter(by_text)
    for found in _MENTION.finditer(marked):
        before = marked[max(0, found.start() - _LONGEST_LEAD) : found.start()]
        if found.group() == _MARK:
            place: int | None = next(texts)
        else:
            place = _place(found.group()) if _is_letter(marked, found, before) else None
        if place is not None:
            yield _Mention(place, found.start(), found.end(), before)


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
