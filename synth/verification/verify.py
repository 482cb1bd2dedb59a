"""Verification by replay: a trace is kept only if its replay shows what its flags and its text state.

A trace is replayed twice through the core loop. Depends on traces, evidence and replayed episodes; independent of
teachers and files. An operation is called *right* if its turn has no mistake flag. The checks, in this order:

* every operation is executed, and the episode ends with the trace's last turn, answered and graded 1;
* no text states the detail before a right operation has shown it, nor announces the answer before the last operation
  (`leaks.py`); frames from which a right crop is taken later have shown only where the detail is, not the detail;
* the last turn states nothing that its answer contradicts (`statements.py`);
* a flagged turn is not trained, and some turn is;
* a right operation shows evidence, and together they show all of it (or as many frames as one call may name): where
  there is evidence, an answer without an operation is kept only if the overview is known to suffice;
* a flagged operation is wrong in the way of its flag, judged by what was *shown* (padding included): an unrelated
  region overlaps no evidence, an over-large one holds evidence and was requested with an area in `OVERSIZED`, wrong
  frames hold no evidence frame;
* no operation repeats an earlier one: none shows exactly the same, unrelated regions were requested at different
  positions, and the crop that follows an over-large one is much smaller;
* the operations are those of the trace's kind: its mistakes first (`MISTAKES_OF`), then right ones. A trace of
  no kind is not checked for this, and one of an unknown kind is dropped;
* no text contradicts its operations: the place and the moment that it announces, what it says of the operation before
  it, how many there were (`remarks.py`);
* the second replay gives the same texts, views and pixels.
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
from synth.verification.leaks import announcement_in, leak_in
from synth.verification.reasoning import reasoning_in
from synth.verification.remarks import remarks_against
from synth.verification.statements import false_statement_in
from synth.verification.trace_replay import replay_trace

ENOUGH = 0.95
"""Share of an evidence box that an operation must show: the unit of a dialect may round an edge into the box."""
_ROUNDING = 0.02  # of the image's area: the unit of a dialect may move the edges of an over-large region
_SAME_REGION = NEAR_DUPLICATE + 0.1  # an IoU: rounding by a dialect moves a small box by a good part of its side
_LARGER = 0.8 * OVERSIZED_TIMES  # a ratio of areas of boxes that a dialect has rounded


class Reason(StrEnum):
    """Why a trace is dropped."""

    LEAK = "leak"
    EPISODE_FAILED = "episode_failed"
    OPERATION_REFUSED = "operation_refused"
    EVIDENCE_NOT_SHOWN = "evidence_not_shown"
    NOT_ITS_MISTAKE = "not_its_mistake"
    NOT_ITS_KIND = "not_its_kind"
    UNKNOWN_KIND = "unknown_kind"
    NOTHING_TRAINED = "nothing_trained"
    MISTAKE_TRAINED = "mistake_trained"
    LOOKS_AGAIN = "looks_again"
    CONTRADICTS_ITSELF = "contradicts_itself"
    FALSE_REMARK = "false_remark"
    NOT_ANSWERED = "not_answered"
    ANSWERED_WRONG = "answered_wrong"
    NOT_REPEATED = "not_repeated"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Fault:
    """The reason why a trace is dropped, and what it is about."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`fault`: why the trace is dropped, None if it is kept; `action_fingerprint`: of the images and actions."""

    fault: Fault | None
    action_fingerprint: str = ""


def verify(trace: Trace, settings: EpisodeSettings) -> Verdict:
    """The verdict on a trace, from two replays of it."""
    replayed = replay_trace(trace, settings)
    fault = _fault_of(trace, replayed.trajectory, settings.dialect)
    if fault is None and replay_trace(trace, settings) != replayed:
        fault = Fault(Reason.NOT_REPEATED, "the second replay differs in a text, a view or a pixel")
    return Verdict(fault, _action_fingerprint(replayed.trajectory))


def _fault_of(trace: Trace, trajectory: Trajectory, dialect: Dialect) -> Fault | None:
    return (
        _fault_of_episode(trace, trajectory)
        or _leak(trace, trajectory, dialect)
        or _contradiction(trace, dialect)
        or _fault_of_training(trace)
        or _fault_of_operations(trace, trajectory, dialect)
        or _fault_of_kind(trace, trajectory)
        or _false_remark(trace, trajectory, dialect)
    )


def _action_fingerprint(trajectory: Trajectory) -> str:
    """Equal for episodes with the same question, images and actions, whatever their texts."""
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
    played = len(trajectory.messages)
    if trajectory.stop is not Stop.ANSWERED or played != len(trace.turns):
        stop = "no end" if trajectory.stop is None else trajectory.stop.value
        return Fault(Reason.NOT_ANSWERED, f"{stop} after {played} of {len(trace.turns)} turns")
    if trajectory.reward != 1.0:
        return Fault(Reason.ANSWERED_WRONG, f"{trajectory.answer!r} is graded {trajectory.reward}")
    return None


def _leak(trace: Trace, trajectory: Trajectory, dialect: Dialect) -> Fault | None:
    right = [index for index, _ in _operations(trajectory) if trace.turns[index].mistake is None]
    if not right:
        return None
    detail = next(index for index in right if not _is_cropped_later(index, right, trajectory))
    for index, turn in enumerate(trace.turns[: right[-1] + 1]):
        rule = leak_in if index <= detail else announcement_in
        if leak := rule(reasoning_in(turn.text, dialect), trace.task):
            return Fault(Reason.LEAK, f"turn {index + 1}, {leak.kind.value}: {leak.words!r}")
    return None


def _is_cropped_later(index: int, right: Sequence[int], trajectory: Trajectory) -> bool:
    """Whether a later right operation crops an image that the operation of turn `index` has shown."""
    shown = [sum(len(step.views) for step in steps) for steps in trajectory.messages]
    first = len(trajectory.prompt_views) + sum(shown[:index])
    images = range(first, first + shown[index])
    actions = [step.action for later in right if later > index for step in trajectory.messages[later]]
    return any(isinstance(action, Operation) and action.image_number in images for action in actions)


def _contradiction(trace: Trace, dialect: Dialect) -> Fault | None:
    words = false_statement_in(reasoning_in(trace.turns[-1].text, dialect), trace.task)
    if not words:
        return None
    return Fault(Reason.CONTRADICTS_ITSELF, f"the last turn contains {words!r}, which its answer contradicts")


def _false_remark(trace: Trace, trajectory: Trajectory, dialect: Dialect) -> Fault | None:
    said = [reasoning_in(turn.text, dialect) for turn in trace.turns]
    flags = [(index, trace.turns[index].mistake) for index, _ in _operations(trajectory)]
    for number, words in remarks_against(trajectory, said, dict(flags)):
        return Fault(Reason.FALSE_REMARK, f"turn {number + 1} contains {words!r}, which its operations contradict")
    return None


def _fault_of_training(trace: Trace) -> Fault | None:
    if not any(turn.train for turn in trace.turns):
        return Fault(Reason.NOTHING_TRAINED, "no turn of the trace is trained")
    for number, turn in enumerate(trace.turns, start=1):
        if turn.mistake is not None and turn.train:
            return Fault(Reason.MISTAKE_TRAINED, f"turn {number} is flagged {turn.mistake.value} and trained")
    return None


def _fault_of_operations(trace: Trace, trajectory: Trajectory, dialect: Dialect) -> Fault | None:
    task = trace.task
    right: list[View] = []
    of_steps = [
        (number, turn, step)
        for number, (turn, steps) in enumerate(zip(trace.turns, trajectory.messages, strict=True), start=1)
        for step in steps
    ]
    for number, turn, played in of_steps:
        if turn.mistake is not None:
            if problem := _not_its_mistake(turn.mistake, played, trajectory):
                return Fault(Reason.NOT_ITS_MISTAKE, f"turn {number}: {problem}")
        elif isinstance(played.action, Operation):
            if not any(_shows(view, evidence, task) for view in played.views for evidence in task.evidence):
                return Fault(Reason.EVIDENCE_NOT_SHOWN, f"turn {number} shows no complete piece of evidence")
            right += played.views
    if repeated := _repeated(trace, trajectory):
        return Fault(Reason.LOOKS_AGAIN, repeated)
    if not right and task.needs_looking is False:
        return None
    shown = [any(_shows(view, evidence, task) for view in right) for evidence in task.evidence]
    if not all(shown) and not (task.media == "video" and sum(shown) >= dialect.max_frames):
        return Fault(
            Reason.EVIDENCE_NOT_SHOWN, f"{shown.count(False)} of {len(shown)} pieces of evidence are not shown"
        )
    return None


def _repeated(trace: Trace, trajectory: Trajectory) -> str:
    """Which operation repeats an earlier one, and how; or ""."""
    for (first, earlier), (second, later) in itertools.combinations(_operations(trajectory), 2):
        if _pixels(earlier) == _pixels(later):
            return f"turn {second + 1} shows the same as turn {first + 1}"
        before, after = _requested(earlier, trajectory), _requested(later, trajectory)
        if before is None or after is None:
            continue
        is_same_image = earlier.views[0].source.key == later.views[0].source.key
        match trace.turns[first].mistake, trace.turns[second].mistake:
            case Mistake.UNRELATED_REGION, Mistake.UNRELATED_REGION:
                if is_same_image and before.iou(after) > _SAME_REGION:
                    return f"turn {second + 1} has the same wrong region as turn {first + 1}"
            case Mistake.OVERSIZED_REGION, None:
                if second == first + 1 and before.area < _LARGER * after.area:
                    return f"turn {second + 1} is not much closer than turn {first + 1}"
    return ""


def _fault_of_kind(trace: Trace, trajectory: Trajectory) -> Fault | None:
    kind = next((kind for kind in PlanKind if kind.value == trace.kind), None)
    if kind is None:
        known = ", ".join(PlanKind)
        return Fault(Reason.UNKNOWN_KIND, f"the kind {trace.kind!r} is none of {known}") if trace.kind else None
    flags = tuple(trace.turns[index].mistake for index, _ in _operations(trajectory))
    wrong, right = flags[: len(MISTAKES_OF[kind])], flags[len(MISTAKES_OF[kind]) :]
    if wrong == MISTAKES_OF[kind] and not any(right) and bool(right) == (kind is not PlanKind.TEXT_ONLY):
        return None
    kinds = ", ".join("right" if flag is None else flag.value for flag in flags)
    return Fault(Reason.NOT_ITS_KIND, f"a trace of the kind {kind.value} has the operations: {kinds or 'none'}")


def _operations(trajectory: Trajectory) -> list[tuple[int, Turn]]:
    """The steps that call an operation, each with the index of its message, which is that of the trace's turn."""
    return [
        (index, step)
        for index, steps in enumerate(trajectory.messages)
        for step in steps
        if isinstance(step.action, Operation)
    ]


def _pixels(turn: Turn) -> list[tuple[object, ...]]:
    return [(view.source.key, view.box, view.steps) for view in turn.views]


def _requested(turn: Turn, trajectory: Trajectory) -> Box | None:
    """The region of the source that the call requested, without the padding of a dialect; None without a region."""
    region = turn.action.region() if isinstance(turn.action, Operation) else None
    return None if region is None else trajectory.views[region[0]].to_source(region[1])


def _not_its_mistake(mistake: Mistake, played: Turn, trajectory: Trajectory) -> str:
    """Why the operation is not the mistake of its flag, or ""."""
    task = trajectory.task
    match mistake, played.action:
        case (Mistake.UNRELATED_REGION, Operation()) | (Mistake.WRONG_FRAMES, SelectFrames()) if not (
            mistake is Mistake.UNRELATED_REGION and _requested(played, trajectory) is None
        ):
            touching = [item for view in played.views for item in task.evidence if _touches(view, item, task)]
            return f"it shows a part of the evidence {touching[0]}" if touching else ""
        case Mistake.OVERSIZED_REGION, Operation() if (requested := _requested(played, trajectory)) is not None:
            (low, high), [view] = OVERSIZED, played.views
            area = requested.area
            if not low - _ROUNDING <= area <= high + _ROUNDING:
                return f"its area is {area:.3f} of the image, wanted: {low} to {high}"
            return "" if any(_shows(view, item, task) for item in task.evidence) else "it does not show the evidence"
        case _:
            return f"{mistake.value} is flagged on the action {type(played.action).__name__}"


def _is_of(view: View, evidence: Evidence, task: Task) -> bool:
    # By content: two frames of a video may be equal, and then each shows what the other shows.
    return view.source.key == task.sources[evidence.image].key


def _shows(view: View, evidence: Evidence, task: Task) -> bool:
    return _is_of(view, evidence, task) and evidence.box.covered_by(view.box) >= ENOUGH


def _touches(view: View, evidence: Evidence, task: Task) -> bool:
    return _is_of(view, evidence, task) and view.box.iou(evidence.box) > 0.0
