r"""Leaks: a text that states the detail, or announces the answer, before the pixels that show it.

Pure functions of a text and its task. `leak_in` checks a text that precedes any detail: no rule may be broken.
`announcement_in` checks a text between operations that show the evidence in parts: it may state what was shown, but may
not announce the answer yet (rule 1). The rules, in the order in which they are applied:

1. *Announced.* "The answer is", "final answer:", "\boxed{" or "<answer>" is followed by an option (letter or text), by
   a number where the answer is a number, or by a reference answer: refused, whether right or wrong. "It is", "this must
   be", "I guess" and the like are followed by the letter of an option, or, before any detail was shown, by the right
   answer: refused. So is "B is correct", and the right answer in a sentence that concludes ("in total", "the answer
   must"). A negation ("not B"), an open choice ("A or B") and a part ("so far") announce nothing.
2. A task that the overview answers (`needs_looking` False) has no detail: the other rules do not apply.
3. *Number.* The text names the number of the answer, in digits or words. Not counted: a number that the question names;
   a box or a point in brackets; ordinals; "frame 7", "images 2 to 5", "two crops", unless the question is about those;
   a count of something else ("three cards" where the question is about a digit, "two groups" where it is about cards);
   "one" that counts nothing ("one of the cards", "the red one"). An answer with several numbers: all of them.
4. *Text.* The text contains the answer (of a choice: the text of the right option) as whole words. Not counted: words
   of the question itself; an option beside another option (the text weighs them); "yes" and "no" that do not open a
   sentence ("no detail can be read"); an answer of one letter that is not a capital by itself.

Known errors: a one-word answer is refused wherever it occurs ("a blue sky" where the answer is blue), which loses a
good text now and then. An answer that the question names passes if it is stated without a form of rule 1, and so does
an ambiguous "one" ("one is what I find"). Depends on tasks and on how graders read answers; independent of traces.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from pixel_env.grading.answers import LEAD_IN, folded, unwrapped
from pixel_env.grading.choices import option_meant, options_named
from pixel_env.grading.counts import number_named
from pixel_env.grading.number_words import ENGLISH_NUMBER_WORD
from pixel_env.task import Task
from synth.verification.spellings import plainly_spelled, without_accents


class LeakKind(StrEnum):
    """The rule that was broken."""

    ANNOUNCED = "announced"
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Leak:
    """A broken rule, and the words that break it."""

    kind: LeakKind
    words: str


def leak_in(text: str, task: Task) -> Leak | None:
    """The first leak in `text`, a text that precedes the detail of `task`; None if there is none."""
    return _leak_in(text, task) or (_leak_in(plain, task) if (plain := plainly_spelled(text)) != folded(text) else None)


def _leak_in(text: str, task: Task) -> Leak | None:
    raw, text = text, folded(text)
    question = folded(task.question)
    details = _details(task)
    if words := _announced(text, task, details) or _called_the_answer(text, details):
        return Leak(LeakKind.ANNOUNCED, words)
    if task.needs_looking is False:
        return None
    for detail in details:
        if words := _numbers_named(text, detail, question):
            return Leak(LeakKind.NUMBER, words)
        if words := _letter_named(raw, detail) or _text_named(text, detail, question, task):
            return Leak(LeakKind.TEXT, words)
    return None


def announcement_in(text: str, task: Task) -> Leak | None:
    """The first announcement of an answer in `text`, a text written after a part of the evidence was shown; or None."""
    text, details = folded(text), _details(task)
    words = _announced(text, task, details) or _concluded(text, task, details)
    return Leak(LeakKind.ANNOUNCED, words) if words else None


def _details(task: Task) -> tuple[str, ...]:
    """What a text must not state: the reference answers, or, for a choice, the texts of the right options."""
    if task.options:
        indices = {index for answer in task.answers for index in option_meant(answer, task.options)}
        details = [folded(task.options[index]) for index in sorted(indices)]
    else:
        details = [folded(unwrapped(answer)) for answer in task.answers]
    return tuple(dict.fromkeys([*details, *map(without_accents, details)]))


# ------------------------------------------------------------------------------------------------------- announced

_STRONG = re.compile(rf"(?:{LEAD_IN.pattern})|\\boxed\s*\{{|<answer>", re.IGNORECASE)
_WEAK = re.compile(
    r"\b(?:(?:it|this|that)(?:['’]s|\s+(?:is|must be|should be|has to be|seems to be|looks to be|looks like))"
    r"|i\s+(?:choose|pick|go with|guess|think|believe|suspect|would say)(?:\s+(?:that\s+)?it(?:['’]s|\s+is))?)\s+"
    r"(?:(?:probably|likely|clearly|surely|certainly|perhaps|maybe)\s+)?(?:(?:the|an?)\s+)?(?=\S)"
)
_LETTER = r"(?:(?:option|choice|letter)\s+)?[(\"'“‘]?([a-z])[)\"'”’]?"
_LETTER_THERE = re.compile(rf"{_LETTER}(?=\s*(?:$|[.,;:!?]))")
_LETTER_JUDGED = re.compile(
    rf"(?<![\w'’-]){_LETTER}\s+(?:is|seems|looks|must be)\s+(?:the\s+)?(?:right|correct|best|answer|most likely|one)\b"
)
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n")


def _announced(text: str, task: Task, details: Iterable[str]) -> str:
    for match in _STRONG.finditer(text):
        rest = _sentence(text, match.end()).strip(" {}\"'“”")
        if rest and _is_an_answer(rest, task, details):
            return f"{match.group()}{rest}"
    letters = {chr(ord("a") + index) for index in range(len(task.options))}
    judged = {match[1]: match.group() for match in _LETTER_JUDGED.finditer(text) if match[1] in letters}
    for match in _WEAK.finditer(text):
        rest = text[match.end() :]
        letter = _LETTER_THERE.match(rest)
        if letter and letter[1] in letters:
            judged[letter[1]] = match.group() + letter.group()
    return next(iter(judged.values())) if len(judged) == 1 else ""


def _called_the_answer(text: str, details: Iterable[str]) -> str:
    """The words that call something by a right answer ("it is red"), which may be about another part of the image."""
    for match in _WEAK.finditer(text):
        rest = text[match.end() :]
        if opening := next((detail for detail in details if _opens_with(rest, detail)), ""):
            return match.group() + opening
    return ""


_CONCLUDES = re.compile(
    r"\b(?:in (?:total|all)|altogether|overall|all told|(?:the|my|a|grand|final) (?:final |whole )?total|totals|"
    r"(?:the|my) (?:final |whole |full |total )?(?:count|sum|result|tally|solution|conclusion)|conclude|"
    r"number (?:that fits|of)|settles (?:it|the question)|"
    r"answer (?:is|must|should|has to|will|therefore|to|comes)|counting (?:all|everything|those|them)|"
    r"adding (?:all|everything|those|them|these|it|this|both))\b|\banswer:"
)
_OPEN = re.compile(
    r"\b(?:so far|(?:until|up to|for|by) now|yet|whether|if|unless|may|might|could|would|or|not|cannot|least|most|here|"
    r"(?:in|on|of) th(?:is|ese) (?!picture|image|photo|video)[a-z]+)\b|n['’]t\b"
)


def _concluded(text: str, task: Task, details: Iterable[str]) -> str:
    """The sentence that gives a right answer as the whole result, not as what a part of the image shows."""
    question = folded(task.question)
    for sentence in _SENTENCE_END.split(text):
        if _CONCLUDES.search(sentence) and not _OPEN.search(sentence):
            for detail in details:
                if _numbers_named(sentence, detail, question) or _text_named(sentence, detail, question, task):
                    return sentence.strip()
    return ""


def _sentence(text: str, start: int) -> str:
    end = _SENTENCE_END.search(text, start)
    return text[start : end.start() if end else len(text)]


def _is_an_answer(rest: str, task: Task, details: Iterable[str]) -> bool:
    number = _MENTION.match(rest)
    if task.options:
        numbers = [number_named(option) for option in task.options]
        return len(options_named(rest, task.options)) == 1 or bool(number and _value(number.group()) in numbers)
    if any(_opens_with(rest, detail) for detail in details):
        return True
    return any(number_named(detail) is not None for detail in details) and number is not None


def _opens_with(rest: str, detail: str) -> bool:
    return bool(detail) and re.match(rf"[\"'“‘]?{re.escape(detail)}(?![\w'’-]|[.,]\d)", rest) is not None


# --------------------------------------------------------------------------------------------------------- numbers

_MENTION = re.compile(
    rf"(?<![\w.,/#-])(?:\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?|"
    rf"(?:{ENGLISH_NUMBER_WORD})(?:(?:[\s-]|\sand\s)(?:{ENGLISH_NUMBER_WORD}))*)(?!\w|[.,]\d)"
)
_BRACKETED = re.compile(r"[(\[]\s*[\d.]+(?:\s*[,;]\s*[\d.]+)+\s*[)\]]")
_LARGEST_DIGIT = 9
_NUMBERED = "frame|image|picture|photo|view|step|figure|row|column|line|panel|crop|region|page"
_NUMBERING_BEFORE = re.compile(
    rf"\b({_NUMBERED})s?\s+(?:numbers?\s+|no\.\s*)?(?:\d+\s*(?:,|and|to|or|through|-|–|,\s*and)\s*)*$"
)
_COUNTED = re.compile(r"\s+(?:(?!(?:and|or|of|is|are|in|on|at|the)\b)[a-z-]+\s+){0,2}?([a-z]+s|people)\b")
_OWN_WORDS = "frame image picture photo view step crop region look time operation tool option choice candidate pixel"
_OUR_OWN = frozenset(_OWN_WORDS.split())
_THING_WORDS = "card object thing item people person panel chart table group shot colour color row column part"
_THINGS = frozenset(_THING_WORDS.split())
HOW_MANY = re.compile(r"\bhow many\b|\bcount\b")
"""Matches a folded question (lower case, simple quotes) that asks for a count."""
_AMOUNT = re.compile(rf"{HOW_MANY.pattern}|\bhow much\b|\bnumber of\b|\btotal\b")
_ONE_COUNTS_BEFORE = re.compile(
    r"\b(?:there(?:['’]s| is)|only|just|exactly|see|count|find|shows?|showing|reads?|says?|digit|number|is an?|value|"
    r"total)"
    r"[\s:]+(?:(?:only|just|exactly|an?|the)\s+)?$"
)


def _numbers_named(text: str, detail: str, question: str) -> str:
    """The numbers of `detail`, as far as it is made of numbers and `text` names all of them; else ""."""
    wanted = [_value(match.group()) for match in _MENTION.finditer(detail)]
    others = re.findall(r"[a-z]{2,}", _MENTION.sub(" ", detail))
    if not wanted or len(others) > 2:
        return ""
    if set(wanted) <= {_value(match.group()) for match in _MENTION.finditer(question)}:
        return ""
    text = _BRACKETED.sub(_without_coordinates, text)
    matches = [match for match in _MENTION.finditer(text) if _counts(match, text, question)]
    named = {_value(match.group()): match.group() for match in matches}
    return " ".join(named[value] for value in wanted) if all(value in named for value in wanted) else ""


def _without_coordinates(match: re.Match[str]) -> str:
    """Nothing in place of a box (x0, y0, x1, y1) or a point in fractions or pixels; other numbers in brackets stay."""
    numbers = [number_named(number) or 0.0 for number in re.findall(r"[\d.]+", match.group())]
    is_box = len(numbers) == 4 and numbers[0] < numbers[2] and numbers[1] < numbers[3]
    is_point = len(numbers) == 2 and ("." in match.group() or max(numbers) > _LARGEST_DIGIT)
    return " " if is_box or is_point else match.group()


def _value(mention: str) -> float | None:
    return number_named(mention)


def _counts(mention: re.Match[str], text: str, question: str) -> bool:
    """Whether the number could be the number of the answer, from the words around it."""
    before, after = text[: mention.start()], text[mention.end() :]
    question_words = _words_of(question)
    numbering = _NUMBERING_BEFORE.search(before)
    if numbering and numbering[1] not in question_words:
        return False
    counted = _COUNTED.match(after)
    noun = _singular(counted[1]) if counted else ""
    if noun in _OUR_OWN and noun not in question_words:
        return False
    is_count = bool(_AMOUNT.search(question))
    if mention.group() == "one" and not _one_counts(before, after, question_words, is_count=is_count):
        return False
    if is_count:
        return not (noun in _THINGS and noun not in question_words)
    return noun not in question_words | _THINGS


def _one_counts(before: str, after: str, question_words: frozenset[str], *, is_count: bool) -> bool:
    if after.startswith((" of ", " by ", " or ", " more", " look", " can", " could", " has to", " must", " side")):
        return False
    following = {_singular(word) for word in re.findall(r"[a-z]+", after[:40])[:3]}
    if is_count and following & question_words:
        return True
    if not is_count and following & (question_words | _THINGS):
        return False  # "one card" where the question is about its digit
    return bool(_ONE_COUNTS_BEFORE.search(before))


@lru_cache(maxsize=1024)
def _words_of(question: str) -> frozenset[str]:
    return frozenset(_singular(word) for word in re.findall(r"[a-z]{3,}", question))


def _singular(word: str) -> str:
    return word if word == "people" else word.removesuffix("s")


# ------------------------------------------------------------------------------------------------------------ texts

_OPENS_A_SENTENCE = r"(?:^|[.!?:]\s+)(?:so\s+)?{answer}(?=\s*(?:$|[,.;:!]))"


def _letter_named(text: str, detail: str) -> str:
    """An answer that is one letter, written as a capital by itself; "A" and "I" are left to rule 1."""
    is_letter = len(detail) == 1 and detail.isalpha() and detail not in "ai"
    return detail if is_letter and re.search(rf"(?<![\w'’-]){detail.upper()}(?![\w'’-])", text) else ""


def _text_named(text: str, detail: str, question: str, task: Task) -> str:
    """`detail` if `text` contains it as whole words and rule 4 counts it; else ""."""
    detail = re.sub(r"^(?:an?|the)\s+", "", detail).rstrip(".")
    if len(detail) < 2 or _MENTION.fullmatch(detail):
        return ""
    if detail in ("yes", "no"):
        return detail if re.search(_OPENS_A_SENTENCE.format(answer=detail), text) else ""
    if _holds(question, detail):
        return ""
    options = sorted((folded(option).rstrip(".") for option in task.options), key=len, reverse=True)
    if not options:
        return detail if _holds(text, detail) else ""
    named = set(re.findall(rf"(?<!\w)(?:{'|'.join(map(re.escape, options))})(?!\w)", text))
    named = {re.sub(r"^(?:an?|the)\s+", "", name) for name in named} or ({detail} if _holds(text, detail) else set())
    return detail if named == {detail} else ""


def _holds(text: str, phrase: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(phrase)}(?![\w-])", text) is not None
