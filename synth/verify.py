"""Verification: a trace is kept only if playing it does what it says.

A trace is played twice through the core loop with an engine that says its turns. Knows traces, evidence and what an
episode showed; knows nothing of teachers or files. What is checked, in this order:

* no text says the detail before an unflagged look has shown it (`leaks.py`);
* every operation is executed;
* an unflagged look shows evidence, and all of them together show all of it (or as many frames as one call may name);
* a look that is flagged is wrong in the way that its flag says, as it was *shown* (padding included): an unrelated
  region overlaps no evidence, an over-large one holds evidence and was asked for with an area in `OVERSIZED`, wrong
  frames hold no evidence frame;
* the episode ends with the trace's last turn, answered, graded 1;
* a second play gives the same texts, views and pixels.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from agents.rollout import EpisodeSettings
from agents.traces import Mistake, Trace, TraceTurn
from pixel_env.boxes import Box
from pixel_env.dialects import Dialect
from pixel_env.types import CropImage, Evidence, SelectFrames, Stop, Task, Trajectory, Turn, View
from synth.leaks import leak_in
from synth.mistakes import OVERSIZED
from synth.playing import play
from synth.spoken import spoken

ENOUGH = 0.95
"""Share of an evidence box that a look must show: a dialect's unit may round an edge into it."""
_ROUNDING = 0.02  # of the picture's area: a dialect's unit may move the edges of an over-large region


class Reason(StrEnum):
    """Why a trace is dropped."""

    LEAK = "leak"
    EPISODE_FAILED = "episode_failed"
    OPERATION_REFUSED = "operation_refused"
    EVIDENCE_NOT_SHOWN = "evidence_not_shown"
    NOT_ITS_MISTAKE = "not_its_mistake"
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
    if fault := _leak(trace, settings.dialect):
        return Verdict(fault)
    played = play(trace, settings)
    fault = _fault_of_episode(trace, played.trajectory) or _fault_of_looks(trace, played.trajectory, settings.dialect)
    if fault is None and play(trace, settings) != played:
        fault = Fault(Reason.NOT_REPEATED, "a second play showed or said something else")
    return Verdict(fault, _deeds(played.trajectory))


def _deeds(trajectory: Trajectory) -> str:
    """Equal for episodes that ask the same of the same pictures and do the same, whatever they say."""
    task = trajectory.task
    actions = [turn.action for turn in trajectory.turns]
    content = (task.question, task.options, [source.key for source in task.sources], actions)
    return hashlib.blake2b(repr(content).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


# -------------------------------------------------------------------------------------------------------- checking


def _leak(trace: Trace, dialect: Dialect) -> Fault | None:
    for turn in _before_the_detail(trace, dialect):
        leak = leak_in(spoken(turn.text, dialect), trace.task)
        if leak is not None:
            return Fault(Reason.LEAK, f"{leak.kind.value}: {leak.words!r}")
    return None


def _before_the_detail(trace: Trace, dialect: Dialect) -> Sequence[TraceTurn]:
    """The turns up to the first unflagged look, its own text included; none if there is no such look."""
    for place, turn in enumerate(trace.turns):
        if dialect.calls.opening in turn.text and turn.mistake is None:
            return trace.turns[: place + 1]
    return ()


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


def _fault_of_looks(trace: Trace, trajectory: Trajectory, dialect: Dialect) -> Fault | None:
    task = trace.task
    right: list[View] = []
    for number, (turn, played) in enumerate(zip(trace.turns, trajectory.turns, strict=True), start=1):
        if turn.mistake is not None:
            if problem := _not_its_mistake(turn.mistake, played, trajectory):
                return Fault(Reason.NOT_ITS_MISTAKE, f"turn {number}: {problem}")
        elif isinstance(played.action, CropImage | SelectFrames):
            if not any(_shows(view, evidence, task) for view in played.views for evidence in task.evidence):
                return Fault(Reason.EVIDENCE_NOT_SHOWN, f"turn {number} shows no evidence whole")
            right += played.views
    if not right:
        return None
    shown = [any(_shows(view, evidence, task) for view in right) for evidence in task.evidence]
    if not all(shown) and not (task.media == "video" and sum(shown) >= dialect.max_frames):
        return Fault(Reason.EVIDENCE_NOT_SHOWN, f"{shown.count(False)} of {len(shown)} pieces of evidence")
    return None


def _not_its_mistake(mistake: Mistake, played: Turn, trajectory: Trajectory) -> str:
    """Why the turn does not do wrong what its flag says, or ""."""
    task = trajectory.task
    match mistake, played.action:
        case (Mistake.UNRELATED_REGION, CropImage()) | (Mistake.WRONG_FRAMES, SelectFrames()):
            touching = [item for view in played.views for item in task.evidence if _touches(view, item, task)]
            return f"it shows some of the evidence {touching[0]}" if touching else ""
        case Mistake.OVERSIZED_REGION, CropImage(image, box):
            (low, high), [view] = OVERSIZED, played.views
            area = box.area * trajectory.views[image].box.area
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
