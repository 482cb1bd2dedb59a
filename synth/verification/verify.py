"""Verification: a trace is kept only if playing it does what it says.

A trace is played twice through the core loop with an engine that says its turns. Knows traces, evidence and what an
episode showed; knows nothing of teachers or files. What is checked, in this order:

* every operation is executed, and the episode ends with the trace's last turn, answered, graded 1;
* no text says the detail before an unflagged look has shown it, nor announces the answer before the last one
  (`leaks.py`); frames of which an unflagged look crops one have only shown where the detail is;
* the last turn announces no other answer than the one that it ends in (`conclusions.py`);
* a turn that is flagged is not trained;
* an unflagged look shows evidence, and all of them together show all of it (or as many frames as one call may name):
  where there is evidence, an answer without a look is kept only if the overview is known to suffice;
* a look that is flagged is wrong in the way that its flag says, as it was *shown* (padding included): an unrelated
  region overlaps no evidence, an over-large one holds evidence and was asked for with an area in `OVERSIZED`, wrong
  frames hold no evidence frame;
* no look does again what an earlier one did: none shows exactly the same, unrelated regions were asked for at different
  places, and the crop that follows an over-large one is much smaller;
* the looks are those of the trace's kind: its mistakes first (`MISTAKES_OF`), then right ones. A trace of no kind, as
  somebody else's may be, is not asked;
* a second play gives the same texts, views and pixels.
"""

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from agents.rollout import EpisodeSettings
from agents.traces.trace import Mistake, Trace
from pixel_env.boxes import Box
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Stop, Trajectory, Turn
from pixel_env.operations.operation import Operation
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import Evidence, Task
from pixel_env.views import View
from synth.plans.mistakes import NEAR_DUPLICATE, OVERSIZED, OVERSIZED_TIMES
from synth.plans.plan import MISTAKES_OF, PlanKind
from synth.verification.conclusions import contradiction_in
from synth.verification.leaks import announcement_in, leak_in
from synth.verification.playing import play
from synth.verification.spoken import spoken

ENOUGH = 0.95
"""Share of an evidence box that a look must show: a dialect's unit may round an edge into it."""
_ROUNDING = 0.02  # of the picture's area: a dialect's unit may move the edges of an over-large region
_SAME_PLACE = NEAR_DUPLICATE + 0.1  # as an IoU: a small box that a dialect rounds moves by a good part of its side
_LARGER = 0.8 * OVERSIZED_TIMES  # as areas, of boxes that a dialect has rounded


class Reason(StrEnum):
    """Why a trace is dropped."""

    LEAK = "leak"
    EPISODE_FAILED = "episode_failed"
    OPERATION_REFUSED = "operation_refused"
    EVIDENCE_NOT_SHOWN = "evidence_not_shown"
    NOT_ITS_MISTAKE = "not_its_mistake"
    NOT_ITS_KIND = "not_its_kind"
    MISTAKE_TRAINED = "mistake_trained"
    LOOKS_AGAIN = "looks_again"
    CONTRADICTS_ITSELF = "contradicts_itself"
    NOT_ANSWERED = "not_answered"
    ANSWERED_WRONG = "answered_wrong"
    NOT_REPEATED = "not_repeated"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why, and what about."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`fault`: why the trace is dropped, None if it is kept; `deeds`: names the episode's pictures and actions."""

    fault: Fault | None
    deeds: str = ""


def verify(trace: Trace, settings: EpisodeSettings) -> Verdict:
    """Plays the trace and says whether it is kept."""
    played = play(trace, settings)
    fault = _fault_of(trace, played.trajectory, settings.dialect)
    if fault is None and play(trace, settings) != played:
        fault = Fault(Reason.NOT_REPEATED, "a second play showed or said something else")
    return Verdict(fault, _deeds(played.trajectory))


def _fault_of(trace: Trace, trajectory: Trajectory, dialect: Dialect) -> Fault | None:
    return (
        _fault_of_episode(trace, trajectory)
        or _leak(trace, trajectory, dialect)
        or _contradiction(trace, dialect)
        or _trained_mistake(trace)
        or _fault_of_looks(trace, trajectory, dialect)
        or _fault_of_kind(trace, trajectory)
    )


def _deeds(trajectory: Trajectory) -> str:
    """Equal for episodes that ask the same of the same pictures and do the same, whatever they say."""
    task = trajectory.task
    actions = [turn.action for turn in trajectory.turns]
    content = (task.question, task.options, [source.key for source in task.sources], actions)
    return hashlib.blake2b(repr(content).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


# -------------------------------------------------------------------------------------------------------- checking


def _fault_of_episode(trace: Trace, trajectory: Trajectory) -> Fault | None:
    if trajectory.error is not None:
        return Fault(Reason.EPISODE_FAILED, trajectory.error)
    if trajectory.failures:
        failure = trajectory.failures[0]
        return Fault(Reason.OPERATION_REFUSED, f"{failure.code.value}: {failure.message}")
    if trajectory.stop is not Stop.ANSWERED or len(trajectory.turns) != len(trace.turns):
        stop = "no end" if trajectory.stop is None else trajectory.stop.value
        return Fault(Reason.NOT_ANSWERED, f"{stop} after {len(trajectory.turns)} of {len(trace.turns)} turns")
    if trajectory.reward != 1.0:
        return Fault(Reason.ANSWERED_WRONG, f"{trajectory.answer!r} is graded {trajectory.reward}")
    return None


def _leak(trace: Trace, trajectory: Trajectory, dialect: Dialect) -> Fault | None:
    right = [place for place, look in _looks(trajectory) if trace.turns[place].mistake is None]
    if not right:
        return None
    detail = next(place for place in right if not _is_cropped_later(place, right, trajectory))
    for place, turn in enumerate(trace.turns[: right[-1] + 1]):
        rule = leak_in if place <= detail else announcement_in
        if leak := rule(spoken(turn.text, dialect), trace.task):
            return Fault(Reason.LEAK, f"turn {place + 1}, {leak.kind.value}: {leak.words!r}")
    return None


def _is_cropped_later(place: int, right: Sequence[int], trajectory: Trajectory) -> bool:
    """Whether an unflagged look crops what the look of turn `place` has shown."""
    first = len(trajectory.prompt_views) + sum(len(turn.views) for turn in trajectory.turns[:place])
    own = range(first, first + len(trajectory.turns[place].views))
    actions = [trajectory.turns[later].action for later in right if later > place]
    return any(isinstance(action, Operation) and action.image_number in own for action in actions)


def _contradiction(trace: Trace, dialect: Dialect) -> Fault | None:
    words = contradiction_in(spoken(trace.turns[-1].text, dialect), trace.task)
    if not words:
        return None
    return Fault(Reason.CONTRADICTS_ITSELF, f"the last turn says {words!r}, and ends in another answer")


def _trained_mistake(trace: Trace) -> Fault | None:
    for number, turn in enumerate(trace.turns, start=1):
        if turn.mistake is not None and turn.train:
            return Fault(Reason.MISTAKE_TRAINED, f"turn {number} is flagged {turn.mistake.value} and trained")
    return None


def _fault_of_looks(trace: Trace, trajectory: Trajectory, dialect: Dialect) -> Fault | None:
    task = trace.task
    right: list[View] = []
    for number, (turn, played) in enumerate(zip(trace.turns, trajectory.turns, strict=True), start=1):
        if turn.mistake is not None:
            if problem := _not_its_mistake(turn.mistake, played, trajectory):
                return Fault(Reason.NOT_ITS_MISTAKE, f"turn {number}: {problem}")
        elif isinstance(played.action, Operation):
            if not any(_shows(view, evidence, task) for view in played.views for evidence in task.evidence):
                return Fault(Reason.EVIDENCE_NOT_SHOWN, f"turn {number} shows no evidence whole")
            right += played.views
    if repeated := _repeated(trace, trajectory):
        return Fault(Reason.LOOKS_AGAIN, repeated)
    if not right and task.needs_looking is False:
        return None
    shown = [any(_shows(view, evidence, task) for view in right) for evidence in task.evidence]
    if not all(shown) and not (task.media == "video" and sum(shown) >= dialect.max_frames):
        return Fault(Reason.EVIDENCE_NOT_SHOWN, f"{shown.count(False)} of {len(shown)} pieces of evidence")
    return None


def _repeated(trace: Trace, trajectory: Trajectory) -> str:
    """Which look is as good as an earlier one, or ""."""
    for (first, earlier), (second, later) in itertools.combinations(_looks(trajectory), 2):
        if _pixels(earlier) == _pixels(later):
            return f"turn {second + 1} shows what turn {first + 1} has shown"
        before, after = _requested(earlier, trajectory), _requested(later, trajectory)
        if before is None or after is None:
            continue
        is_one_picture = earlier.views[0].source.key == later.views[0].source.key
        match trace.turns[first].mistake, trace.turns[second].mistake:
            case Mistake.UNRELATED_REGION, Mistake.UNRELATED_REGION:
                if is_one_picture and before.iou(after) > _SAME_PLACE:
                    return f"turn {second + 1} is wrong at the same place as turn {first + 1}"
            case Mistake.OVERSIZED_REGION, None:
                if second == first + 1 and before.area < _LARGER * after.area:
                    return f"turn {second + 1} is no closer look than turn {first + 1}"
    return ""


def _fault_of_kind(trace: Trace, trajectory: Trajectory) -> Fault | None:
    kind = next((kind for kind in PlanKind if kind.value == trace.kind), None)
    if kind is None:
        return None
    flags = tuple(trace.turns[place].mistake for place, _ in _looks(trajectory))
    wrong, right = flags[: len(MISTAKES_OF[kind])], flags[len(MISTAKES_OF[kind]) :]
    if wrong == MISTAKES_OF[kind] and not any(right) and bool(right) == (kind is not PlanKind.TEXT_ONLY):
        return None
    looks = ", ".join("right" if flag is None else flag.value for flag in flags)
    return Fault(Reason.NOT_ITS_KIND, f"a trace of the kind {kind.value} has the looks: {looks or 'none'}")


def _looks(trajectory: Trajectory) -> list[tuple[int, Turn]]:
    """The operations, each with the place of its turn."""
    return [(i, turn) for i, turn in enumerate(trajectory.turns) if isinstance(turn.action, Operation)]


def _pixels(look: Turn) -> list[tuple[object, ...]]:
    return [(view.source.key, view.box, view.steps) for view in look.views]


def _requested(look: Turn, trajectory: Trajectory) -> Box | None:
    """The region of the source that a zoom requested: not what it showed, where a dialect pads. None: no zoom."""
    region = look.action.region() if isinstance(look.action, Operation) else None
    return None if region is None else trajectory.views[region[0]].to_source(region[1])


def _not_its_mistake(mistake: Mistake, played: Turn, trajectory: Trajectory) -> str:
    """Why the turn does not do wrong what its flag says, or ""."""
    task = trajectory.task
    match mistake, played.action:
        case (Mistake.UNRELATED_REGION, Operation()) | (Mistake.WRONG_FRAMES, SelectFrames()) if not (
            mistake is Mistake.UNRELATED_REGION and _requested(played, trajectory) is None
        ):
            touching = [item for view in played.views for item in task.evidence if _touches(view, item, task)]
            return f"it shows some of the evidence {touching[0]}" if touching else ""
        case Mistake.OVERSIZED_REGION, Operation() if (requested := _requested(played, trajectory)) is not None:
            (low, high), [view] = OVERSIZED, played.views
            area = requested.area
            if not low - _ROUNDING <= area <= high + _ROUNDING:
                return f"its area is {area:.3f}, not {low} to {high}"
            return "" if any(_shows(view, item, task) for item in task.evidence) else "it lacks the evidence"
        case _:
            return f"{mistake.value} is flagged on {type(played.action).__name__}"


def _is_of(view: View, evidence: Evidence, task: Task) -> bool:
    # By content: two frames of a video may be equal, and then either shows what the other does.
    return view.source.key == task.sources[evidence.image].key


def _shows(view: View, evidence: Evidence, task: Task) -> bool:
    return _is_of(view, evidence, task) and _covered(evidence.box, view.box) >= ENOUGH


def _touches(view: View, evidence: Evidence, task: Task) -> bool:
    return _is_of(view, evidence, task) and view.box.iou(evidence.box) > 0.0


def _covered(inner: Box, outer: Box) -> float:
    """Share of the area of `inner` that lies in `outer`."""
    iou = inner.iou(outer)
    return iou * (inner.area + outer.area) / ((1.0 + iou) * inner.area)
