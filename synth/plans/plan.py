"""Plans and narrations: the operations of a trace, and its texts.

A plan is drawn from a task's evidence alone: its operations, with the deliberate mistakes among them flagged. A teacher
narrates it, and `traced` writes plan and narration as a trace in a dialect. Depends on tasks, operations and dialects;
independent of how texts are generated and traces are verified.

A plan is independent of dialects: images are indexed as in the environment (those of the task first, then the results
of each operation, in order), and a box refers to the planned image, without padding or rounding. For a crop of a crop,
`traced` converts the box to the image that the dialect really shows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Protocol

from agents.traces.trace import Mistake, Trace, TraceTurn
from pixel_env.actions import parse, sizes_for, write
from pixel_env.boxes import Box
from pixel_env.dialects.dialect import Dialect
from pixel_env.edges import Edges
from pixel_env.episode import Answer
from pixel_env.errors import TaskError
from pixel_env.failures import Failure
from pixel_env.operations.operation import Operation, OperationRule
from pixel_env.task import Task
from pixel_env.views import View
from synth.fingerprints import fingerprint_of


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
"""The deliberate mistakes of each type of trace, in order, which come before its right operations."""


@dataclass(frozen=True, slots=True)
class PlannedOperation:
    """One operation of a plan; `mistake`: the deliberate mistake that it makes, None for a right operation."""

    operation: Operation
    mistake: Mistake | None = None


@dataclass(frozen=True)
class Plan:
    """The actions of a trace: an overview, each of `operations`, then the task's first reference answer."""

    task: Task
    kind: PlanKind
    operations: tuple[PlannedOperation, ...] = ()

    @property
    def plan_id(self) -> str:
        """Unique among the plans of one data set."""
        return f"{self.task.task_id}/{self.kind}"

    @cached_property
    def fingerprint(self) -> str:
        """A hash that changes with the task, its annotation, its images or the operations."""
        return fingerprint_of(self.task, self.kind, self.operations)


@dataclass(frozen=True, slots=True)
class Narration:
    """The texts of a trace: `overview` before the first operation, `remarks[i]` after the result of operation i.

    The last remark precedes the answer. Without operations there is only the overview.
    """

    overview: str
    remarks: tuple[str, ...] = ()


def silent(plan: Plan) -> Narration:
    """The empty narration: its trace has only calls and an answer, as the embedded model is trained."""
    return Narration("", ("",) * len(plan.operations))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a teacher gave no narration; refusals are counted by `code`.

    `is_final`: False if another attempt may succeed.
    """

    code: str
    message: str
    is_final: bool = True


class Teacher(Protocol):
    """Narrates plans. `name` is written into the data card.

    A Trace instead of a Narration is the teacher's own complete trace, its answer included.
    """

    @property
    def name(self) -> str: ...

    def narrate(self, plans: Sequence[Plan], *, seed: int) -> Iterator[tuple[int, Narration | Trace | Refusal]]:
        """Yields (index in `plans`, narration or refusal) once for each plan, in any order, as they are ready."""
        ...


# ------------------------------------------------------------------------------------------------- plan -> trace


def traced(plan: Plan, narration: Narration, dialect: Dialect, *, trains_mistakes: bool = False) -> Trace:
    """The plan as a trace, with the texts of the narration: overview and first call, then each remark and the next
    call.

    The turn of a mistaken operation is masked, including the text before the call; the next turn, which comments on the
    mistake and corrects it, is trained. `trains_mistakes` keeps the flag but trains that turn too. `dialect` must have
    the budgets within which images are shown (`templates.shown_as`), because calls in pixels depend on them.

    Raises TaskError if the narration does not fit, or if an operation is refused on which a later one depends;
    ValueError for what the dialect cannot write.
    """
    if len(narration.remarks) != len(plan.operations):
        raise TaskError(
            f"the plan {plan.plan_id!r} has {len(plan.operations)} operations and its narration "
            f"{len(narration.remarks)} remarks; a narration has one remark for each operation."
        )
    *before_calls, last = (narration.overview, *narration.remarks)
    calls = zip(before_calls, _calls(plan, dialect), plan.operations, strict=True)
    turns = [
        TraceTurn(_turn_text(text, call), trains_mistakes or planned.mistake is None, planned.mistake)
        for text, call, planned in calls
    ]
    answer = write(Answer(plan.task.answers[0]), dialect)
    return Trace(plan.task, (*turns, TraceTurn(_turn_text(last, answer))), plan.kind.value, dialect.budgets)


def _turn_text(text: str, action: str) -> str:
    return f"{text}\n{action}" if text else action


def _calls(plan: Plan, dialect: Dialect) -> list[str]:
    """The calls of all operations, written for the images that the dialect shows."""
    planned_views, shown_views = list(plan.task.opening_views), list(plan.task.opening_views)
    follows_up = any((planned.operation.image_number or 0) >= len(shown_views) for planned in plan.operations)
    calls = []
    for planned in plan.operations:
        operation = _on_shown(planned.operation, planned_views, shown_views, plan, dialect)
        sizes = sizes_for(dialect, shown_views, dialect.budgets)
        calls.append(write(operation, dialect, *sizes))
        # Executed only if a later call depends on it, because this decodes the image.
        if follows_up:
            planned_views += _views(planned.operation, planned_views, plan, dialect, _AS_PLANNED)
            written = parse(calls[-1], dialect, *sizes)
            assert isinstance(written, Operation), "a written call is parsed as an operation"
            shown_views += _views(written, shown_views, plan, dialect, dialect.rule)
    return calls


def _on_shown(
    operation: Operation, planned: Sequence[View], shown: Sequence[View], plan: Plan, dialect: Dialect
) -> Operation:
    """The operation on the shown views: a dialect pads and rounds, so a crop differs from the planned one."""
    number = operation.image_number
    if number is None:
        return operation

    def box_on_shown(box: Box) -> Box:
        moved = shown[number].from_source(planned[number].to_source(box))
        if moved is None:
            raise TaskError(
                f"the plan {plan.plan_id!r} cannot be written in the dialect {dialect.name!r}: it crops a region that "
                "is not shown there. Draw it with larger crops, or leave the task out."
            )
        return moved

    return operation.mapped(box_on_shown)


def _views(
    operation: Operation, views: Sequence[View], plan: Plan, dialect: Dialect, rule: OperationRule
) -> tuple[View, ...]:
    """The views that the operation returns. Raises TaskError if it is refused."""
    new = operation.run(views, plan.task, rule)
    if isinstance(new, Failure):
        raise TaskError(
            f"the plan {plan.plan_id!r} cannot be written in the dialect {dialect.name!r}: {new.message} "
            "Draw it with larger crops, or leave the task out."
        )
    return new


_AS_PLANNED = OperationRule(edges=Edges(min_side=1))
"""A plan is independent of dialects: nothing is padded, and no crop is too small."""
