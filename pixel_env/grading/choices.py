"""Which options of a question an answer names: by letter, by text, or by both.

Depends on options and text; independent of episodes. Texts are compared folded, so upper case never decides, not even
between the letter "A" and the article: the words around it decide.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pixel_env.grading.answers import CHINESE, LEAD_IN, folded, unwrapped
from pixel_env.task import Task

_SIGNS = str.maketrans("[{【〔「『《<]}】〕」』》>。、", "((((((((" + "))))))))" + ".,")
_QUOTED_LETTER = re.compile(r"(?<!\w)['\"‘’“”]([a-z])['\"‘’“”](?!\w)")
_OPTION_LABEL = re.compile(r"\(?([a-z])(?:\)[.:]?|[.:])\s*")
_LEADING_LABEL = re.compile(r"\(?([a-z])[.:)](?![a-z][.\s]|[a-z]$)")  # "b.blue", but not "a.m."
_ARTICLE = re.compile(r"(?:an?|the)\s+(?=\S)")
_PLACEHOLDER = "\ue000"  # replaces an option's text; a private-use character, so no answer contains it
_MENTION = re.compile(rf"{_PLACEHOLDER}|(?<![\w'’.°-])[a-z](?![\w'’-]|\.\w)")
# "a" and "i" are letters before and after these words; elsewhere they are the article and the pronoun.
_AFTER_A_LETTER = re.compile(rf"\s*(?:$|[().,:;!?/&+=|–—{CHINESE}-]|(?:or|and|is|was|because|since|as|but)\b)")
_BEFORE_A_LETTER = re.compile(r"\b(?:option|choice|letter)\s+$")
_DENIED = re.compile(
    r"(?:\bnot|\bcannot|n['’]t|\bneither|\bnor|\bnever|\bexcept|\brather than|\binstead of)(?:\s+be)?\s+"
    r"(?:(?:an?|the)\s+)?(?:(?:option|choice|letter|answer)\s+)?\(?$|(?:不[是选为]|并非|而非|除了?)\s*\(?$"
)
_CHINESE_AND_LATIN = re.compile(rf"(?<=[{CHINESE}])(?=[a-z0-9])|(?<=[a-z0-9])(?=[{CHINESE}])")
_LETTER_ON_FIRST_LINE = re.compile(r"\A([A-Za-z])(?=\r?\n)")
# A letter followed by punctuation is a label; without it, a label is recognised by the words of a reason or a denial.
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
_RETRACTED = re.compile(
    r"\b(?:wait|actually|correction|sorry|i mean|or rather|on second thought|scratch that)\b|"
    r"\bno\s*[,.:;!—–-]|\bno\s+(?:it|its|it['’]s|the answer)\b"
)
_CONCLUDES = re.compile(
    r"(?:\b(?:so|therefore|thus|hence|maybe|perhaps|possibly|alternatively|(?:could|may|might)(?:\s+also)?\s+be)\b"
    rf"|{LEAD_IN.pattern})[\s,:]*(?:(?:an?|the|option|choice)\s+)?\(?$"
)
_JUDGED_RIGHT = re.compile(r"\)?\s+(?:is|was)\s+(?:also\s+|the\s+)*(?:right|correct|best|true|better|answer)\b")
_AT_ONCE = re.compile(r"(?:(?:it['’]s|(?:it|this|that|they|there)\s+(?:is|are|was|were))\s+)?(?:(?:an?|the)\s+)?\(?")
_OR = re.compile(r"\bor\s+\(?$")
_LONGEST_LEAD = 60  # characters before a mention that can belong to it


@dataclass(frozen=True, slots=True)
class _Mention:
    """A letter or an option's text within a text; `index`: the option; `before`: the text before it."""

    index: int
    start: int
    end: int
    before: str

    @property
    def is_denied(self) -> bool:
        return _DENIED.search(self.before) is not None


def choice(answer: str, task: Task) -> float:
    r"""1 if `answer` names the right option and no other.

    An answer may name an option by letter ("B", "(B) red", "\boxed{B}", "the answer is B"), by the option's whole text
    ("red", "It is red."), or by both. A reference is an option's text or, if no option has that text, its letter. An
    answer that is only a letter is read as the letter, even if an option's text is a letter too, because the question
    shows letters. A label that opens the answer decides, and what follows explains it ("A, not B", "C. 3 (1 and 2)"),
    unless it gives another answer. If option texts contain each other, the longest counts: "dark red" does not name
    "red". Everything else is 0, including an option that is denied ("not B").
    """
    named = options_named(answer, task.options)
    return float(len(named) == 1 and any(named == option_meant(text, task.options) for text in task.answers))


def options_named(answer: str, options: Sequence[str]) -> frozenset[int]:
    """The indices (from 0) of the options that `answer` names. Of equal options, the first represents all."""
    texts = _texts(tuple(options))
    text = _comparable(answer)
    index = _index_of_letter(text.strip(" ().,:;!?"))
    if index is not None and index < len(texts):
        return frozenset({texts.index(texts[index])})
    whole = _option_that_reads(text, texts)
    if whole is not None:
        return frozenset({whole})
    opened = _named_by_opening_label(text, texts)
    return _mentioned(text, texts) if opened is None else opened


def option_meant(reference: str, options: Sequence[str]) -> frozenset[int]:
    """The option that a task's `reference` means, by its text, else by its letter; empty unless it is exactly one."""
    whole = _option_that_reads(_comparable(reference), _texts(tuple(options)))
    named = options_named(reference, options) if whole is None else frozenset({whole})
    return named if len(named) == 1 else frozenset()


def _comparable(text: str) -> str:
    text = folded(_LETTER_ON_FIRST_LINE.sub(r"\1.", unwrapped(text))).translate(_SIGNS)
    return _CHINESE_AND_LATIN.sub(" ", _QUOTED_LETTER.sub(r"(\1)", text)).replace(_PLACEHOLDER, " ")


def _index_of_letter(text: str) -> int | None:
    """The index of the option with this letter; None if the text is not one letter."""
    return ord(text) - ord("a") if len(text) == 1 and "a" <= text <= "z" else None


@lru_cache(maxsize=256)
def _texts(options: tuple[str, ...]) -> tuple[str, ...]:
    """The text of each option, without the labels if *all* options have one ("(A) cat", "(B) dog")."""
    texts = [_comparable(option).removesuffix(".").rstrip() for option in options]
    labels = [_OPTION_LABEL.match(text) for text in texts]
    if all(label and _index_of_letter(label[1]) == index for index, label in enumerate(labels)):
        texts = [text[label.end() :] for text, label in zip(texts, labels, strict=True) if label]
    return tuple(texts)


def _option_that_reads(text: str, texts: tuple[str, ...]) -> int | None:
    """The option whose text is all of `text`, up to a leading article and a final full stop."""
    text = text.removesuffix(".").rstrip()
    if text and text in texts:
        return texts.index(text)
    bare = [_ARTICLE.sub("", option, count=1) if _ARTICLE.match(option) else option for option in (text, *texts)]
    return bare.index(bare[0], 1) - 1 if bare[0] and bare.count(bare[0]) == 2 else None


def _named_by_opening_label(text: str, texts: tuple[str, ...]) -> frozenset[int] | None:
    """The option whose label opens `text`, if what follows explains it; empty if what follows gives another answer.

    None if no label opens the text, or if the label is judged ("(A) is wrong") or joined to another ("A. or B.").
    """
    label = _OPENING.match(text)
    index = _index_of_letter(label[label.lastindex or 0]) if label else None
    if label is None or index is None or index >= len(texts):
        return None
    labelled = texts.index(texts[index])
    rest, by_text = _with_placeholders(text[label.end() :], texts)
    begin = _behind_signs(rest, 0)
    repeats_its_text = rest.startswith(_PLACEHOLDER, begin) and by_text[0] == labelled
    if _JUDGED.match(rest) or _JOINED.match(rest, begin + 1 if repeats_its_text else 0):
        return None
    begin = _behind_signs(rest, begin + 1) if repeats_its_text else begin
    # "3 (1 on the left and 2 on the right)": after the label's own text, a text in brackets is part of the reason.
    is_remark = repeats_its_text and rest.startswith("(", begin) and rest.startswith(_PLACEHOLDER, begin + 1)
    named = [mention for mention in _mentions(rest, by_text) if mention.index < len(texts)]
    others = [mention for mention in named if texts[mention.index] != texts[labelled]]
    affirmed = [mention for mention in others if not mention.is_denied]
    is_retracted = bool(affirmed) and _RETRACTED.search(rest) is not None
    is_choice = affirmed == others and any(_OR.search(mention.before) for mention in affirmed)
    answers_again = any(_is_answer(mention, rest, len(rest) if is_remark else begin) for mention in affirmed)
    return frozenset() if is_retracted or is_choice or answers_again else frozenset({labelled})


def _behind_signs(text: str, start: int) -> int:
    return len(text) - len(text[start:].lstrip(" .,:;–—-"))


def _is_answer(mention: _Mention, rest: str, begin: int) -> bool:
    """Whether an option that is mentioned after a label is given as an answer, not in an explanation of the label."""
    is_text = rest[mention.start] == _PLACEHOLDER
    opening = _AT_ONCE.match(rest, begin)
    comes_at_once = opening is not None and opening.end() == mention.start
    if comes_at_once and (is_text or not _JUDGED.match(rest, mention.end)):
        return True
    is_judged_right = not is_text and _JUDGED_RIGHT.match(rest, mention.end)
    return bool(is_judged_right or _CONCLUDES.search(mention.before))


def _mentioned(text: str, texts: tuple[str, ...]) -> frozenset[int]:
    """The options that `text` mentions anywhere; empty if it denies one."""
    replaced, by_text = _with_placeholders(LEAD_IN.sub(" ", text), texts)
    label = _LEADING_LABEL.match(replaced)
    indices = {_index_of_letter(label[1])} if label else set()
    for mention in _mentions(replaced, by_text):
        if mention.index < len(texts) and mention.is_denied:
            return frozenset()
        indices.add(mention.index)
    return frozenset(texts.index(texts[index]) for index in indices if index is not None and index < len(texts))


def _mentions(replaced: str, by_text: Sequence[int]) -> Iterator[_Mention]:
    """What a text with placeholders mentions, in order. `by_text`: the options that the placeholders replace."""
    texts = iter(by_text)
    for match in _MENTION.finditer(replaced):
        before = replaced[max(0, match.start() - _LONGEST_LEAD) : match.start()]
        if match.group() == _PLACEHOLDER:
            index: int | None = next(texts)
        else:
            index = _index_of_letter(match.group()) if _is_letter(replaced, match, before) else None
        if index is not None:
            yield _Mention(index, match.start(), match.end(), before)


def _with_placeholders(text: str, texts: tuple[str, ...]) -> tuple[str, list[int]]:
    """`text` with a placeholder for each option's text in it, and the options that they replace, in order."""
    pattern = _pattern(texts)
    if pattern is None:
        return text, []
    return pattern.sub(_PLACEHOLDER, text), [texts.index(match.group()) for match in pattern.finditer(text)]


@lru_cache(maxsize=256)
def _pattern(texts: tuple[str, ...]) -> re.Pattern[str] | None:
    """Matches options' texts as whole words, the longest first. A text that is the letter of an option is left out."""
    longest_first = sorted(
        {text for text in texts if text and not _is_letter_of(text, texts)}, key=lambda t: (-len(t), t)
    )
    if not longest_first:
        return None
    listed = "|".join(re.escape(text) for text in longest_first)
    return re.compile(rf"(?<!\w)(?<![0-9][.,])(?:{listed})(?!\w)(?![.,][0-9])")


def _is_letter_of(text: str, texts: tuple[str, ...]) -> bool:
    index = _index_of_letter(text)
    return index is not None and index < len(texts)


def _is_letter(text: str, match: re.Match[str], before: str) -> bool:
    if match.group() not in "ai":
        return True
    return bool(_AFTER_A_LETTER.match(text, match.end()) or _BEFORE_A_LETTER.search(before))
