"""The episodes that an audit reads, with what could not be read; each step with what came before it.

Depends on evaluations and dialects; independent of the files that the episodes come from and of what is measured.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.evaluation.records import Evaluation
from pixel_env.actions import parse_all
from pixel_env.boxes import Size
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Action, Text, Trajectory, Turn, Unfinished
from pixel_env.media.sizes import native_size, shown_size
from pixel_env.operations.operation import Operation
from pixel_env.views import Source, View, ViewBudgets


@dataclass(frozen=True, slots=True)
class Episodes:
    """A run as an audit reads it.

    `rows`: how many the files hold; `faults`: the rows that cannot be audited, each with its location and the reason;
    `remarks`: what limits the audit of rows that can; `returned`: of each record, the images after each of its
    messages, empty where the files hold none.
    """

    name: str
    evaluation: Evaluation
    dialect: Dialect
    rows: int
    faults: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    returned: tuple[tuple[tuple[Source, ...], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class PlayedTurn:
    """A step of an episode with what came before its message.

    `number`: of the message, from 0; `call`: of the call in it, where a message may hold several; `text`: the whole
    message so far, earlier chunks that the token limit truncated included; `seen`: the images before it, in order, with
    their sizes as shown and in the source; `executed`: whether the operation was.
    """

    number: int
    call: int
    turn: Turn
    text: str
    seen: tuple[View, ...]
    shown_sizes: tuple[Size, ...]
    source_sizes: tuple[Size, ...]
    executed: bool

    def read_in(self, dialect: Dialect) -> tuple[Action, ...]:
        """What the message does in `dialect`."""
        return parse_all(self.text, dialect, self.shown_sizes, self.source_sizes)

    def call_in(self, dialect: Dialect) -> Operation | None:
        """The operation that this step's call requests in `dialect`; None if it reads none."""
        actions = self.read_in(dialect)
        action = actions[self.call] if self.call < len(actions) else None
        return action if isinstance(action, Operation) else None


def played_turns(trajectory: Trajectory, budgets: ViewBudgets) -> Iterator[PlayedTurn]:
    """The steps of the trajectory, in order. Raises MediaError if an image cannot be read."""
    executed = iter(trajectory.executed)
    texts: list[str] = []
    seen = trajectory.prompt_views
    for number, steps in enumerate(trajectory.messages):
        shown_sizes = tuple(shown_size(view, budgets) for view in seen)
        source_sizes = tuple(native_size(view) for view in seen)
        first = steps[0]
        text = _joined(texts, first.text)
        texts = [*texts, first.text] if isinstance(first.action, Text) and isinstance(first.text, Unfinished) else []
        for call, turn in enumerate(steps):
            yield PlayedTurn(number, call, turn, text, seen, shown_sizes, source_sizes, next(executed))
        seen += tuple(view for turn in steps for view in turn.views)


def _joined(earlier: Sequence[str], last: str) -> str:
    """The text `last` behind the chunks that it continues; Unfinished if it was truncated itself."""
    joined = "".join([*earlier, last])
    return Unfinished(joined) if isinstance(last, Unfinished) else joined
