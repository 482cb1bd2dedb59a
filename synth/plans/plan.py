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
from pixel_env.boxes import FULL, Box
from pixel_env.dialects.table import Dialect
from pixel_env.episode import Answer
from pixel_env.errors import TaskError
from pixel_env.failures import Failure
from pixel_env.media.images import shown_size
from pixel_env.operations.crop_image import CropImage, crop_image
from pixel_env.operations.select_frames import SelectFrames, select_frames
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

    action: CropImage | SelectFrames
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
    shown, planned = list(plan.task.opening_views), [FULL] * len(plan.task.sources)
    follows_up = any(_image_of(look) >= len(shown) for look in plan.looks)
    calls = []
    for look in plan.looks:
        action = _moved(look.action, planned, shown)
        sizes = _sizes(action, shown, dialect)
        calls.append(write(action, dialect, sizes))
        # Executed only where a later call depends on it: it decodes the picture.
        if follows_up:
            planned += _planned_boxes(look.action, planned)
            shown += _views(calls[-1], sizes, shown, plan, dialect)
    return calls


def _image_of(look: Look) -> int:
    return look.action.image if isinstance(look.action, CropImage) else 0


def _moved(action: CropImage | SelectFrames, planned: list[Box], shown: list[View]) -> CropImage | SelectFrames:
    """The action with its box on what is shown: a dialect pads and rounds, so a crop is not where it was planned."""
    if isinstance(action, SelectFrames):
        return action
    region, parent = action.box.within(planned[action.image]), shown[action.image].box
    return CropImage(action.image, region.relative_to(parent))


def _planned_boxes(action: CropImage | SelectFrames, planned: list[Box]) -> list[Box]:
    if isinstance(action, SelectFrames):
        return [FULL] * len(action.frames)
    return [action.box.within(planned[action.image])]


def _sizes(action: CropImage | SelectFrames, shown: list[View], dialect: Dialect) -> list[tuple[int, int]]:
    """The sizes that reading and writing the call need: that of the cropped image, where a dialect counts in pixels."""
    if isinstance(action, SelectFrames) or dialect.coordinates.unit != "pixel":
        return []
    return [shown_size(view, dialect.budgets) if i == action.image else (0, 0) for i, view in enumerate(shown)]


def _views(
    call: str, sizes: list[tuple[int, int]], shown: list[View], plan: Plan, dialect: Dialect
) -> tuple[View, ...]:
    """What the environment shows for the call, as it was written and rounded."""
    action = parse(call, dialect, sizes)
    views: View | tuple[View, ...] | Failure
    if isinstance(action, CropImage):
        views = crop_image(action, shown, dialect)
    else:
        assert isinstance(action, SelectFrames), "a written call reads as what was written"
        views = select_frames(action, plan.task, dialect)
    if isinstance(views, Failure):
        raise TaskError(
            f"the plan {plan.plan_id!r} cannot be written in the dialect {dialect.name!r}: {views.message} "
            "Draw it with larger looks, or leave the task out."
        )
    return views if isinstance(views, tuple) else (views,)
