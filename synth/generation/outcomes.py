"""Outcomes: what became of a plan, and the journal that keeps them as they come.

A process that is killed at any moment leaves a journal from which the next one goes on. Knows rows and traces; knows
nothing of how a plan is narrated or checked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.traces.trace import Trace, TraceTurn, read_turn, turn_row
from pixel_env.errors import ConfigError
from pixel_env.store import TrajectoryStore, read
from synth.plans.plan import Plan

JOURNAL = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of the plan number `index`: its turns, or why there are none (`dropped`, what counts go by, and a message).

    `mark`: the plan's (`marks.py`). `deeds`: equal for traces that do the same (`verify.py`). `is_final`: False where
    another attempt may end otherwise, as after a failure of the endpoint; such an outcome holds for this process alone.
    """

    index: int
    plan_id: str
    mark: str
    turns: tuple[TraceTurn, ...] = ()
    deeds: str = ""
    dropped: str = ""
    message: str = ""
    is_final: bool = True

    def trace(self, plan: Plan) -> Trace:
        """The trace that was kept."""
        return Trace(plan.task, self.turns, plan.kind.value)


class Journal:
    """The outcomes of a folder, those of a killed process included; new ones are on disk before `add` returns.

    An outcome is found by its plan's number and mark: which plan makes up for a dropped one depends on outcomes, so a
    number may have stood for another plan before an outcome that was not final became one.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._store = TrajectoryStore(folder / JOURNAL)
        except OSError as error:
            raise ConfigError(f"{folder} cannot be written: {error.strerror}. Give another --out.") from error
        self._outcomes: dict[tuple[int, str], Outcome] = {}
        for outcome in read_journal(self._store.path):
            self._outcomes[outcome.index, outcome.mark] = outcome

    def add(self, outcome: Outcome) -> None:
        """Keeps `outcome`; on disk only if it is final."""
        if outcome.is_final:
            self._store.append(_row(outcome))
        self._outcomes[outcome.index, outcome.mark] = outcome

    def take_over(self, outcome: Outcome) -> None:
        """Keeps what a shard found out, unless it is known."""
        if (outcome.index, outcome.mark) not in self._outcomes:
            self.add(outcome)

    def of(self, index: int, plan: Plan) -> Outcome | None:
        """The outcome of plan number `index`, None if there is none yet."""
        return self._outcomes.get((index, plan.mark))

    def check(self, plans: Sequence[Plan]) -> None:
        """Raises ConfigError if it holds an outcome of another plan under the number of one of the first plans."""
        for (index, mark), outcome in self._outcomes.items():
            if index < len(plans) and plans[index].mark != mark:
                raise ConfigError(
                    f"{self._store.path} holds {outcome.plan_id!r} as plan {index}, which is {plans[index].plan_id!r} "
                    "now, or is about other pictures or annotations: the seeds or the release have changed. Give "
                    "another --out, or remove the journal."
                )


def read_journal(path: Path) -> Iterator[Outcome]:
    """The outcomes in the file, in order; none if there is no file. Raises ConfigError for a broken row."""
    for row in read(path):
        try:
            yield _outcome(row)
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"{path} holds a row that is no outcome of a plan ({error}); remove the row") from error


def _row(outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = {"index": outcome.index, "plan_id": outcome.plan_id, "mark": outcome.mark}
    if outcome.dropped:
        return {**row, "dropped": outcome.dropped, "message": outcome.message}
    return {**row, "deeds": outcome.deeds, "turns": [turn_row(turn) for turn in outcome.turns]}


def _outcome(row: dict[str, Any]) -> Outcome:
    turns = tuple(read_turn(turn) for turn in row.get("turns", ()))
    dropped, message = row.get("dropped", ""), row.get("message", "")
    if not turns and not dropped:
        raise ValueError("neither turns nor a reason")
    return Outcome(row["index"], row["plan_id"], row["mark"], turns, row.get("deeds", ""), dropped, message)
