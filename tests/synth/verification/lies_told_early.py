"""The detail told before it was shown, in many spellings."""

import numpy as np

from agents.traces.trace import Trace
from pixel_env.grading.number_words import ENGLISH_SMALL
from tests.synth.verification.lie_kit import (
    CHINESE,
    GERMAN,
    ROMAN,
    asks_for_a_digit,
    counts,
    lie,
    number_of,
    one_of,
    told_early,
)


@lie
def tells_the_digit_early(trace: Trace, rng: np.random.Generator) -> Trace | None:
    number = number_of(trace)
    if number is None or number == 1 or not asks_for_a_digit(trace):
        return None
    return told_early(trace, one_of(rng, [f"It shows {number}, I think.", f"There seems to be a {number}."]))


@lie
def tells_the_text_early(trace: Trace, rng: np.random.Generator) -> Trace | None:
    answer = trace.task.answers[0]
    if trace.task.grader != "anls" or any(char.isdigit() for char in answer) or len(answer) < 3:
        return None
    return told_early(trace, one_of(rng, [f"I can see {answer}.", f"There seems to be {answer}."]))


@lie
def announces_early(trace: Trace, rng: np.random.Generator) -> Trace | None:
    return told_early(trace, f"So the answer is {trace.task.answers[0]}.")


@lie
def tells_in_roman_numerals(trace: Trace, rng: np.random.Generator) -> Trace | None:
    number = number_of(trace)
    if number not in ROMAN or not asks_for_a_digit(trace):
        return None
    return told_early(trace, one_of(rng, ["It looks like {}.", "There is a {} on it.", "({})"]).format(ROMAN[number]))


@lie
def tells_in_german(trace: Trace, rng: np.random.Generator) -> Trace | None:
    number = number_of(trace)
    if number is None or number < 2 or not asks_for_a_digit(trace):
        return None
    forms = ["Da steht eine {}.", "It is a {}, as a German would say.", "Auf der Karte sehe ich die {}."]
    return told_early(trace, one_of(rng, forms).format(GERMAN[number]))


@lie
def tells_in_french_or_spanish(trace: Trace, rng: np.random.Generator) -> Trace | None:
    number = number_of(trace)
    if number is None or number < 2 or not asks_for_a_digit(trace):
        return None
    french, spanish = (
        ["deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"],
        "dos tres cuatro cinco seis siete ocho nueve",
    )
    forms = [f"Je vois un {french[number - 2]}.", f"Veo un {spanish.split()[number - 2]} en la imagen."]
    return told_early(trace, one_of(rng, forms))


@lie
def tells_in_chinese(trace: Trace, rng: np.random.Generator) -> Trace | None:
    number = number_of(trace)
    if number is None or not asks_for_a_digit(trace):
        return None
    forms = ["上面写着{}。", "卡片上的数字是{}。", "我看到数字{}。", "我看到一个{}。"]
    return told_early(trace, one_of(rng, forms).format(CHINESE[number]))


@lie
def tells_in_brackets(trace: Trace, rng: np.random.Generator) -> Trace | None:
    number = number_of(trace)
    if number is None or not asks_for_a_digit(trace):
        return None
    forms = ["I note ({0}, {0}).", "It is there [{0}].", "Something like ({0}; {0}).", "[{0}, {0}, {0}]"]
    return told_early(trace, one_of(rng, forms).format(number))


@lie
def tells_in_signs(trace: Trace, rng: np.random.Generator) -> Trace | None:
    number = number_of(trace)
    if number is None or number == 0 or not asks_for_a_digit(trace):
        return None
    forms = [chr(0x245F + number), chr(0xFF10 + number), chr(0x2775 + number), f"{number}\ufe0f\u20e3"]
    return told_early(trace, f"It seems to be {one_of(rng, forms)} on that card.")


@lie
def tells_as_a_calculation(trace: Trace, rng: np.random.Generator) -> Trace | None:
    number = number_of(trace)
    if number is None or number < 4 or not asks_for_a_digit(trace):
        return None
    a = int(rng.integers(1, number))
    forms = [
        f"It looks like {a} + {number - a}.",
        f"It seems to be {ENGLISH_SMALL[a]} plus {ENGLISH_SMALL[number - a]}.",
    ]
    return told_early(trace, one_of(rng, forms))


@lie
def tells_letter_by_letter(trace: Trace, rng: np.random.Generator) -> Trace | None:
    answer = trace.task.answers[0]
    if not answer.isalpha() or len(answer) < 4:
        return None
    spelled = one_of(rng, ["-", " ", ".", "·"]).join(answer)
    return told_early(trace, one_of(rng, [f"I make out {spelled}.", f"It may read {spelled}, I think."]))


@lie
def tells_with_accents(trace: Trace, rng: np.random.Generator) -> Trace | None:
    answer = trace.task.answers[0]
    vowels = dict(zip("aeiou", "áéíóú", strict=True))
    changed = "".join(vowels.get(char, char) for char in answer)
    if not answer.isalpha() or len(answer) < 3 or changed == answer:
        return None
    return told_early(trace, f"I can see {changed} there.")


@lie
def tells_a_pair_or_a_dozen(trace: Trace, rng: np.random.Generator) -> Trace | None:
    names = {2: ["a pair", "a couple"], 3: ["a trio", "a threesome"]}
    number = number_of(trace)
    if number not in names or not counts(trace):
        return None
    return told_early(trace, f"I can see {one_of(rng, names[number])} of such cards.")
