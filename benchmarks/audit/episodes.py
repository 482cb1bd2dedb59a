"""The episodes that an audit reads, with what could not be read; the whole text and the shown sizes of a turn.

Depends on evaluations and dialects; independent of the files that the episodes come from and of what is measured.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.evaluation.records import Evaluation
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Text, Trajectory, Turn, Unfinished
from pixel_env.media.images import shown_size
from pixel_env.operations.coordinates import Size
from pixel_env.views import View, ViewBudgets


@dataclass(frozen=True, slots=True)
class Episodes:
    """A run as an audit reads it.

    `rows`: how many the files hold; `faults`: the rows that cannot be audited, each with its location and the reason;
    `remarks`: what limits the audit of rows that can.
    """

    name: str
    evaluation: Evaluation
    dialect: Dialect
    rows: int
    faults: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlayedTurn:
    """A turn with what came before it.

    `number`: from 0; `text`: the whole message so far, earlier chunks that the token limit truncated included; `seen`:
    the images until then, in order, and `shown_sizes` theirs; `executed`: whether its operation was.
    """

    number: int
    turn: Turn
    text: str
    seen: tuple[View, ...]
    shown_sizes: tuple[Size, ...]
    executed: bool


def played_turns(trajectory: Trajectory, budgets: ViewBudgets) -> Iterator[PlayedTurn]:
    """The turns of the trajectory, in order. Raises MediaError if an image cannot be read."""
    seen = trajectory.prompt_views
    sizes = tuple(shown_size(view, budgets) for view in seen)
    for number, (turn, executed) in enumerate(zip(trajectory.turns, trajectory.executed, strict=True)):
        yield PlayedTurn(number, turn, _whole_text(trajectory.turns[: number + 1]), seen, sizes, executed)
        seen += turn.views
        sizes += tuple(shown_size(view, budgets) for view in turn.views)


def _whole_text(turns: Sequence[Turn]) -> str:
    """The text of the last turn behind the chunks that it continues; Unfinished if it was truncated itself."""
    last = turns[-1].text
    chunks: list[str] = [last]
    for turn in reversed(turns[:-1]):
        if not (isinstance(turn.action, Text) and isinstance(turn.text, Unfinished)):
            break
        chunks.insert(0, turn.text)
    joined = "".join(chunks)
    return Unfinished(joined) if isinstance(last, Unfinished) else joined
