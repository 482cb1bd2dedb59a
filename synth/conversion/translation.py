"""A replayed trace in another dialect: its reasoning is kept, its calls and its answer are rewritten.

Depends on dialects and replayed episodes; independent of rows.
"""

from collections.abc import Sequence
from dataclasses import replace

from agents.traces.trace import Trace, TraceTurn
from pixel_env.actions import sizes_for, write
from pixel_env.dialects.dialect import Dialect
from pixel_env.edges import Edges
from pixel_env.episode import Action, Turn
from pixel_env.operations.crop_image import CropImage
from pixel_env.views import View
from synth.conversion.foreign_rows import ForeignTrace
from synth.conversion.mismatch import Reason, RowMismatch
from synth.verification.reasoning import reasoning_in


def translated(foreign: ForeignTrace, target: Dialect) -> Trace:
    """The trace in the dialect `target`; in the row's own dialect its texts are kept word for word.

    A dialect that pads or enlarges crops shows more than the box of the call; a target that does neither gets the box
    that was shown. Raises RowMismatch for what `target` cannot write.
    """
    if target.name == foreign.dialect.name:
        return foreign.trace
    shown = list(foreign.trajectory.prompt_views)
    turns = []
    for turn, steps in zip(foreign.trace.turns, foreign.trajectory.messages, strict=True):
        turns.append(_translated(turn, steps, shown, foreign.dialect, target))
        shown += [view for step in steps for view in step.views]
    return replace(foreign.trace, turns=tuple(turns))


def _translated(
    turn: TraceTurn, steps: Sequence[Turn], shown: Sequence[View], source: Dialect, target: Dialect
) -> TraceTurn:
    if len(steps) > 1 and target.several_calls != "all":
        message = f"a turn has {len(steps)} calls, of which the dialect {target.name!r} does not execute all"
        raise RowMismatch(Reason.OTHER_DIALECT, message)
    try:
        sizes = sizes_for(target, shown, target.budgets)
        calls = [write(_action_for(target, step, shown, source), target, *sizes) for step in steps]
    except ValueError as error:
        raise RowMismatch(Reason.OTHER_DIALECT, str(error)) from error
    reasoning = reasoning_in(turn.text, source)
    return replace(turn, text="\n".join([reasoning, *calls] if reasoning else calls))


def _action_for(target: Dialect, played: Turn, shown: Sequence[View], source: Dialect) -> Action:
    if not isinstance(played.action, CropImage) or _widening(target.edges) == _widening(source.edges):
        return played.action
    if _widening(target.edges) != _widening(Edges()):
        raise ValueError(
            f"the dialect {target.name!r} pads crops by {target.edges.padding} and enlarges them by "
            f"{target.edges.enlarge}, the row's by {source.edges.padding} and {source.edges.enlarge}"
        )
    image = played.action.image
    return CropImage(image, played.views[0].box.relative_to(shown[image].box))


def _widening(edges: Edges) -> tuple[float, int | None, float]:
    return edges.padding, edges.padding_pixels, edges.enlarge
