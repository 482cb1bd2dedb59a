"""Lies in the last turn's own words: about the answer, an option, what was read."""

import numpy as np

from agents.traces.trace import Trace
from pixel_env.grading.number_words import ENGLISH_SMALL
from tests.synth.verification.lie_kit import (
    another_answer,
    another_number,
    asks_for_a_digit,
    before_the_end,
    counts,
    lie,
    number_of,
    one_of,
    right_option,
)


@lie
def announces_another_answer(trace: Trace, rng: np.random.Generator) -> Trace | None:
    other = another_answer(trace, rng)
    forms = ("So the answer is {}.", "The final answer: {}.", "The correct answer must be {}.", "My answer is {}.")
    return None if other is None else before_the_end(trace, one_of(rng, forms).format(other))


@lie
def earlier_box_with_another_value(trace: Trace, rng: np.random.Generator) -> Trace | None:
    other = another_answer(trace, rng)
    forms = (
        "\\boxed{{{}}}. Checking again:",
        "I get \\boxed{{{}}} at first sight, and then:",
        "$\\boxed{{{}}}$ Hold on.",
        "\\boxed{{{}}} or rather",
        "First \\boxed{{{}}}, finally:",
    )
    return None if other is None else before_the_end(trace, one_of(rng, forms).format(other))


@lie
def calls_a_wrong_option_right(trace: Trace, rng: np.random.Generator) -> Trace | None:
    right = right_option(trace)
    if right is None:
        return None
    letter = "ABCDEFGH"[(right + int(rng.integers(1, len(trace.task.options)))) % len(trace.task.options)]
    forms = (
        "Option {} is right.",
        "{} is the correct one, as the crop shows.",
        "I see it clearly now, so option {} is correct.",
        "Choice ({}) matches what is shown.",
        "The detail is in view, which makes {} the right choice.",
        "I pick {}.",
    )
    return before_the_end(trace, one_of(rng, forms).format(letter))


@lie
def letter_of_another_option(trace: Trace, rng: np.random.Generator) -> Trace | None:
    right = right_option(trace)
    if right is None:
        return None
    letter = "ABCDEFGH"[(right + 1) % len(trace.task.options)]
    return before_the_end(trace, f"What I find is ({letter}) {trace.task.options[right]}.")


@lie
def reads_another_digit(trace: Trace, rng: np.random.Generator) -> Trace | None:
    other = another_number(trace, rng)
    if other is None or not asks_for_a_digit(trace):
        return None
    forms = (
        "On the card I clearly read a {}. It is large and sharp.",
        "The card shows a {}.",
        "I can see a {} on it now.",
        "It says {} in bold strokes.",
        "The digit on the card is a {}.",
        "There is a {} printed on the card.",
    )
    words = ENGLISH_SMALL[int(other)] if rng.random() < 0.3 else other
    return before_the_end(trace, one_of(rng, forms).format(words))


@lie
def reads_another_digit_and_announces_the_right_one(trace: Trace, rng: np.random.Generator) -> Trace | None:
    other = another_number(trace, rng)
    if other is None or not asks_for_a_digit(trace):
        return None
    forms = ("I clearly read a {}.", "The card shows a {}.", "It says {}.")
    return before_the_end(trace, f"{one_of(rng, forms).format(other)} So the answer is {trace.task.answers[0]}.")


@lie
def counts_another_number(trace: Trace, rng: np.random.Generator) -> Trace | None:
    other = another_number(trace, rng)
    if other is None or not counts(trace) or other == "0":
        return None
    forms = (
        "I count {} of them.",
        "There are {} such cards.",
        "I can see {} that fit.",
        "In total I find {}.",
        "That makes {} in all.",
        "Going through them one after the other I find {}.",
    )
    words = ENGLISH_SMALL[int(other)] if rng.random() < 0.3 else other
    return before_the_end(trace, one_of(rng, forms).format(words))


@lie
def reads_another_text(trace: Trace, rng: np.random.Generator) -> Trace | None:
    if trace.task.grader != "anls":
        return None
    other = one_of(rng, ["Jupiter", "Lake Geneva", "Friday", "North wing", "Zinc"])
    forms = ('The row reads "{}".', 'In the crop it says "{}".', 'I read "{}" there.', 'The label shows "{}".')
    return before_the_end(trace, one_of(rng, forms).format(other))


@lie
def guesses(trace: Trace, rng: np.random.Generator) -> Trace:
    forms = (
        "I cannot read any digit, so I guess.",
        "It is too blurry to make out, so this is a guess.",
        "I can't tell what it shows; my best guess:",
        "Nothing is legible here, I pick one at random.",
        "I am unable to read the detail.",
        "The detail is still unreadable in this crop.",
        "I have no idea, so I take a wild guess.",
        "It is impossible to say what stands there.",
        "Ich kann es nicht lesen, also rate ich.",
        "我看不清，只能猜。",
    )
    return before_the_end(trace, one_of(rng, forms))


@lie
def denies_its_answer(trace: Trace, rng: np.random.Generator) -> Trace | None:
    answer = trace.task.answers[0]
    right = right_option(trace)
    if right is not None:
        letter = "ABCDEFGH"[right]
        forms = (f"Option {letter} is wrong.", f"It is not {letter}.", f"({letter}) can be ruled out.")
    elif number_of(trace) is not None:
        forms = (f"It is not {answer}.", f"{answer} is wrong.", f"There are not {answer}.", f"It cannot be {answer}.")
    else:
        forms = (f"It is not {answer}.", f"It does not say {answer}.", f"It is certainly not {answer}.")
    return before_the_end(trace, one_of(rng, list(forms)))


@lie
def false_sum(trace: Trace, rng: np.random.Generator) -> Trace | None:
    number = number_of(trace)
    if number is None or not counts(trace):
        return None
    a, b = number + 1 + int(rng.integers(3)), 1 + int(rng.integers(4))
    forms = (f"{a} + {b} = {number}.", f"{a} plus {b} makes {number}.", f"{a} and {b} makes {number} in all.")
    return before_the_end(trace, one_of(rng, list(forms)))


@lie
def says_that_no_look_was_needed(trace: Trace, rng: np.random.Generator) -> Trace:
    forms = (
        "The overview alone was enough to see it.",
        "I did not need to zoom in for this.",
        "Without looking closer I can tell.",
        "No crop was necessary.",
        "I answer from the overview alone.",
    )
    return before_the_end(trace, one_of(rng, forms))


@lie
def blames_the_right_look(trace: Trace, rng: np.random.Generator) -> Trace:
    forms = (
        "This crop missed the detail in question.",
        "I was looking in the wrong place.",
        "What I need is not in this crop.",
        "This turns out to be an unrelated part of the picture.",
        "These frames do not show what the question is about.",
        "This look was a mistake.",
    )
    return before_the_end(trace, one_of(rng, forms))
