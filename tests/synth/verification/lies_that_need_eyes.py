"""Lies that no rule on texts and geometry can decide."""

import numpy as np

from agents.traces.trace import Trace
from tests.synth.verification.lie_kit import before_the_end, lie, number_of, one_of, told_early, with_turn


@lie
def describes_what_is_not_there(trace: Trace, rng: np.random.Generator) -> Trace:
    forms = (
        "A brown dog sleeps in front of a red barn, so I look closer.",
        "A crowd is waving flags under a stormy sky.",
        "Two men shake hands in an office; the detail is small.",
    )
    return with_turn(trace, 0, words=one_of(rng, forms))


@lie
def gives_a_false_reason(trace: Trace, rng: np.random.Generator) -> Trace:
    answer = trace.task.answers[0]
    forms = (
        "Its shadow proves it: {}.",
        "As the sign beside it explains, the answer is {}.",
        "Its shape is a spiral: {}.",
    )
    return before_the_end(trace, one_of(rng, forms).format(answer))


@lie
def tells_by_a_riddle(trace: Trace, rng: np.random.Generator) -> Trace | None:
    riddles = {3: "as many as a triangle has sides", 4: "as many as a dog has legs", 7: "as many as the days of a week"}
    number = number_of(trace)
    if number not in riddles or trace.task.options:
        return None
    return told_early(trace, f"It looks like {riddles[number]}.")
