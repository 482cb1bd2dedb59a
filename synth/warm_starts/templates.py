"""Template traces: episodes made from a task's evidence alone, without a model.

Knows tasks, dialects and chance. Knows nothing of tokens or training. A template is `(task, dialect, rng) -> Trace`;
`MixedTraces` draws any number of them, and of any other generator, in fixed proportions.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from agents.traces.trace import Mistake, Trace, TraceTurn
from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.budgets import budgets_for
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Answer
from pixel_env.errors import TaskError
from pixel_env.lazy_sequence import LazySequence
from pixel_env.media.images import shown_size
from pixel_env.operations.crop_image import CropImage
from pixel_env.task import Task, TaskSet
from synth.plans.plan import Look, Plan, PlanKind, silent, traced
from synth.plans.windows import moved_window, right_window, wrong_window

Template = Callable[[Task, Dialect, np.random.Generator], Trace]
TraceGenerator = Callable[[np.random.Generator], Trace]

UNSEEN = "unseen"
"""What a trace answers after a look that missed: graded wrong."""

# ------------------------------------------------------------------------------------------------------- windows


# ----------------------------------------------------------------------------------------------------- templates


def single_pass(task: Task, dialect: Dialect, rng: np.random.Generator) -> Trace:
    """Looks once, at the right place, and answers right."""
    image, evidence = _evidence(task)
    plan = Plan(task, PlanKind.SINGLE_PASS, (Look(CropImage(image, right_window(evidence))),))
    return traced(plan, silent(plan), dialect)


def recrop_once(task: Task, dialect: Dialect, rng: np.random.Generator) -> Trace:
    """Looks at a place that misses the evidence (not trained), then at the right one, and answers right."""
    image, evidence = _evidence(task)
    wrong = Look(CropImage(image, wrong_window(evidence, rng)), Mistake.UNRELATED_REGION)
    plan = Plan(task, PlanKind.RECROP_ONCE, (wrong, Look(CropImage(image, right_window(evidence)))))
    return traced(plan, silent(plan), dialect)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a warm start behaves. It teaches the form of an episode, not its success: its traces may end wrong.

    `calls`: share of traces with a call; `moved_by`: the right window is moved by up to so many cells; `after_a_miss`:
    a question that needs a look it did not get ends in "unseen", or its answer is not trained.
    """

    calls: float
    moved_by: int
    after_a_miss: Literal["unseen", "not_trained"]


COMPETENT = Manner(calls=0.6, moved_by=4, after_a_miss="not_trained")
# Moved by 7 cells a look pays less than a guess; by 5 it pays more, because the embedded model reads what it hits.
CLUMSY = Manner(calls=0.4, moved_by=7, after_a_miss="unseen")


def competent(task: Task, dialect: Dialect, rng: np.random.Generator) -> Trace:
    """A warm start from which correctness alone learns to look."""
    return in_manner(COMPETENT, task, dialect, rng)


def clumsy(task: Task, dialect: Dialect, rng: np.random.Generator) -> Trace:
    """A warm start for which a look pays less than a guess: the learning trap's starting point."""
    return in_manner(CLUMSY, task, dialect, rng)


def in_manner(manner: Manner, task: Task, dialect: Dialect, rng: np.random.Generator) -> Trace:
    """A trace that calls or does not, hits or misses, as `manner` has it."""
    needs_looking = task.needs_looking is True
    if rng.random() >= manner.calls:
        return _trace(task, _answer(_guess(task, rng) if needs_looking else task.answers[0], dialect))
    image, evidence = _evidence(task)
    window = moved_window(evidence, manner.moved_by, rng)
    call = _call(task, image, window, dialect)
    if window.contains(evidence) or not needs_looking:
        return _trace(task, call, _answer(task.answers[0], dialect))
    if manner.after_a_miss == "unseen":
        return _trace(task, call, _answer(UNSEEN, dialect))
    return _trace(task, call, _answer(task.answers[0], dialect, train=False))


def _guess(task: Task, rng: np.random.Generator) -> str:
    """An answer drawn without looking: one of the options, else a digit."""
    if task.options:
        return chr(ord("A") + int(rng.integers(len(task.options))))
    return str(int(rng.integers(10)))


def _evidence(task: Task) -> tuple[int, Box]:
    if not task.evidence:
        raise TaskError(
            f"the task {task.task_id!r} has no evidence box, and a template looks where the evidence is. "
            "Add 'evidence' to its row, or synthesise its traces with a model."
        )
    return task.evidence[0].image, task.evidence[0].box


def _trace(task: Task, *turns: TraceTurn) -> Trace:
    return Trace(task, turns)


def _call(task: Task, image: int, box: Box, dialect: Dialect) -> TraceTurn:
    return TraceTurn(written_look(task, image, box, dialect))


def written_look(task: Task, image: int, box: Box, dialect: Dialect) -> str:
    """The call that crops `box` of the task's picture number `image`, shown within the dialect's budgets."""
    in_pixels = dialect.coordinates.unit == "pixel"
    sizes = [shown_size(view, dialect.budgets) for view in task.opening_views] if in_pixels else []
    return write(CropImage(image, box), dialect, sizes)


def shown_as(task_set: TaskSet, dialect: Dialect) -> Dialect:
    """The dialect with the budgets that the set's pictures are shown within: a call in pixels depends on them."""
    return dataclasses.replace(dialect, budgets=budgets_for(None, task_set, dialect))


def _answer(text: str, dialect: Dialect, *, train: bool = True) -> TraceTurn:
    return TraceTurn(write(Answer(text), dialect), train)


# -------------------------------------------------------------------------------------------------------- mixing


def drawn_from(task_set: TaskSet, template: Template, dialect: Dialect) -> TraceGenerator:
    """A generator that applies the template to a task drawn from the set."""

    dialect = shown_as(task_set, dialect)

    def generate(rng: np.random.Generator) -> Trace:
        return template(task_set.tasks[int(rng.integers(len(task_set)))], dialect, rng)

    return generate


@dataclass(frozen=True)
class MixedTraces(LazySequence[Trace]):
    """`batches` batches, each with exactly so many traces of each generator: `parts` are (count, generator).

    Nothing is stored: trace number i is drawn anew from (seed, i), always the same.
    """

    parts: tuple[tuple[int, TraceGenerator], ...]
    batches: int
    seed: int

    @property
    def batch_size(self) -> int:
        """Traces of all generators together in one batch."""
        return sum(count for count, _ in self.parts)

    def __len__(self) -> int:
        return self.batches * self.batch_size

    def at(self, place: int) -> Trace:
        """Trace number `place`, from 0."""
        rng = np.random.default_rng((self.seed, place))
        in_batch = place % self.batch_size
        for count, generator in self.parts:
            if in_batch < count:
                return generator(rng)
            in_batch -= count
        raise AssertionError("the counts of a batch add up to its size")


# ----------------------------------------------------------------------------------- what `traces=` of a recipe names


def single_pass_traces(task_set: TaskSet, dialect: Dialect, seed: int) -> Sequence[Trace]:
    """One single-pass trace of each task."""
    dialect = shown_as(task_set, dialect)
    return [
        single_pass(task, dialect, np.random.default_rng((seed, place))) for place, task in enumerate(task_set.tasks)
    ]


def recrop_traces(task_set: TaskSet, dialect: Dialect, seed: int) -> Sequence[Trace]:
    """Of two tasks, one is looked at once and one after a deliberate mistake that the loss skips."""
    templates, dialect = (single_pass, recrop_once), shown_as(task_set, dialect)
    return [
        templates[place % 2](task, dialect, np.random.default_rng((seed, place)))
        for place, task in enumerate(task_set.tasks)
    ]
