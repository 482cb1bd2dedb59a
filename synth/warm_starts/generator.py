"""The embedded model's warm starts, as `traces=` of a recipe names them: traces of one manner, and lessons mixed in.

Without the lessons the model unlearns to see while it learns to call. Knows templates, plans and lessons, nothing of
training.

The last three are a study's arms: trace i is about the same task in each, and what differs is whether a hard question's
trace shows a mistake and its correction, and whether the mistake is trained. They say nothing, as the embedded model
does; a question that the overview answers is answered at once. The two with corrections need `max_turns: 3`.
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
"""As many as any recipe trains; they are drawn when they are needed."""

SELF_CORRECTION: Mapping[PlanKind, int] = MappingProxyType({PlanKind.SINGLE_PASS: 16, PlanKind.RECROP_ONCE: 16})
"""Traces of a batch by kind; those about easy questions are answered at once, whatever their kind."""
SINGLE_PASS: Mapping[PlanKind, int] = MappingProxyType({PlanKind.SINGLE_PASS: TRACES})

_MOST_LOOKS = 2


def clumsy_warm_start(task_set: TaskSet, dialect: Dialect, seed: int) -> Sequence[Trace]:
    """From here correctness alone gives the operation up."""
    return mixed(clumsy, task_set, dialect, seed)


def competent_warm_start(task_set: TaskSet, dialect: Dialect, seed: int) -> Sequence[Trace]:
    """From here correctness alone suffices."""
    return mixed(competent, task_set, dialect, seed)


def single_pass_warm_start(task_set: TaskSet, dialect: Dialect, seed: int) -> Sequence[Trace]:
    """Hard questions are looked at once, at the right place."""
    return of_kinds(SINGLE_PASS, task_set, dialect, seed)


def self_correction_warm_start(task_set: TaskSet, dialect: Dialect, seed: int) -> Sequence[Trace]:
    """Half of the hard questions are looked at in a wrong place first; that turn is not trained."""
    return of_kinds(SELF_CORRECTION, task_set, dialect, seed)


def mistakes_trained_warm_start(task_set: TaskSet, dialect: Dialect, seed: int) -> Sequence[Trace]:
    """The same traces as `self_correction_warm_start`, but the wrong looks are trained too."""
    return of_kinds(SELF_CORRECTION, task_set, dialect, seed, trains_mistakes=True)


def mixed(template: Template, task_set: TaskSet, dialect: Dialect, seed: int, batches: int = BATCHES) -> MixedTraces:
    """Batches of TRACES traces by `template` on tasks of the set, and LESSONS lessons."""
    parts = ((TRACES, drawn_from(task_set, template, dialect)), (LESSONS, lessons(dialect)))
    return MixedTraces(parts, batches=batches, seed=seed)


def of_kinds(
    kinds: Mapping[PlanKind, int], task_set: TaskSet, dialect: Dialect, seed: int, *, trains_mistakes: bool = False
) -> MixedTraces:
    """Batches of so many silent traces of each kind, of two looks at most, and LESSONS lessons."""
    parts = tuple(
        (count, drawn_from(task_set, in_kind(kind, trains_mistakes=trains_mistakes), dialect))
        for kind, count in kinds.items()
    )
    return MixedTraces((*parts, (LESSONS, lessons(dialect))), batches=BATCHES, seed=seed)


def in_kind(kind: PlanKind, *, trains_mistakes: bool = False) -> Template:
    """Silent traces of the kind on the embedded model's grid; an easy question is answered at once.

    The template raises TaskError for a task whose evidence leaves no room for the kind.
    """

    def template(task: Task, dialect: Dialect, rng: np.random.Generator) -> Trace:
        if task.needs_looking is False:
            return Trace(task, (TraceTurn(write(Answer(task.answers[0]), dialect)),))
        plan = planned(task, kind, rng, framing=GRID, most_looks=_MOST_LOOKS)
        if isinstance(plan, NoRoom):
            raise TaskError(
                f"the task {task.task_id!r} has no {kind.value} trace: {plan.value}. "
                "Leave it out of the task set, or choose other traces."
            )
        return traced(plan, silent(plan), dialect, trains_mistakes=trains_mistakes)

    return template
