"""Outcomes of plans, and the journal that stores them as they come.

A process that is killed at any moment leaves a journal from which the next one resumes. Depends on rows and traces;
independent of how a plan is narrated and verified.
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
    """The outcome of plan number `index`: the turns of its trace, or why it is dropped (a countable reason, a message).

    `fingerprint`: that of the plan (`fingerprints.py`). `action_fingerprint`: equal for traces with the same images and
    actions (`verify.py`). `is_final`: False if another attempt may succeed, as after a failure of the endpoint; such an
    outcome is valid in this process only.
    """

    index: int
    plan_id: str
    fingerprint: str
    turns: tuple[TraceTurn, ...] = ()
    action_fingerprint: str = ""
    dropped: str = ""
    message: str = ""
    is_final: bool = True

    def trace(self, plan: Plan) -> Trace:
        """The trace of the plan with the turns of this outcome."""
        return Trace(plan.task, self.turns, plan.kind.value)


class Journal:
    """The outcomes in a folder, including those of killed processes; new ones are on disk before `add` returns.

    An outcome is identified by the number and the fingerprint of its plan. The number is not enough: which plan
    replaces a dropped one depends on outcomes, so that a number may belong to another plan after an outcome that was
    not final.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._store = TrajectoryStore(folder / JOURNAL)
        except OSError as error:
            raise ConfigError(f"{folder} cannot be written: {error.strerror}. Give another --output_dir.") from error
        self._outcomes: dict[tuple[int, str], Outcome] = {}
        for outcome in read_journal(self._store.path):
            self._outcomes[outcome.index, outcome.fingerprint] = outcome

    def add(self, outcome: Outcome) -> None:
        """Adds `outcome`; it is written to disk only if it is final."""
        if outcome.is_final:
            self._store.append(_row(outcome))
        self._outcomes[outcome.index, outcome.fingerprint] = outcome

    def merge(self, outcome: Outcome) -> None:
        """Adds an outcome of a shard unless it is known."""
        if (outcome.index, outcome.fingerprint) not in self._outcomes:
            self.add(outcome)

    def of(self, index: int, plan: Plan) -> Outcome | None:
        """The outcome of plan number `index`, or None if there is none yet."""
        return self._outcomes.get((index, plan.fingerprint))

    def check(self, plans: Sequence[Plan]) -> None:
        """Raises ConfigError if an outcome belongs to another plan than the one with its number in `plans`."""
        for (index, fingerprint), outcome in self._outcomes.items():
            if index < len(plans) and plans[index].fingerprint != fingerprint:
                raise ConfigError(
                    f"{self._store.path} has {outcome.plan_id!r} as plan {index}, but that plan is now "
                    f"{plans[index].plan_id!r}, or its images or annotations differ: the seed data or the release of "
                    "pixel-env have changed. Give "
                    "another --output_dir, or remove the journal."
                )


def read_journal(path: Path) -> Iterator[Outcome]:
    """The outcomes in the file, in order; none without a file. Raises ConfigError for a broken row."""
    for row in read(path):
        try:
            yield _outcome(row)
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"{path} has a row that is not an outcome of a plan ({error}); remove the row") from error


def _row(outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = {"index": outcome.index, "plan_id": outcome.plan_id, "mark": outcome.fingerprint}
    if outcome.dropped:
        return {**row, "dropped": outcome.dropped, "message": outcome.message}
    return {**row, "deeds": outcome.action_fingerprint, "turns": [turn_row(turn) for turn in outcome.turns]}


def _outcome(row: dict[str, Any]) -> Outcome:
    turns = tuple(read_turn(turn) for turn in row.get("turns", ()))
    dropped, message = row.get("dropped", ""), row.get("message", "")
    if not turns and not dropped:
        raise ValueError("it has neither turns nor a reason")
    return Outcome(row["index"], row["plan_id"], row["mark"], turns, row.get("deeds", ""), dropped, message)
