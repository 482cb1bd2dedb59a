"""Turns that another dialect would have read as a call: a model whose language is not the one it was played in.

Depends on played turns and the table of dialects; independent of regions and files.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from benchmarks.audit.episodes import PlayedTurn
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.table import DIALECTS
from pixel_env.episode import Answer, Malformed, Text
from pixel_env.operations.operation import Operation

_LONGEST = 160


@dataclass(frozen=True, slots=True)
class Example:
    """A turn and the end of its text; `turn` counts from 0."""

    task_id: str
    turn: int
    text: str


@dataclass(slots=True)
class Reading:
    """What one dialect reads in the turns that were no operation in the run's own: calls, by what they were there."""

    calls: dict[str, int] = field(default_factory=dict)
    example: Example | None = None


@dataclass(slots=True)
class Readings:
    """The turns without an operation, by what they were (text, answer, or the code of a malformed call).

    `by_dialect`: those dialects that read a call in at least one of them.
    """

    turns: dict[str, int] = field(default_factory=dict)
    by_dialect: dict[str, Reading] = field(default_factory=dict)

    def add(self, task_id: str, played: Iterable[PlayedTurn], others: Mapping[str, Dialect]) -> None:
        """Counts the turns of an episode; `others`: the dialects to read them in."""
        for one in played:
            if (kind := _kind(one)) is None:
                continue
            self.turns[kind] = self.turns.get(kind, 0) + 1
            for name, dialect in others.items():
                if any(isinstance(action, Operation) for action in one.read_in(dialect)):
                    reading = self.by_dialect.setdefault(name, Reading())
                    reading.calls[kind] = reading.calls.get(kind, 0) + 1
                    reading.example = reading.example or Example(task_id, one.number, _end_of(one.text))


def other_dialects(dialect: Dialect) -> dict[str, Dialect]:
    """The rows of the table without the one that `dialect` is, or is a variant of."""
    own = dialect.name.partition("+")[0].partition(":")[0]
    return {name: other for name, other in DIALECTS.items() if name != own}


def _kind(played: PlayedTurn) -> str | None:
    """What a turn without an operation was; None for an operation, and for all but the first call of a message."""
    if played.call > 0:
        return None
    match played.turn.action:
        case Text():
            return "text"
        case Answer():
            return "answer"
        case Malformed(code, _):
            return code.value
        case _:
            return None


def _end_of(text: str) -> str:
    return str(text) if len(text) <= _LONGEST else f"...{text[-_LONGEST:]}"
