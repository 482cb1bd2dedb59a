"""What a text says about a number in it: that it is so, that it is not, that it only might be, or that it is a label.

Depends on the words of `stance_words.py`; independent of how numbers are written (`numerals.py`) and of graders. All
texts are folded, with straight apostrophes.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum

from pixel_env.grading import stance_words as words
from pixel_env.grading.first_looks import is_first_look
from pixel_env.grading.patterns import Pattern


class Stance(Enum):
    """What a text says about a number."""

    NAMED = "named"
    DENIED = "denied"
    OPEN = "open"
    """In a question, or under a condition that is not said to hold."""
    LABEL = "label"
    """The number of an image, a frame, a row: "in image 3"."""


# Bounded: the price of a number must not grow with its sentence.
_LONGEST_REACH = 90
_LONGEST_SENTENCE = 360

_SENTENCE_END = Pattern(r"[.!?]+(?=\s|\Z)|[。！？?]")
_CLAUSE_END = Pattern(
    r",(?!\d)|[，、:;；]|\s(?:but|so|then|instead|sondern|aber|dann|mais|donc|alors|sino|pero|entonces)\s|\s[-–]\s|—|"
    r"而是|但|所以|因此|那么"
)


@dataclass(frozen=True)
class Reading:
    """A folded text and its question, ready to tell the stance of each number in the text."""

    text: str
    question: str
    sentence_ends: tuple[int, ...]
    clause_ends: tuple[int, ...]

    def clauses(self) -> list[tuple[int, int]]:
        """Where each clause starts and ends."""
        return list(zip([0, *self.clause_ends], [*self.clause_ends, len(self.text)], strict=True))

    def clause_around(self, place: int) -> tuple[int, int]:
        """Where the clause at `place` starts and ends."""
        return _around(self.clause_ends, place, len(self.text))

    def stance(self, start: int, end: int) -> Stance:
        """What the text says about the number from `start` to `end`."""
        if self._is_label(start, end):
            return Stance.LABEL
        if self.is_open(start, end):
            return Stance.OPEN
        if words.DENIED_BEFORE.search(self.text, max(0, start - _LONGEST_REACH), start):
            return Stance.DENIED
        if words.DENIED_AFTER.match(self.text, end, end + _LONGEST_REACH):
            return Stance.DENIED
        return Stance.NAMED

    def is_open(self, start: int, end: int) -> bool:
        """Whether what stands from `start` to `end` is asked, supposed or seen at first only."""
        first, last = _around(self.sentence_ends, start, len(self.text))
        first, last = max(first, start - _LONGEST_SENTENCE), min(last, end + _LONGEST_SENTENCE)
        sentence = self.text[first:last].rstrip()
        if sentence.endswith("?") or words.ASKS_WITHOUT_A_MARK.search(sentence):
            return words.YES.match(self.text, last) is None
        if is_first_look(self.text[first:start], self.text[end : end + _LONGEST_REACH]):
            return True
        opening, closing = self.clause_around(start)
        opening, closing = max(first, opening), min(last, closing)
        if words.CONDITION.search(self.text, opening, start) or words.CONDITION_BEHIND.search(self.text, end, closing):
            return True
        is_conditional = words.CONDITION.search(sentence) or words.CONDITION_BEHIND.search(sentence)
        return bool(is_conditional and words.WOULD.search(self.text, opening, closing))

    def _is_label(self, start: int, end: int) -> bool:
        if words.TIMES_AFTER.match(self.text, end) and not re.search(r"\b(?:times|often)\b", self.question):
            return True
        first = max(0, start - _LONGEST_REACH)
        if words.LABEL_AFTER_CJK.match(self.text, end) or words.LABEL_BEFORE_CJK.search(self.text, first, start):
            return True
        label = words.LABEL_BEFORE.search(self.text, first, start)
        if label is None or re.search(rf"{words.ASKS_FOR_A_LABEL}{label['label']}", self.question):
            return False
        return not label["article"] or words.ENDS_A_LABEL.match(self.text, end) is not None


def reading(text: str, question: str) -> Reading:
    """`text` with its sentences and clauses. Both texts are folded."""
    text = words.MANNER_OF_SPEAKING.sub(" ", text)
    sentence_ends = tuple(match.end() for match in _SENTENCE_END.finditer(text))
    clause_ends = sorted({match.end() for match in _CLAUSE_END.finditer(text)} | set(sentence_ends))
    return Reading(text, question, sentence_ends, tuple(clause_ends))


def _around(ends: tuple[int, ...], position: int, length: int) -> tuple[int, int]:
    """Start and end of the piece with `position`, of those that end at `ends`."""
    place = bisect_right(ends, position)
    return ends[place - 1] if place else 0, ends[place] if place < len(ends) else length
