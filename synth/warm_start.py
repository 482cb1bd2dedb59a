"""The embedded model's warm starts, as `traces=` of a recipe names them: traces of one manner, and lessons mixed in.

Without the lessons the model unlearns to see while it learns to call. Knows templates and lessons, nothing of training.
"""

from collections.abc import Sequence

from agents.traces import Trace
from pixel_env.dialects import Dialect
from pixel_env.types import TaskSet
from synth.lessons import lessons
from synth.templates import MixedTraces, Template, clumsy, competent, drawn_from

TRACES = 32
"""Traces of a batch."""
LESSONS = 10
"""Lessons of a batch; `per_device_train_batch_size` is the sum of both."""
BATCHES = 1000
"""As many as any recipe trains; they are drawn when they are needed."""


def clumsy_warm_start(task_set: TaskSet, dialect: Dialect, seed: int) -> Sequence[Trace]:
    """From here correctness alone gives the operation up."""
    return mixed(clumsy, task_set, dialect, seed)


def competent_warm_start(task_set: TaskSet, dialect: Dialect, seed: int) -> Sequence[Trace]:
    """From here correctness alone suffices."""
    return mixed(competent, task_set, dialect, seed)


def mixed(template: Template, task_set: TaskSet, dialect: Dialect, seed: int, batches: int = BATCHES) -> MixedTraces:
    """Batches of TRACES traces by `template` on tasks of the set, and LESSONS lessons."""
    parts = ((TRACES, drawn_from(task_set, template, dialect)), (LESSONS, lessons(dialect)))
    return MixedTraces(parts, batches=batches, seed=seed)
