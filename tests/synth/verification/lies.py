"""An adversarial generator of lies: verified traces with one false statement or one false action put in.

    python -m tests.synth.verification.lies

prints of each kind how many of `EACH` the verification drops. Every lie is drawn from honest traces of the template
teacher by a seeded generator; the kinds in `UNDECIDABLE` need eyes, and stand here to show what passes.
"""

import numpy as np

from agents.traces.trace import Trace
from synth.verification.verify import verify
from tests.synth.verification import (
    lies_about_answers,
    lies_about_looks,
    lies_of_actions,
    lies_that_need_eyes,
    lies_told_early,
)
from tests.synth.verification.lie_kit import LIES, SETTINGS, honest_traces

EACH = 25
DECIDABLE = tuple(
    kind
    for module in (lies_of_actions, lies_about_answers, lies_about_looks, lies_told_early)
    for kind in LIES
    if kind in vars(module)
)
UNDECIDABLE = tuple(kind for kind in LIES if kind in vars(lies_that_need_eyes))


def lies_of(kind: str, count: int = EACH) -> list[Trace]:
    """`count` lies of a kind, each from another honest trace where there are enough."""
    rng = np.random.default_rng(sum(map(ord, kind)))
    traces, found = honest_traces(), list[Trace]()
    for _ in range(4):
        for index in rng.permutation(len(traces)):
            if len(found) == count:
                return found
            told = LIES[kind](traces[int(index)], rng)
            if told is not None:
                found.append(told)
    raise AssertionError(f"{kind}: {len(found)} of {count} lies")


def caught(kind: str, count: int = EACH) -> list[str]:
    """For each lie of a kind the reason why it is dropped; "" for one that passes."""
    verdicts = [verify(trace, SETTINGS) for trace in lies_of(kind, count)]
    return ["" if verdict.fault is None else verdict.fault.reason.value for verdict in verdicts]


def table(count: int = EACH) -> str:
    """Of each kind how many lies are dropped, and for which reasons, as a table of Markdown."""
    rows = ["| kind of lie | dropped | reasons |", "|---|---|---|"]
    for kind in (*DECIDABLE, *UNDECIDABLE):
        reasons = [reason for reason in caught(kind, count) if reason]
        named = ", ".join(f"`{reason}`" for reason in sorted(set(reasons), key=reasons.count, reverse=True))
        rows.append(f"| {kind.replace('_', ' ')} | {len(reasons)} of {count} | {named} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())
