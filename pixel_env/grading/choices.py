"""Which option of a question an answer names: by letter, by text, or by both.

Depends on mentions and what is said about them; independent of episodes.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from pixel_env.grading.answers import says_something, unwrapped, without_markup
from pixel_env.grading.boxed import last_boxed
from pixel_env.grading.counts import number_named
from pixel_env.grading.judged_lists import judged_list
from pixel_env.grading.mentions import Mention, mentions_in
from pixel_env.grading.option_texts import (
    PLACEHOLDER,
    comparable,
    letter_index,
    option_that_contains,
    option_that_reads,
    texts_of,
)
from pixel_env.grading.patterns import Pattern
from pixel_env.grading.phrases import ABSTAINS, RETRACTS, one_of
from pixel_env.grading.stances import Stance, stance_of
from pixel_env.task import Task

_MARKED_LETTER = Pattern(r"(\*{1,3}|__|`|\$)\s*\(?([A-Za-z])\)?[.:]?\s*\1")
_OPENING = Pattern(
    r"[\s(]*(?:(?:option|choice|answer|letter|antwort|r[ée]ponse|opci[óo]n|respuesta|选项|選択肢)\s*)?\(?\Z"
)
_ABSTAINS = Pattern(rf"[\s,.:-]*{one_of(ABSTAINS)}")
_RETRACTED = Pattern(one_of(RETRACTS))
_OR = Pattern(r"(?<!\w)(?:or|oder|ou|o)\s+\(?\Z|(?:或|または)\s*\Z")
_WALK = Pattern(
    r"\s*(?:(?:option|choice|选项|選択肢)\s*)?\(?([a-z])\)?\s*[:.)][^\n]*\n"
    r"\s*(?:(?:option|choice|选项|選択肢)\s*)?\(?(?!\1)[a-z]\)?\s*[:.)]"
)
"""Lines that go through the options: the label of the first one is no answer if one follows."""
_AT_ONCE = Pattern(
    r"[\s.,:;–—-]*(?:(?:it's|(?:it|this|that|they|there)\s+(?:is|are|was|were))\s+)?(?:(?:an?|the)\s+)?\(?\Z"
)
_IT_IS = Pattern(r"(?:it's|it is|this is|that is|they are|there are|there is|es ist|c'est|il y a|es|这是|它是|是)\s+")

_REMEMBERED = 4096
"""Texts whose meaning is remembered: an answer is graded at the end of its episode, and read again for its row."""


def choice(answer: str, task: Task) -> float:
    r"""1 if `answer` names the right option and no other.

    An answer may name an option by letter ("B", "(B) red", "\boxed{B}", "the answer is B"), by the option's whole text
    ("red", "It is red."), by both, or by words that stand in one option only ("left"). A letter counts where it is
    marked as an option's, or alone. A reference is an option's text or, if no option has that text, its letter. An
    answer that is only a letter is read as the letter, even if an option's text is a letter too, because the question
    shows letters.

    What is denied, supposed or asked is not named. A label that opens the answer decides, and what follows explains it
    ("A, not B", "C. 3 (1 and 2)"), unless it gives another answer. Else the conclusion decides ("It is not A. So B").
    If option texts contain each other, the longest counts: "dark red" does not name "red".
    """
    named = options_named(answer, task.options)
    return float(len(named) == 1 and any(named == option_meant(text, task.options) for text in task.answers))


def options_named(answer: str, options: Sequence[str]) -> frozenset[int]:
    """The indices (from 0) of the options that `answer` names. Of equal options, the first represents all.

    Of options that are judged one by one, the only one that is called right, unless another one is concluded.
    """
    return _named(answer, tuple(options))


@lru_cache(_REMEMBERED)
def _named(answer: str, options: tuple[str, ...]) -> frozenset[int]:
    judged = judged_list(answer, options) if last_boxed(answer) is None else None
    if judged is None:
        return _options_named(answer, options)
    concluded = _options_named(judged.rest, options)
    texts = texts_of(options)
    return concluded if len(concluded) == 1 else frozenset(texts.index(texts[index]) for index in judged.right)


def _options_named(answer: str, options: Sequence[str]) -> frozenset[int]:
    texts = texts_of(tuple(options))
    marked = _MARKED_LETTER.sub(r" (\2) ", answer)
    text = comparable(without_markup(marked))
    whole = _read_whole(text, texts)
    if whole is not None:
        return frozenset({whole})
    bare = comparable(unwrapped(marked))
    whole = _read_whole(bare, texts)
    if whole is not None:
        return frozenset({whole})
    named = _mentioned(text, bare, texts)
    return named if len(named) < 2 else _counted(answer, text, texts) or named


def option_meant(reference: str, options: Sequence[str]) -> frozenset[int]:
    """The option that a task's `reference` means, by its text, else by its letter; empty unless it is exactly one."""
    return _meant(reference, tuple(options))


@lru_cache(_REMEMBERED)
def _meant(reference: str, options: tuple[str, ...]) -> frozenset[int]:
    whole = option_that_reads(comparable(without_markup(reference)), texts_of(options))
    named = options_named(reference, options) if whole is None else frozenset({whole})
    return named if len(named) == 1 else frozenset()


def _counted(answer: str, text: str, texts: tuple[str, ...]) -> frozenset[int]:
    """Of numbers as options the one that the answer gives as a total: "4 birds: two black, two white"."""
    is_number = all(re.fullmatch(r"\d{1,9}", option) for option in texts)
    if not is_number or any(mention.has_letter for mention in mentions_in(text, texts)[1]):
        return frozenset()
    value = number_named(answer)
    return frozenset(texts.index(option) for option in texts if int(option) == value)


def _read_whole(text: str, texts: tuple[str, ...]) -> int | None:
    """The option whose letter or text is all of `text`."""
    if not says_something(text):
        return None
    index = letter_index(text.strip(" ().,:;!?\n"))
    if index is not None and index < len(texts):
        return None if "?" in text else texts.index(texts[index])
    return option_that_reads(text, texts)


def _mentioned(text: str, bare: str, texts: tuple[str, ...]) -> frozenset[int]:
    """The options that the words of `text` name. `bare`: the text without its lead-in."""
    whole, mentions = mentions_in(text, texts)
    if not mentions:
        contained = option_that_contains(_IT_IS.sub("", bare, count=1) if _IT_IS.match(bare) else bare, texts)
        return frozenset() if contained is None else frozenset({contained})
    said = [(mention, stance_of(mention)) for mention in mentions]
    first, stance = said[0]
    is_walk = _WALK.match(whole) and any(stance >= Stance.ANSWERED for _, stance in said[1:])
    if _opens(whole, first) and not is_walk:
        if _ABSTAINS.match(whole, first.end):
            return frozenset()
        if stance >= Stance.NAMED:
            return _confirmed(whole, first, said[1:])
    said = _behind_retraction(whole, said)
    top = max(stance for _, stance in said)
    if top < (Stance.ANSWERED if _opens(whole, first) and first.is_asked and len(first.indices) == 1 else Stance.NAMED):
        return frozenset()
    deciding = [place for place, (_, stance) in enumerate(said) if stance == top]
    named = frozenset().union(*(said[place][0].indices for place in deciding))
    if len(named) != 1:
        return named
    return _confirmed(whole, said[deciding[-1]][0], said[deciding[-1] + 1 :])


def _behind_retraction(whole: str, said: list[tuple[Mention, Stance]]) -> list[tuple[Mention, Stance]]:
    """What is said behind the last "wait, no" that another conclusion follows; all, if there is none such."""
    for place in range(len(said) - 1, 0, -1):
        is_concluded = max(stance for _, stance in said[place:]) >= Stance.CONCLUDED
        if is_concluded and _RETRACTED.search(whole, said[place - 1][0].end, said[place][0].start):
            return said[place:]
    return said


def _opens(whole: str, mention: Mention) -> bool:
    """Whether a letter opens the answer, as a label does."""
    start = whole[: mention.start]
    return whole[mention.start] != PLACEHOLDER and len(start) < 40 and _OPENING.match(start) is not None


def _confirmed(whole: str, decisive: Mention, later: Sequence[tuple[Mention, Stance]]) -> frozenset[int]:
    """The options of `decisive`; none if what follows it gives another answer, or takes it back."""
    if len(decisive.indices) != 1:
        return decisive.indices
    is_remark = decisive.is_text and decisive.beyond.lstrip().startswith("(")
    others = [(mention, stance) for mention, stance in later if not mention.indices <= decisive.indices]
    affirmed = [mention for mention, stance in others if stance >= Stance.NAMED]
    is_taken_back = bool(affirmed) and _RETRACTED.search(whole, decisive.end) is not None
    is_one_of_several = len(affirmed) == len(others) and any(_OR.search(mention.before) for mention in affirmed)
    is_denied = any(
        stance == Stance.DENIED and decisive.indices <= mention.indices and mention.has_letter
        for mention, stance in later
    )
    answers_again = any(
        mention.has_letter
        or stance >= Stance.ANSWERED
        or (not is_remark and _AT_ONCE.match(whole[decisive.end : mention.start]))
        for mention, stance in others
        if stance >= Stance.NAMED
    )
    return frozenset() if is_taken_back or is_one_of_several or is_denied or answers_again else decisive.indices
