"""Outcomes: what became of a plan, and the journal that keeps them as they come.

A process that is killed at any moment leaves a journal from which the next one goes on. Knows rows and traces; knows
nothing of how a plan is narrated or checked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.traces import Mistake, Trace, TraceTurn
from pixel_env.errors import ConfigError
from pixel_env.store import TrajectoryStore, read
from synth.plans import Plan

JOURNAL = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of the plan number `index`: its turns, or why there are none (`dropped`, what counts go by, and a message).

    `deeds`: equal for traces that do the same (`verify.py`).
    """

    index: int
    plan_id: str
    turns: tuple[TraceTurn, ...] = ()
    deeds: str = ""
    dropped: str = ""
    message: str = ""

    def trace(self, plan: Plan) -> Trace:
        """The trace that was kept."""
        return Trace(plan.task, self.turns, plan.kind.value)


class Journal:
    """The outcomes of a folder, those of a killed process included; new ones are on disk before `add` returns."""

    def __init__(self, folder: Path) -> None:
        try:
            self._store = TrajectoryStore(folder / JOURNAL)
        except OSError as error:
            raise ConfigError(f"{folder} cannot be written: {error.strerror}. Give another --out.") from error
        self.outcomes: dict[int, Outcome] = {outcome.index: outcome for outcome in read_journal(self._store.path)}

    def add(self, outcome: Outcome) -> None:
        """Keeps `outcome`."""
        self._store.append(_row(outcome))
        self.outcomes[outcome.index] = outcome

    def has(self, index: int, plan: Plan) -> bool:
        """Whether plan number `index` has an outcome. Raises ConfigError if it is that of another plan."""
        outcome = self.outcomes.get(index)
        if outcome is not None and outcome.plan_id != plan.plan_id:
            raise ConfigError(
                f"{self._store.path} holds {outcome.plan_id!r} as plan {index}, which is {plan.plan_id!r} now: the "
                "seeds or the release have changed. Give another --out, or remove the journal."
            )
        return outcome is not None


def read_journal(path: Path) -> Iterator[Outcome]:
    """The outcomes in the file, in order; none if there is no file. Raises ConfigError for a broken row."""
    for row in read(path):
        try:
            yield _outcome(row)
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"{path} holds a row that is no outcome of a plan ({error}); remove the row") from error


def _row(outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = {"index": outcome.index, "plan_id": outcome.plan_id}
    if outcome.dropped:
        return {**row, "dropped": outcome.dropped, "message": outcome.message}
    turns = [[turn.text, turn.train, turn.mistake] for turn in outcome.turns]
    return {**row, "deeds": outcome.deeds, "turns": turns}


def _outcome(row: dict[str, Any]) -> Outcome:
    turns = tuple(
        TraceTurn(text, train, None if mistake is None else Mistake(mistake))
        for text, train, mistake in row.get("turns", ())
    )
    dropped, message = row.get("dropped", ""), row.get("message", "")
    if not turns and not dropped:
        raise ValueError("neither turns nor a reason")
    return Outcome(row["index"], row["plan_id"], turns, row.get("deeds", ""), dropped, message)
