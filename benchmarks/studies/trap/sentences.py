"""Sentences on a run, each derived from its figures, also where the trap or the cure did not appear.

Knows findings and words. Knows nothing of HTML.
"""

from agents.metrics.statistics import Estimate
from benchmarks.evaluation.policies import LEARNED_ZOOM, NO_ZOOM, ORACLE_ZOOM
from benchmarks.studies.trap.findings import CHANCE, EXTINCT, Checkpoint, Findings, Look, Outcome, Verdict
from benchmarks.text_tables import signed, signed_interval

NEEDED_ROLLOUTS = 2000
"""Fewer sampled rollouts than this say little about the call advantage."""


def percent(value: float) -> str:
    """A fraction as whole percent."""
    return "no figure" if value != value else f"{100 * value:.0f}%"


def points(difference: Estimate) -> str:
    """A difference of fractions in percentage points, with its interval."""
    if difference.value != difference.value:
        return "no figure"
    value, low, high = (_signed_points(part) for part in (difference.value, difference.low, difference.high))
    zero = ", which holds zero" if difference.low <= 0 <= difference.high else ""
    return f"{value} points (95% interval {low} to {high}{zero})"


def _signed_points(value: float) -> str:
    return f"{round(100 * value):+d}".replace("+0", "0")


# -------------------------------------------------------------------------------------------------- before RL


def look_sentence(look: Look) -> str:
    """One sentence in one of three forms, and what it rests on."""
    return f"{_expectation(look)} {look_grounds(look)}"


def _expectation(look: Look) -> str:
    advantage = f"{signed(look.hard.value)} {signed_interval(look.hard)}"
    match look.verdict:
        case Verdict.LEARNS:
            return (
                f"Correctness alone is likely to learn to zoom: where a crop is needed, rollouts that call are right "
                f"more often than those that do not (call advantage {advantage})."
            )
        case Verdict.TRAP:
            return (
                f"Correctness alone is likely to fall into the learning trap: where a crop is needed, rollouts that "
                f"call are right less often than those that guess (call advantage {advantage})."
            )
        case Verdict.OPEN:
            return (
                f"Whether correctness alone will learn to zoom cannot be told: the call advantage where a crop is "
                f"needed is {advantage}{_why_open(look)}."
            )


def _why_open(look: Look) -> str:
    if look.hard.value != look.hard.value:
        return " (rollouts with a call, or without one, are missing)"
    if look.hard.low > 0:
        return ", above zero, but what follows a call is not ripe yet"
    return ", and its interval holds zero"


def look_grounds(look: Look) -> str:
    """The figures beside the call advantage."""
    few = f" These are few rollouts; {NEEDED_ROLLOUTS:,} are needed." if look.rollouts < NEEDED_ROLLOUTS else ""
    ripe = "ripe" if look.is_ripe else "not ripe"
    return (
        f"{look.rollouts:,} sampled rollouts, of which {percent(look.hard_rapr)} call where a crop is needed. With the "
        f"oracle's crop {percent(look.with_oracle.value)} are right; {_easy_grounds(look)}: "
        f"the path after a call is {ripe}.{few}"
    )


def _easy_grounds(look: Look) -> str:
    after, without = look.easy_after_call, look.easy_without_call
    if not after.n and not without.n:
        return "no easy question was asked"
    if not after.n:
        return f"easy questions are right in {percent(without.value)}, and none is called on"
    if not without.n:
        return f"easy questions are right in {percent(after.value)}, and all are called on"
    return f"easy questions are right in {percent(after.value)} after a call and in {percent(without.value)} without"


# --------------------------------------------------------------------------------------------------- afterwards


def headline(found: Findings) -> str:
    """What happened, in one line."""
    without, with_bonus = found.without_curiosity.outcome, found.with_curiosity.outcome
    stopped = _did(Outcome.GAVE_UP, found)
    match (without, with_bonus):
        case (Outcome.GAVE_UP, Outcome.LEARNED):
            return f"With curiosity the model learned to zoom; without it, it {stopped}."
        case (Outcome.LEARNED, Outcome.LEARNED):
            return "Both arms learned to zoom: the learning trap did not appear in this run."
        case (Outcome.GAVE_UP, Outcome.GAVE_UP):
            return f"With and without curiosity the model {stopped}: the bonus was no cure in this run."
        case (Outcome.LEARNED, Outcome.GAVE_UP):
            return f"Without curiosity the model learned to zoom; with it, it {stopped}: the reverse of the story."
        case (Outcome.GAVE_UP, _):
            return f"Without curiosity the model {stopped}; with it, it looks, but has not learned to zoom."
        case (_, Outcome.LEARNED):
            return "With curiosity the model learned to zoom; without it, it looks, but has not learned to."
        case (Outcome.LEARNED, _):
            return "Without curiosity the model learned to zoom; with it, it looks, but has not learned to."
        case (_, Outcome.GAVE_UP):
            return f"With curiosity the model {stopped}; without it, it looks, but has not learned to zoom."
        case _:
            return "Neither arm learned to zoom, and both still look: this run shows neither trap nor cure."


def with_sentence(found: Findings) -> str:
    """The arm with curiosity: what it learned and how it compares."""
    final, accuracies = found.with_curiosity, found.with_curiosity.accuracies
    oracle, learned = accuracies[ORACLE_ZOOM].value, accuracies[LEARNED_ZOOM].value
    share = f", {percent(learned / oracle)} of what an oracle's crop gives ({percent(oracle)})" if oracle > 0 else ""
    guess = ", which is a guess" if found.no_zoom is CHANCE else ""
    return (
        f"With the curiosity bonus {percent(learned)} of the questions that need a crop are answered right{share}. "
        f"Without looking it is {percent(found.no_zoom.value)} at best{guess}. Compared with the warm start that is "
        f"{points(found.gain)}. It looks in {percent(final.rapr)} of sampled rollouts."
    )


def without_sentence(found: Findings) -> str:
    """The arm on correctness alone."""
    arm = found.without_curiosity
    gain = arm.gain_over_no_zoom
    learned, own_no_zoom = (percent(arm.accuracies[policy].value) for policy in (LEARNED_ZOOM, NO_ZOOM))
    looks = {
        Outcome.GAVE_UP: f"it looks in {percent(arm.rapr)} of sampled rollouts, below the {percent(EXTINCT)} that "
        "count as given up",
        Outcome.LEARNED: f"it looks in {percent(arm.rapr)} of sampled rollouts and gains from it",
        Outcome.BETWEEN: f"it looks in {percent(arm.rapr)} of sampled rollouts",
    }[arm.outcome]
    return (
        f"On correctness alone, from the same warm start, {looks}. It answers "
        f"{learned} right, its own no zoom {own_no_zoom}: a difference of {points(gain)}."
    )


def easy_sentence(found: Findings) -> str:
    """What happens where the overview suffices."""
    parts = [_easy(found.with_curiosity, "with curiosity"), _easy(found.without_curiosity, "without")]
    return f"Where the overview suffices, {parts[0]}, and {parts[1]}."


def _easy(checkpoint: Checkpoint, name: str) -> str:
    return f"{percent(checkpoint.easy_accuracy.value)} are right {name} ({percent(checkpoint.easy_rapr)} look)"


def expectation_check(found: Findings) -> str:
    """Whether the sentence printed before RL came true for the arm on correctness alone."""
    expected = found.look.verdict
    outcome = found.without_curiosity.outcome
    came_true = prediction_was_right(expected, outcome)
    if expected is Verdict.OPEN:
        return f"Before the training it could not be told what correctness alone would do; it {_did(outcome, found)}."
    if came_true is None:
        return f"The look before the training said: {expected}. The arm {_did(outcome, found)}, so that stays open."
    return f"The look before the training said: {expected}. That was {'right' if came_true else 'wrong'} this time."


def prediction_was_right(expected: Verdict, outcome: Outcome) -> bool | None:
    """None where nothing was predicted, or where the arm did neither."""
    if expected is Verdict.OPEN or outcome is Outcome.BETWEEN:
        return None
    return (expected is Verdict.LEARNS) == (outcome is Outcome.LEARNED)


def _did(outcome: Outcome, found: Findings) -> str:
    looked_before = found.warm_start.rapr >= EXTINCT
    return {
        Outcome.LEARNED: "learned to zoom",
        Outcome.GAVE_UP: "stopped looking" if looked_before else "never began to look",
        Outcome.BETWEEN: "did neither clearly",
    }[outcome]
