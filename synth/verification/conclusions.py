"""Conclusions: whether the reasoning of the last turn ends in the task's answer.

Pure functions of a text and its task. An announced answer ("the answer is", "final answer:") must be the reference.
After "so it is", "the result is" and the like only the last sentence is read, and only for numbers and options. An
announcement that leaves several options open names none. Depends on how graders read answers; independent of teachers.
"""

import math
import re

from pixel_env.grading import grade
from pixel_env.grading.answers import LEAD_IN, folded, unwrapped
from pixel_env.grading.choices import option_meant, options_named
from pixel_env.grading.counts import number_named
from pixel_env.grading.number_words import ENGLISH_NUMBER_WORD
from pixel_env.task import Task

_WEAK = re.compile(
    r"\b(?:the\s+)?(?:result|total)\s+is\b|"
    r"\b(?:so|thus|hence|therefore),?\s+(?:it|this|that)(?:['’]s|\s+(?:is|must be|gives|makes))\b"
)
_SENTENCE = re.compile(r"[.!?]+(?=\s|$)|\n+")
_DIGITS = re.compile(r"(?:(?<![\w.,)])[-−]\s?|\b(?:minus|negative)\s+)?(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?!\w|[.,]\d)")
_WORD = rf"(?:{ENGLISH_NUMBER_WORD})\b"
_WORDS = re.compile(rf"\b(?:minus\s+|negative\s+)?{_WORD}(?:(?:[\s-]|\sand\s){_WORD})*")
_DENIED = re.compile(r"not\b|n['’]t\b|hidden\b|unclear\b|unknown\b")
_CALCULATES = re.compile(r"\s*(?:[-+×*/÷=−]|x\b|plus\b|minus\b|times\b|divided\b)")


def contradiction_in(text: str, task: Task) -> str:
    """The words that announce an answer other than the task's; "" if there are none."""
    sentences = sentences_of(text)
    for sentence in sentences:
        for match in LEAD_IN.finditer(sentence):
            rest = sentence[match.end() :].strip(" *_\"'“”")
            if rest and not _DENIED.match(rest) and not _names_the_answer(rest, task) and not _is_open(rest, task):
                return f"{match.group()}{rest}"
    if sentences and (weak := list(_WEAK.finditer(sentences[-1]))):
        rest = sentences[-1][weak[-1].end() :]
        if _names_another(rest, task):
            return f"{weak[-1].group()}{rest}"
    return ""


def states_the_answer(text: str, task: Task) -> bool:
    """Whether the text ends in the answer: in its last announcement, or without one in its last sentence."""
    sentences = sentences_of(text)
    announcing = [sentence for sentence in sentences if LEAD_IN.search(sentence)]
    last = (announcing or sentences)[-1:]
    return any(_names_the_answer(sentence, task) for sentence in last)


def is_announcement(sentence: str) -> bool:
    """Whether the folded sentence announces an answer, or concludes to one."""
    return LEAD_IN.search(sentence) is not None or _WEAK.search(sentence) is not None


def sentences_of(text: str) -> list[str]:
    """The sentences of `text`, folded."""
    return [part for part in map(str.strip, _SENTENCE.split(_folded_lines(text))) if part]


def _folded_lines(text: str) -> str:
    """`text` folded, its line breaks kept."""
    return "\n".join(map(folded, text.split("\n")))


def _names_the_answer(text: str, task: Task) -> bool:
    """Whether the text names a reference answer: a choice by that option alone, a number by its value, else by its
    words."""
    if task.options:
        named = options_named(text, task.options)
        return len(named) == 1 and any(named == option_meant(answer, task.options) for answer in task.answers)
    if numbers := wanted_numbers(task):
        opening = _opening_number(text)
        named_numbers = _numbers(text) if opening is None else [opening]
        return any(math.isclose(number, wanted) for number in named_numbers for wanted in numbers)
    return any(holds(text, folded(unwrapped(answer))) for answer in task.answers) or grade(task, text) == 1.0


def _names_another(text: str, task: Task) -> bool:
    """Whether the text names one option, or numbers, but not the answer."""
    if task.options:
        return not _is_open(text, task) and not _names_the_answer(text, task)
    return bool(wanted_numbers(task) and _numbers(text)) and not _names_the_answer(text, task)


def _is_open(text: str, task: Task) -> bool:
    return bool(task.options) and len(options_named(text, task.options)) != 1


def wanted_numbers(task: Task) -> list[float]:
    """The references that are plain numbers; "45 %" and "8:35" count as text."""
    answers = [folded(unwrapped(answer)) for answer in task.answers]
    bare = [answer for answer in answers if _DIGITS.fullmatch(answer) or not re.search(r"\d", answer)]
    return [number for number in map(number_named, bare) if number is not None]


def _opening_number(text: str) -> float | None:
    """The number at the start of the text, unless it begins a calculation."""
    match = _DIGITS.match(text)
    return None if match is None or _CALCULATES.match(text, match.end()) else number_named(match.group())


def _numbers(text: str) -> list[float]:
    mentions = [match.group() for match in _DIGITS.finditer(text)]
    # "One" may stand for a thing ("the red one"): it counts only where it is the only number of the text.
    mentions += [words for words in map(str.strip, _WORDS.findall(text)) if words != "one"]
    return [number for number in map(number_named, mentions or [text]) if number is not None]


def holds(text: str, phrase: str) -> bool:
    """Whether the text contains the phrase as whole words."""
    return re.search(rf"(?<![\w-]){re.escape(phrase)}(?![\w-])", text) is not None
