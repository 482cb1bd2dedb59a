"""Sums in a text, in digits or in words: "3 + 4 = 7", "three and four make seven".

Pure functions of a text. Depends on number words; independent of answers.
"""

import math
import re

from pixel_env.grading.answers import folded
from pixel_env.grading.counts import number_named
from pixel_env.grading.number_words import ENGLISH_NUMBER_WORD
from pixel_env.task import Task

_NUMBER = rf"(?:\d+(?:\.\d+)?|(?:{ENGLISH_NUMBER_WORD})\b)"
_SUM = re.compile(
    rf"(?<![\w.,+*/×÷=-])(?<![-+*/×÷] )({_NUMBER})\s*(\+|plus|−|-|minus|×|\*|times|and)\s*({_NUMBER})\s*"
    rf"(=|makes?|equals?|gives?|is)\s*({_NUMBER})(?!\s*[-+*/×÷^%]|[\d.,]*\d|\w)"
)


def false_sum_in(text: str, task: Task) -> str:
    """The first wrong sum, difference or product in `text`; "" if there is none. The task does not matter."""
    for match in _SUM.finditer(folded(text)):
        first, second, total = (number_named(match[group]) for group in (1, 3, 5))
        if first is None or second is None or total is None or (match[2] == "and" and match[4] in ("is", "=")):
            continue
        match match[2]:
            case "+" | "plus" | "and":
                result = first + second
            case "×" | "*" | "times":
                result = first * second
            case _:
                result = first - second
        if not math.isclose(result, total, rel_tol=1e-6, abs_tol=1e-9):
            return match.group()
    return ""
