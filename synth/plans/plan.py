"""Plans and narrations: what a trace does, apart from what it says.

A plan is drawn from a task's evidence alone: its looks, the deliberate mistakes among them named. A teacher narrates
it, and `traced` writes both as a trace in a dialect. Knows nothing of how texts are found or traces are checked.

A plan knows no dialect: images are numbered as the environment numbers them (the task's first, then those of every
look, in order), and a box lies on that image as the plan has it, without padding or rounding. `traced` moves a box on a
crop to where the dialect really shows it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Protocol

from agents.traces.trace import Mistake, Trace, TraceTurn
from pixel_env.actions import parse, write
from pixel_env.boxes import Box
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Answer
from pixel_env.errors import TaskError
from pixel_env.failures import Failure
from pixel_env.media.images import shown_size
from pixel_env.operations.operation import Operation, OperationRule
from pixel_env.task import Task
from pixel_env.views import View
from synth.fingerprints import mark_of


class PlanKind(StrEnum):
    """The types of trace (arXiv 2505.15966, Table 2 by secondary sources)."""

    SINGLE_PASS = "single_pass"
    RECROP_ONCE = "recrop_once"
    RECROP_TWICE = "recrop_twice"
    FURTHER_ZOOM = "further_zoom"
    RESELECT = "reselect"
    TEXT_ONLY = "text_only"


MISTAKES_OF: Mapping[PlanKind, tuple[Mistake, ...]] = {
    PlanKind.SINGLE_PASS: (),
    PlanKind.RECROP_ONCE: (Mistake.UNRELATED_REGION,),
    PlanKind.RECROP_TWICE: (Mistake.UNRELATED_REGION,) * 2,
    PlanKind.FURTHER_ZOOM: (Mistake.OVERSIZED_REGION,),
    PlanKind.RESELECT: (Mistake.WRONG_FRAMES,),
    PlanKind.TEXT_ONLY: (),
}
"""What a trace of each type does wrong on purpose, in this order, before its right looks."""


@dataclass(frozen=True, slots=True)
class Look:
    """One operation of a plan; `mistake`: what is wrong with it on purpose."""

    action: Operation
    mistake: Mistake | None = None


@dataclass(frozen=True)
class Plan:
    """What a trace does: look at the whole, then each of `looks`, then answer with the task's first reference."""

    task: Task
    kind: PlanKind
    looks: tuple[Look, ...] = ()

    @property
    def plan_id(self) -> str:
        """What no two plans of one data set share."""
        return f"{self.task.task_id}/{self.kind}"

    @cached_property
    def mark(self) -> str:
        """Another one once the task, its annotation, its pictures or what is done with them differ."""
        return mark_of(self.task, self.kind, self.looks)


@dataclass(frozen=True, slots=True)
class Narration:
    """What a trace says: `overview` before the first look, `remarks[i]` once look i has shown its pixels.

    The last remark stands before the answer. Without looks there is the overview alone.
    """

    overview: str
    remarks: tuple[str, ...] = ()


def silent(plan: Plan) -> Narration:
    """The narration that says nothing: a trace of calls and an answer, as the embedded model is taught."""
    return Narration("", ("",) * len(plan.looks))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a teacher gave no narration: `code` is what refusals are counted by.

    `is_final`: False if the teacher may narrate the plan when it is asked again.
    """

    code: str
    message: str
    is_final: bool = True


class Teacher(Protocol):
    """Narrates plans. `name` says who spoke, for the data card.

    A Trace in a narration's place is what the teacher said itself from beginning to end, its answer included.
    """

    @property
    def name(self) -> str: ...

    def narrate(self, plans: Sequence[Plan], *, seed: int) -> Iterator[tuple[int, Narration | Trace | Refusal]]:
        """(place in `plans`, narration or why there is none), once for each plan, in any order, as they come."""
        ...


# ------------------------------------------------------------------------------------------------- plan -> trace


def traced(plan: Plan, narration: Narration, dialect: Dialect, *, trains_mistakes: bool = False) -> Trace:
    """The plan, said in the narration's words: overview and first call, then each remark with what follows it.

    A mistaken look masks the turn that holds its call, what is said before the call included; the next turn, which
    remarks on the mistake and corrects it, is trained. `trains_mistakes` keeps the flag and trains that turn too.
    `dialect` has the budgets that the pictures are shown within (`templates.shown_as`): calls in pixels depend on them.

    Raises TaskError if the narration does not fit, or if a look on which a later one depends is refused; ValueError for
    what the dialect cannot write.
    """
    if len(narration.remarks) != len(plan.looks):
        raise TaskError(
            f"the plan {plan.plan_id!r} has {len(plan.looks)} looks, its narration {len(narration.remarks)} remarks; "
            "a narration has one remark for each look."
        )
    *before_calls, last = (narration.overview, *narration.remarks)
    calls = zip(before_calls, _calls(plan, dialect), plan.looks, strict=True)
    turns = [
        TraceTurn(_turn_text(said, call), trains_mistakes or look.mistake is None, look.mistake)
        for said, call, look in calls
    ]
    answer = write(Answer(plan.task.answers[0]), dialect)
    return Trace(plan.task, (*turns, TraceTurn(_turn_text(last, answer))), plan.kind.value)


def _turn_text(said: str, done: str) -> str:
    return f"{said}\n{done}" if said else done


def _calls(plan: Plan, dialect: Dialect) -> list[str]:
    """The calls of all looks, written for the images that the dialect shows."""
    planned, shown = list(plan.task.opening_views), list(plan.task.opening_views)
    follows_up = any((look.action.image_number or 0) >= len(shown) for look in plan.looks)
    calls = []
    for look in plan.looks:
        action = _moved(look.action, planned, shown, plan, dialect)
        sizes = _sizes(action, shown, dialect)
        calls.append(write(action, dialect, sizes))
        # Executed only where a later call depends on it: it decodes the picture.
        if follows_up:
            planned += _views(look.action, planned, plan, dialect, _AS_PLANNED)
            written = parse(calls[-1], dialect, sizes)
            assert isinstance(written, Operation), "a written call reads as what was written"
            shown += _views(written, shown, plan, dialect, dialect.rule)
    return calls


def _moved(
    action: Operation, planned: Sequence[View], shown: Sequence[View], plan: Plan, dialect: Dialect
) -> Operation:
    """The action on what is shown: a dialect pads and rounds, so a crop is not where it was planned."""
    number = action.image_number
    if number is None:
        return action

    def box_on_shown(box: Box) -> Box:
        moved = shown[number].from_source(planned[number].to_source(box))
        if moved is None:
            raise TaskError(
                f"the plan {plan.plan_id!r} cannot be written in the dialect {dialect.name!r}: what it crops is not "
                "shown there. Draw it with larger crops, or leave the task out."
            )
        return moved

    return action.mapped(box_on_shown)


def _sizes(action: Operation, shown: Sequence[View], dialect: Dialect) -> list[tuple[int, int]]:
    """The sizes that the call needs to be written: that of the image it names, where a dialect counts in pixels."""
    if action.image_number is None or dialect.coordinates.unit != "pixel":
        return []
    return [shown_size(view, dialect.budgets) if i == action.image_number else (0, 0) for i, view in enumerate(shown)]


def _views(
    action: Operation, views: Sequence[View], plan: Plan, dialect: Dialect, rule: OperationRule
) -> tuple[View, ...]:
    """What the action brings."""
    new = action.run(views, plan.task, rule)
    if isinstance(new, Failure):
        raise TaskError(
            f"the plan {plan.plan_id!r} cannot be written in the dialect {dialect.name!r}: {new.message} "
            "Draw it with larger looks, or leave the task out."
        )
    return new


_AS_PLANNED = OperationRule(min_crop_side=1)
"""A plan knows no dialect: nothing is padded, and no crop is too small."""
