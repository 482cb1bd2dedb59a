"""A run in which nothing was read: which dialects of the table would have read what the model wrote.

A model that writes another dialect than the one it is played in scores zero, or guesses without a call, and no figure
tells why. Depends on trajectories and dialects; independent of files, engines and task sets.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.evaluation.policies import SCRIPTED_ZOOM
from benchmarks.evaluation.records import Record
from pixel_env.actions import parse
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.table import DIALECTS, dialect_named, parts_of_name
from pixel_env.episode import Action, Answer, Malformed, Trajectory, Turn
from pixel_env.errors import PixelEnvError
from pixel_env.grading.boxed import last_boxed
from pixel_env.media.sizes import native_size, shown_size
from pixel_env.operations.operation import Operation
from pixel_env.views import View, ViewBudgets

_REFUSED = 0.9
"""Share of unreadable calls among all calls from which nearly all are refused."""
_UNSEEN = 0.1
"""Share of turns in which other dialects read a call, from which a run without any call is told so."""
_NAMED = 4
"""Dialects that are named at most."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A turn of the model's own, and the images before it."""

    turn: Turn
    views: tuple[View, ...]
    budgets: ViewBudgets

    def read_in(self, dialect: Dialect) -> Action:
        """What the dialect reads in the turn. Only here are sizes needed, for which images may have to be decoded."""
        shown = [shown_size(view, self.budgets) for view in self.views]
        return parse(self.turn.text, dialect, shown, [native_size(view) for view in self.views])


def unread_notice(records: Sequence[Record], budgets: ViewBudgets, dialect_name: str) -> str | None:
    """What to tell about a run whose turns were not read; None if they were.

    Told of are a run in which no turn was a call or an answer; one whose calls were nearly all unreadable, or that had
    none, where another dialect would have read them. The others are those of `DIALECTS`, each with the number of turns
    that it reads; a dialect for which every text is an answer counts the calls and the boxed answers. `budgets`: the
    images were shown within; `dialect_name`: the run's. Scripted turns are left out.
    """
    said = [one for record in records for one in _own_turns(record, budgets)]
    if not said:
        return None
    kinds = Counter(_kind(one.turn.action) for one in said)
    others = {name: row for name, row in DIALECTS.items() if name != parts_of_name(dialect_name)[0]}
    if not kinds["call"] + kinds["answer"]:
        told = f"None of the model's {len(said)} turns was a call or an answer in the dialect {dialect_name}."
        return f"{told} {_would_read(_counts(said, others), 'of them')}"
    if not _offers_calls(dialect_name):
        return None
    calls = kinds["call"] + kinds["unreadable"]
    if kinds["unreadable"] and kinds["unreadable"] >= _REFUSED * calls:
        unreadable = [one for one in said if isinstance(one.turn.action, Malformed)]
        counts = _counts(unreadable, others, calls_only=True)
        told = f"{len(unreadable)} of the model's {calls} calls could not be read in the dialect {dialect_name}."
        return f"{told} {_would_read(counts, 'of them')}" if counts else None
    if not calls:
        counts = _counts(said, others, calls_only=True)
        told = f"None of the model's {len(said)} turns was a call in the dialect {dialect_name}."
        is_told = max(counts.values(), default=0) >= _UNSEEN * len(said)
        return f"{told} {_would_read(counts, 'calls')}" if is_told else None
    return None


def _own_turns(record: Record, budgets: ViewBudgets) -> Iterator[_Said]:
    trajectory = record.trajectory
    views = trajectory.prompt_views
    for index, turn in enumerate(trajectory.turns):
        if index >= _scripted(record.policy, trajectory):
            yield _Said(turn, views, budgets)
        views += turn.views


def _scripted(policy: str, trajectory: Trajectory) -> int:
    """At most so many of the first turns are scripted: those that call, under a policy that scripts the first calls."""
    if policy not in SCRIPTED_ZOOM:
        return 0
    calls = (isinstance(turn.action, Operation) for turn in trajectory.turns)
    return next((index for index, is_call in enumerate(calls) if not is_call), len(trajectory.turns))


def _kind(action: Action) -> str:
    match action:
        case Operation():
            return "call"
        case Answer():
            return "answer"
        case Malformed():
            return "unreadable"
        case _:
            return "text"


def _counts(said: Sequence[_Said], others: Mapping[str, Dialect], *, calls_only: bool = False) -> Counter[str]:
    """How many of the turns each dialect reads, without those that read none."""
    counts: Counter[str] = Counter()
    for name, dialect in others.items():
        number = sum(_reads(one, dialect, calls_only=calls_only) for one in said)
        if number:
            counts[name] = number
    return counts


def _reads(said: _Said, dialect: Dialect, *, calls_only: bool) -> bool:
    action = said.read_in(dialect)
    if isinstance(action, Answer):
        is_marked = dialect.answer_rule != "any" or last_boxed(said.turn.text) is not None
        return is_marked and not calls_only
    return isinstance(action, Operation)


def _would_read(counts: Counter[str], what: str) -> str:
    if not counts:
        return "No other dialect of the table reads any of them either: see what it wrote, with pixel-env view."
    listed = ", ".join(f"{name} reads {number} {what}" for name, number in counts.most_common(_NAMED))
    return f"Other dialects do: {listed}. Play again with the --dialect that the model was taught."


def _offers_calls(dialect_name: str) -> bool:
    try:
        return dialect_named(dialect_name).offers_calls
    except PixelEnvError:  # one of a user's own, in a module that is not here
        return True
