"""Template traces: episodes generated from a task's evidence alone, without a model.

A template is `(task, dialect, rng) -> Trace`; `MixedTraces` mixes traces of templates and of other generators in fixed
proportions. Depends on tasks, plans and dialects; independent of tokens and training.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from agents.traces.trace import Mistake, Trace, TraceTurn
from pixel_env.actions import sizes_for, write
from pixel_env.boxes import Box
from pixel_env.budgets import budgets_for
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Answer
from pixel_env.errors import ConfigError, TaskError
from pixel_env.lazy_sequence import LazySequence
from pixel_env.operations.crop_image import CropImage
from pixel_env.task import Task, TaskSet
from synth.plans.plan import Plan, PlanKind, PlannedOperation, silent, traced
from synth.plans.windows import moved_window, right_window, wrong_window

Template = Callable[[Task, Dialect, np.random.Generator], Trace]
TraceGenerator = Callable[[np.random.Generator], Trace]

UNSEEN = "unseen"
"""The answer of a trace after a crop that missed the evidence; it is graded wrong."""


# ----------------------------------------------------------------------------------------------------- templates


def single_pass(task: Task, dialect: Dialect, rng: np.random.Generator) -> Trace:
    """One crop of the right region, then the right answer."""
    image, evidence = _evidence(task)
    plan = Plan(task, PlanKind.SINGLE_PASS, (PlannedOperation(CropImage(image, right_window(evidence))),))
    return traced(plan, silent(plan), dialect)


def recrop_once(task: Task, dialect: Dialect, rng: np.random.Generator) -> Trace:
    """A crop that misses the evidence (not trained), then a crop of the right region, then the right answer."""
    image, evidence = _evidence(task)
    wrong = PlannedOperation(CropImage(image, wrong_window(evidence, rng)), Mistake.UNRELATED_REGION)
    plan = Plan(task, PlanKind.RECROP_ONCE, (wrong, PlannedOperation(CropImage(image, right_window(evidence)))))
    return traced(plan, silent(plan), dialect)


@dataclass(frozen=True, slots=True)
class WarmStartStyle:
    """The style of a warm start. It teaches the form of an episode, not its success: its traces may end wrong.

    `call_share`: share of traces with a call; `max_shift_cells`: the right window is shifted by up to this many cells;
    `after_a_miss`: if the crop misses needed evidence, the answer is "unseen", or the right answer is not trained.
    """

    call_share: float
    max_shift_cells: int
    after_a_miss: Literal["unseen", "not_trained"]


COMPETENT = WarmStartStyle(call_share=0.6, max_shift_cells=4, after_a_miss="not_trained")
# With shifts of 7 cells a crop is worth less than a guess; with 5 it is worth more, because the embedded model reads
# what the crop hits.
CLUMSY = WarmStartStyle(call_share=0.4, max_shift_cells=7, after_a_miss="unseen")


def competent(task: Task, dialect: Dialect, rng: np.random.Generator) -> Trace:
    """A trace of a warm start from which correctness alone suffices to learn to crop."""
    return trace_in_style(COMPETENT, task, dialect, rng)


def clumsy(task: Task, dialect: Dialect, rng: np.random.Generator) -> Trace:
    """A trace of a warm start for which a crop is worth less than a guess: the start of the learning trap."""
    return trace_in_style(CLUMSY, task, dialect, rng)


def trace_in_style(style: WarmStartStyle, task: Task, dialect: Dialect, rng: np.random.Generator) -> Trace:
    """A trace with or without a call, which hits or misses the evidence, drawn with the shares of `style`."""
    needs_looking = task.needs_looking is True
    if rng.random() >= style.call_share:
        return _trace(task, dialect, _answer(_guess(task, rng) if needs_looking else task.answers[0], dialect))
    image, evidence = _evidence(task)
    window = moved_window(evidence, style.max_shift_cells, rng)
    call = _call(task, image, window, dialect)
    if window.contains(evidence) or not needs_looking:
        return _trace(task, dialect, call, _answer(task.answers[0], dialect))
    if style.after_a_miss == "unseen":
        return _trace(task, dialect, call, _answer(UNSEEN, dialect))
    return _trace(task, dialect, call, _answer(task.answers[0], dialect, train=False))


def _guess(task: Task, rng: np.random.Generator) -> str:
    """A random answer: the letter of an option, else a digit."""
    if task.options:
        return chr(ord("A") + int(rng.integers(len(task.options))))
    return str(int(rng.integers(10)))


def _evidence(task: Task) -> tuple[int, Box]:
    if not task.evidence:
        raise TaskError(
            f"the task {task.task_id!r} has no evidence box, and a template crops the evidence. "
            "Add 'evidence' to its row, or generate its traces with a model."
        )
    return task.evidence[0].image, task.evidence[0].box


def _trace(task: Task, dialect: Dialect, *turns: TraceTurn) -> Trace:
    return Trace(task, turns, budgets=dialect.budgets)


def _call(task: Task, image: int, box: Box, dialect: Dialect) -> TraceTurn:
    return TraceTurn(written_crop_call(task, image, box, dialect))


def written_crop_call(task: Task, image: int, box: Box, dialect: Dialect) -> str:
    """The call that crops `box` of the task's image with the index `image`, shown within the dialect's budgets."""
    return write(CropImage(image, box), dialect, *sizes_for(dialect, task.opening_views, dialect.budgets))


def shown_as(task_set: TaskSet, dialect: Dialect) -> Dialect:
    """The dialect with the budgets of the set's images, on which a call in pixels depends."""
    return dataclasses.replace(dialect, budgets=budgets_for(None, task_set, dialect))


def _cropping(task_set: TaskSet, dialect: Dialect) -> Dialect:
    """`shown_as` for the templates, which all crop. Raises ConfigError for a dialect that cannot."""
    if not dialect.can_call(CropImage.name):
        raise ConfigError(
            f"the dialect {dialect.name!r} cannot crop images, and these traces are crops and answers. Give --traces: "
            "a folder of traces in that dialect, or 'module:function' of your own."
        )
    return shown_as(task_set, dialect)


def _answer(text: str, dialect: Dialect, *, train: bool = True) -> TraceTurn:
    return TraceTurn(write(Answer(text), dialect), train)


# -------------------------------------------------------------------------------------------------------- mixing


def drawn_from(task_set: TaskSet, template: Template, dialect: Dialect) -> TraceGenerator:
    """A generator that applies the template to a task drawn from the set."""

    dialect = _cropping(task_set, dialect)

    def generate(rng: np.random.Generator) -> Trace:
        return template(task_set.tasks[int(rng.integers(len(task_set)))], dialect, rng)

    return generate


@dataclass(frozen=True)
class MixedTraces(LazySequence[Trace]):
    """`batches` batches, each with a fixed number of traces of each generator: `parts` are (count, generator).

    Nothing is stored: trace i is generated from (seed, i) on each access, always the same.
    """

    parts: tuple[tuple[int, TraceGenerator], ...]
    batches: int
    seed: int

    @property
    def batch_size(self) -> int:
        """The number of traces in one batch."""
        return sum(count for count, _ in self.parts)

    def __len__(self) -> int:
        return self.batches * self.batch_size

    def at(self, index: int) -> Trace:
        """The trace with this index, from 0."""
        rng = np.random.default_rng((self.seed, index))
        in_batch = index % self.batch_size
        for count, generator in self.parts:
            if in_batch < count:
                return generator(rng)
            in_batch -= count
        raise AssertionError("the counts of a batch add up to its size")


# ----------------------------------------------------------------------------------- for `traces=` of a recipe


def single_pass_traces(task_set: TaskSet, dialect: Dialect, seed: int) -> Sequence[Trace]:
    """One single-pass trace of each task. Raises ConfigError for a dialect that cannot crop."""
    dialect = _cropping(task_set, dialect)
    return [
        single_pass(task, dialect, np.random.default_rng((seed, index))) for index, task in enumerate(task_set.tasks)
    ]


def recrop_traces(task_set: TaskSet, dialect: Dialect, seed: int) -> Sequence[Trace]:
    """Every second task gets a right crop only, the others a deliberate mistake first, which the loss skips.

    Raises ConfigError for a dialect that cannot crop.
    """
    templates, dialect = (single_pass, recrop_once), _cropping(task_set, dialect)
    return [
        templates[index % 2](task, dialect, np.random.default_rng((seed, index)))
        for index, task in enumerate(task_set.tasks)
    ]
