"""Judging: an outcome whose trace was verified is kept only if a judge finds every sentence of it true.

Depends on outcomes and a judge; independent of how traces are made.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Protocol

from agents.rollout import EpisodeSettings
from agents.traces.trace import Trace
from synth.generation.outcomes import Outcome
from synth.plans.plan import Plan, Refusal


class Judge(Protocol):
    """Reads verified traces, `concurrency` at a time (`judge/judge.py`, which only a run with a judge loads)."""

    @property
    def concurrency(self) -> int: ...

    def refusals(self, traces: Sequence[Trace], settings: EpisodeSettings) -> Sequence[Refusal | None]:
        """Of each trace why it is dropped, or None. Raises ConfigError."""
        ...


def judged(
    outcomes: Iterable[Outcome], plan_of: Callable[[int], Plan], judge: Judge, settings: EpisodeSettings
) -> Iterator[Outcome]:
    """The outcomes, in order; as many as the judge reads at a time are judged together. Raises ConfigError."""
    following = iter(outcomes)
    while some := list(islice(following, judge.concurrency)):
        kept = [one for one in some if not one.dropped]
        refusals = judge.refusals([one.trace(plan_of(one.index)) for one in kept], settings)
        by_index = {one.index: refusal for one, refusal in zip(kept, refusals, strict=True)}
        for one in some:
            refusal = by_index.get(one.index)
            yield (
                one
                if refusal is None
                else replace(one, turns=(), dropped=refusal.code, message=refusal.message, is_final=refusal.is_final)
            )
