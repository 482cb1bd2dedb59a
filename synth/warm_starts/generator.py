"""The embedded model's warm starts, the functions for `traces=` of a recipe: traces of one style mixed with lessons.

Without the lessons the model forgets to see while it learns to call. Depends on templates, plans and lessons;
independent of training.

The last three are the arms of a study: trace i is about the same task in each arm, and the arms differ in whether the
trace of a hard question shows a mistake and its correction, and whether the mistake is trained. Their traces have no
reasoning, like those of the embedded model; a question that the overview answers is answered at once. The two arms with
corrections need `max_turns: 3`.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from agents.traces.trace import Trace, TraceTurn
from pixel_env.actions import write
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Answer
from pixel_env.errors import TaskError
from pixel_env.task import Task, TaskSet
from synth.plans.framing import GRID
from synth.plans.plan import PlanKind, silent, traced
from synth.plans.planning import NoRoom, planned
from synth.warm_starts.lessons import lessons
from synth.warm_starts.templates import MixedTraces, Template, clumsy, competent, drawn_from

TRACES = 32
"""Traces of a batch."""
LESSONS = 10
"""Lessons of a batch; `per_device_train_batch_size` is the sum of both."""
BATCHES = 1000
"""At least as many as any recipe trains; they are generated on demand."""

SELF_CORRECTION: Mapping[PlanKind, int] = MappingProxyType({PlanKind.SINGLE_PASS: 16, PlanKind.RECROP_ONCE: 16})
"""Traces of a batch by kind; a trace about an easy question answers at once, whatever its kind."""
SINGLE_PASS: Mapping[PlanKind, int] = MappingProxyType({PlanKind.SINGLE_PASS: TRACES})

_MAX_OPERATIONS = 2


def clumsy_warm_start(task_set: TaskSet, dialect: Dialect, seed: int) -> Sequence[Trace]:
    """A start from which a model trained on correctness alone stops calling the operation (the learning trap)."""
    return mixed(clumsy, task_set, dialect, seed)


def competent_warm_start(task_set: TaskSet, dialect: Dialect, seed: int) -> Sequence[Trace]:
    """A start from which correctness alone suffices to learn the operation."""
    return mixed(competent, task_set, dialect, seed)


def single_pass_warm_start(task_set: TaskSet, dialect: Dialect, seed: int) -> Sequence[Trace]:
    """Hard questions get one crop, of the right region."""
    return of_kinds(SINGLE_PASS, task_set, dialect, seed)


def self_correction_warm_start(task_set: TaskSet, dialect: Dialect, seed: int) -> Sequence[Trace]:
    """Half of the hard questions get a crop of a wrong region first; that turn is not trained."""
    return of_kinds(SELF_CORRECTION, task_set, dialect, seed)


def mistakes_trained_warm_start(task_set: TaskSet, dialect: Dialect, seed: int) -> Sequence[Trace]:
    """The same traces as `self_correction_warm_start`, but the wrong crops are trained too."""
    return of_kinds(SELF_CORRECTION, task_set, dialect, seed, trains_mistakes=True)


def mixed(template: Template, task_set: TaskSet, dialect: Dialect, seed: int, batches: int = BATCHES) -> MixedTraces:
    """Batches of TRACES traces by `template` on tasks of the set, and LESSONS lessons each."""
    parts = ((TRACES, drawn_from(task_set, template, dialect)), (LESSONS, lessons(dialect)))
    return MixedTraces(parts, batches=batches, seed=seed)


def of_kinds(
    kinds: Mapping[PlanKind, int], task_set: TaskSet, dialect: Dialect, seed: int, *, trains_mistakes: bool = False
) -> MixedTraces:
    """Batches of silent traces, with the given count of each kind and at most two operations, and LESSONS lessons."""
    parts = tuple(
        (count, drawn_from(task_set, in_kind(kind, trains_mistakes=trains_mistakes), dialect))
        for kind, count in kinds.items()
    )
    return MixedTraces((*parts, (LESSONS, lessons(dialect))), batches=BATCHES, seed=seed)


def in_kind(kind: PlanKind, *, trains_mistakes: bool = False) -> Template:
    """A template for silent traces of the kind on the embedded model's grid; an easy question is answered at once.

    The template raises TaskError for a task whose evidence has no room for the kind.
    """

    def template(task: Task, dialect: Dialect, rng: np.random.Generator) -> Trace:
        if task.needs_looking is False:
            return Trace(task, (TraceTurn(write(Answer(task.answers[0]), dialect)),))
        plan = planned(task, kind, rng, framing=GRID, max_operations=_MAX_OPERATIONS)
        if isinstance(plan, NoRoom):
            raise TaskError(
                f"the task {task.task_id!r} has no {kind.value} trace: {plan.value}. "
                "Leave it out of the task set, or choose other traces."
            )
        return traced(plan, silent(plan), dialect, trains_mistakes=trains_mistakes)

    return template
