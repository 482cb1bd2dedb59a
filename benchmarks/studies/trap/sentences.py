"""Sentences about a run, each derived from its figures, also where neither trap nor cure appeared.

Depends on findings; independent of HTML.
"""

from agents.metrics.statistics import Estimate
from benchmarks.evaluation.policies import LEARNED_ZOOM, NO_ZOOM, ORACLE_ZOOM
from benchmarks.studies.trap.findings import CHANCE, EXTINCT, Checkpoint, Findings, Outcome, Probe, Verdict
from benchmarks.text_tables import signed, signed_interval

NEEDED_ROLLOUTS = 2000
"""Fewer sampled rollouts than this give too wide an interval of the call advantage."""


def percent(value: float) -> str:
    """A fraction as whole percent."""
    return "no figure" if value != value else f"{100 * value:.0f}%"


def points(difference: Estimate) -> str:
    """A difference of fractions in percentage points, with its interval."""
    if difference.value != difference.value:
        return "no figure"
    value, low, high = (_signed_points(part) for part in (difference.value, difference.low, difference.high))
    zero = ", which contains zero" if difference.low <= 0 <= difference.high else ""
    return f"{value} points (95% interval {low} to {high}{zero})"


def _signed_points(value: float) -> str:
    return f"{round(100 * value):+d}".replace("+0", "0")


# -------------------------------------------------------------------------------------------------- before RL


def probe_sentence(probe: Probe) -> str:
    """The prediction in one of three forms, and the figures behind it."""
    return f"{_prediction(probe)} {probe_grounds(probe)}"


def _prediction(probe: Probe) -> str:
    advantage = f"{signed(probe.hard.value)} {signed_interval(probe.hard)}"
    match probe.verdict:
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
                f"It is undecided whether correctness alone will learn to zoom: the call advantage where a crop is "
                f"needed is {advantage}{_why_open(probe)}."
            )


def _why_open(probe: Probe) -> str:
    if probe.hard.value != probe.hard.value:
        return " (rollouts with a call, or without one, are missing)"
    if probe.hard.low > 0:
        return ", above zero, but the warm start is not ripe: it does not yet profit from crops"
    return ", and its interval contains zero"


def probe_grounds(probe: Probe) -> str:
    """The figures besides the call advantage."""
    few = f" These are too few rollouts: {NEEDED_ROLLOUTS:,} are needed." if probe.rollouts < NEEDED_ROLLOUTS else ""
    ripe = "ripe" if probe.is_ripe else "not ripe"
    return (
        f"Of {probe.rollouts:,} sampled rollouts, {percent(probe.hard_rapr)} call where a crop is needed. With the "
        f"oracle's crop {percent(probe.with_oracle.value)} are right; {_easy_grounds(probe)}: "
        f"the warm start is {ripe}.{few}"
    )


def _easy_grounds(probe: Probe) -> str:
    after, without = probe.easy_after_call, probe.easy_without_call
    if not after.n and not without.n:
        return "there are no easy questions"
    if not after.n:
        return f"easy questions are right in {percent(without.value)}, always without a call"
    if not without.n:
        return f"easy questions are right in {percent(after.value)}, always after a call"
    return f"easy questions are right in {percent(after.value)} after a call and in {percent(without.value)} without"


# --------------------------------------------------------------------------------------------------- afterwards


def headline(findings: Findings) -> str:
    """The result in one line."""
    without, with_bonus = findings.without_curiosity.outcome, findings.with_curiosity.outcome
    stopped = _did(Outcome.GAVE_UP, findings)
    match (without, with_bonus):
        case (Outcome.GAVE_UP, Outcome.LEARNED):
            return f"With curiosity the model learned to zoom; without it, it {stopped}."
        case (Outcome.LEARNED, Outcome.LEARNED):
            return "Both arms learned to zoom: the learning trap did not appear in this run."
        case (Outcome.GAVE_UP, Outcome.GAVE_UP):
            return f"With and without curiosity the model {stopped}: the bonus did not help in this run."
        case (Outcome.LEARNED, Outcome.GAVE_UP):
            return f"Without curiosity the model learned to zoom; with it, it {stopped}: the opposite of the claim."
        case (Outcome.GAVE_UP, _):
            return f"Without curiosity the model {stopped}; with it, it crops, but did not clearly learn to zoom."
        case (_, Outcome.LEARNED):
            return "With curiosity the model learned to zoom; without it, it crops, but did not clearly learn to."
        case (Outcome.LEARNED, _):
            return "Without curiosity the model learned to zoom; with it, it crops, but did not clearly learn to."
        case (_, Outcome.GAVE_UP):
            return f"With curiosity the model {stopped}; without it, it crops, but did not clearly learn to zoom."
        case _:
            return "Neither arm clearly learned to zoom, and both still crop: this run shows neither trap nor cure."


def with_sentence(findings: Findings) -> str:
    """The arm with curiosity: what it learned and how it compares."""
    final, accuracies = findings.with_curiosity, findings.with_curiosity.accuracies
    oracle, learned = accuracies[ORACLE_ZOOM].value, accuracies[LEARNED_ZOOM].value
    share = (
        f", {percent(learned / oracle)} of the accuracy with an oracle's crop ({percent(oracle)})" if oracle > 0 else ""
    )
    guess = ", the chance level" if findings.no_zoom is CHANCE else ""
    return (
        f"With the curiosity bonus {percent(learned)} of the questions that need a crop are answered right{share}. "
        f"Without zoom at most {percent(findings.no_zoom.value)} are right{guess}. The change from the warm start is "
        f"{points(findings.gain)}. The arm crops in {percent(final.rapr)} of sampled rollouts."
    )


def without_sentence(findings: Findings) -> str:
    """The arm on correctness alone."""
    arm = findings.without_curiosity
    gain = arm.gain_over_no_zoom
    learned, own_no_zoom = (percent(arm.accuracies[policy].value) for policy in (LEARNED_ZOOM, NO_ZOOM))
    usage = {
        Outcome.GAVE_UP: f"the arm crops in {percent(arm.rapr)} of sampled rollouts, below the {percent(EXTINCT)} from "
        "which an arm counts as still zooming",
        Outcome.LEARNED: f"the arm crops in {percent(arm.rapr)} of sampled rollouts and gains from it",
        Outcome.BETWEEN: f"the arm crops in {percent(arm.rapr)} of sampled rollouts",
    }[arm.outcome]
    return (
        f"On correctness alone, from the same warm start, {usage}. It answers "
        f"{learned} right, and {own_no_zoom} under no zoom: a difference of {points(gain)}."
    )


def easy_sentence(findings: Findings) -> str:
    """Accuracy and RaPR where the overview suffices."""
    parts = [_easy(findings.with_curiosity, "with curiosity"), _easy(findings.without_curiosity, "without")]
    return f"Where the overview suffices, {parts[0]}, and {parts[1]}."


def _easy(checkpoint: Checkpoint, name: str) -> str:
    return f"{percent(checkpoint.easy_accuracy.value)} are right {name} ({percent(checkpoint.easy_rapr)} crop)"


def expectation_check(findings: Findings) -> str:
    """Whether the prediction before RL was right for the arm on correctness alone."""
    expected = findings.probe.verdict
    outcome = findings.without_curiosity.outcome
    came_true = prediction_was_right(expected, outcome)
    if expected is Verdict.OPEN:
        return (
            f"The prediction before the training was undecided; the arm on correctness alone {_did(outcome, findings)}."
        )
    if came_true is None:
        return f"The prediction before the training was: {expected}. The arm {_did(outcome, findings)}: no conclusion."
    return (
        f"The prediction before the training was: {expected}. It was {'right' if came_true else 'wrong'} in this run."
    )


def prediction_was_right(expected: Verdict, outcome: Outcome) -> bool | None:
    """None if the prediction was undecided, or if the arm neither learned nor stopped."""
    if expected is Verdict.OPEN or outcome is Outcome.BETWEEN:
        return None
    return (expected is Verdict.LEARNS) == (outcome is Outcome.LEARNED)


def _did(outcome: Outcome, findings: Findings) -> str:
    zoomed_before = findings.warm_start.rapr >= EXTINCT
    return {
        Outcome.LEARNED: "learned to zoom",
        Outcome.GAVE_UP: "stopped zooming" if zoomed_before else "never began to zoom",
        Outcome.BETWEEN: "neither clearly learned nor stopped",
    }[outcome]
