"""Boxes that an edge rule refused, and what another rule would have made of each.

Depends on played turns, dialects and operations; independent of figures and files.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from agents.metrics.zooming import COVERED, evidence_on
from benchmarks.audit.episodes import PlayedTurn
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Malformed
from pixel_env.failures import Failure, FailureCode
from pixel_env.operations.operation import Operation
from pixel_env.task import Task
from pixel_env.views import View

EDGE_CODES = (
    FailureCode.BOX_LENGTH,
    FailureCode.BOX_NOT_FINITE,
    FailureCode.BOX_EMPTY,
    FailureCode.BOX_INVERTED,
    FailureCode.BOX_OUTSIDE,
    FailureCode.CROP_TOO_SMALL,
    FailureCode.CROP_TOO_LONG,
)
"""The failures of boxes, in the order in which the rules are checked."""
_PADDING = 0.1
"""Of the released Pixel Reasoner, whose function pads before it checks."""


@dataclass(slots=True)
class Refused:
    """Boxes that one rule refused: `n`, and by the name of another rule how many it would execute.

    `shows_evidence`: of those, the crops that would show at least COVERED of a piece of evidence.
    """

    n: int = 0
    executed: dict[str, int] = field(default_factory=dict)
    shows_evidence: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class RefusedBoxes:
    """Of `boxes` that the calls of a group hold, those refused, by code."""

    boxes: int = 0
    by_code: dict[str, Refused] = field(default_factory=dict)

    def add(self, task: Task, played: Iterable[PlayedTurn], rules: Mapping[str, Dialect]) -> None:
        """Counts the turns of an episode; `rules`: the dialect under other rules, by their names.

        Raises MediaError if an image cannot be read.
        """
        for one in played:
            code = _edge_code(one)
            self.boxes += code is not None or _is_executed_box(one)
            if code is None:
                continue
            refused = self.by_code.setdefault(code.value, Refused())
            refused.n += 1
            for name, dialect in rules.items():
                views = _views_under(one, task, dialect)
                shows = views is not None and _shows_evidence(views, task)
                refused.executed[name] = refused.executed.get(name, 0) + (views is not None)
                refused.shows_evidence[name] = refused.shows_evidence.get(name, 0) + shows


def other_rules(dialect: Dialect) -> dict[str, Dialect]:
    """The dialect under other edge rules, by name: one rule is another, the rest are the dialect's own."""
    edges = dialect.edges
    rules = {
        "clamp": replace(edges, overhang=math.inf),
        "expand": replace(edges, small_box="expand"),
        "any size": replace(edges, min_side=1),
        "pad first": replace(edges, pads_first=True, padding=edges.padding or _PADDING),
    }
    return {name: replace(dialect, edges=rule) for name, rule in rules.items()}


def _edge_code(played: PlayedTurn) -> FailureCode | None:
    """The edge rule that refused the call; None if none did."""
    failure, action = played.turn.failure, played.turn.action
    code = action.code if isinstance(action, Malformed) else None if failure is None else failure.code
    return code if code in EDGE_CODES else None


def _is_executed_box(played: PlayedTurn) -> bool:
    action = played.turn.action
    return played.executed and isinstance(action, Operation) and action.region() is not None


def _views_under(played: PlayedTurn, task: Task, dialect: Dialect) -> tuple[View, ...] | None:
    """The views that the call of the turn would return in `dialect`; None if it is refused there, too."""
    operation = played.call_in(dialect)
    if operation is None:
        return None
    views = operation.run(played.seen, task, dialect.rule)
    return None if isinstance(views, Failure) else views


def _shows_evidence(views: Iterable[View], task: Task) -> bool:
    return any(box.covered_by(view.box) >= COVERED for view in views for box in evidence_on(view.source, task))
