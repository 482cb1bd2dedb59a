"""A sample set as a lazy sequence of tasks, each generated on access.

Depends on seeds, splits and kinds of question; independent of the sets: each is a `SampleSet` in its own file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pixel_env.errors import UnknownNameError
from pixel_env.lazy_sequence import LazySequence
from pixel_env.samples.scenes import Split
from pixel_env.task import Task, TaskSet
from pixel_env.views import ViewBudgets

DEFAULT_COUNT = 1000

Compose = Callable[[str, Split, np.random.Generator], Task]
"""From a task's id, a split and a random generator to the task."""


@dataclass(frozen=True, slots=True)
class SampleSet:
    """The definition of a named set.

    `benchmark`: the benchmark whose style it has; `material`: what its images are made of, for its notice; `kinds`:
    each kind of question, and the function that generates its tasks; `default_kinds`: the kinds that alternate by
    default.
    """

    name: str
    benchmark: str
    material: str
    budgets: ViewBudgets
    kinds: Mapping[str, Compose] = field(repr=False)
    default_kinds: tuple[str, ...]

    def tasks(self, split: Split, count: int, kinds: Sequence[str], seed: int) -> TaskSet:
        """`count` tasks, whose kinds cycle through `kinds`. Raises UnknownNameError for an unknown kind."""
        for kind in kinds:
            if kind not in self.kinds:
                raise UnknownNameError.among("kind of sample task", kind, self.kinds)
        notice = (
            f"embedded sample set sample:{self.name} ({split}): {self.material}, composed by a script. "
            f"A score on it is no {self.benchmark} score."
        )
        return TaskSet(f"sample:{self.name}", SampleTasks(self, split, count, tuple(kinds), seed), notice, self.budgets)


@dataclass(frozen=True)
class SampleTasks(LazySequence[Task]):
    """The tasks of a sample set. Task i depends on (seed, split, kinds, i) alone."""

    sample: SampleSet
    split: Split
    size: int
    kinds: tuple[str, ...]
    seed: int

    def __len__(self) -> int:
        return self.size

    def at(self, position: int) -> Task:
        """Task number `position`, from 0."""
        rng = np.random.default_rng([self.seed, 0 if self.split == "train" else 1, position])
        kind = self.kinds[position % len(self.kinds)]
        task_id = f"{self.sample.name}/{self.split}/{self.seed}/{position:06d}-{kind}"
        return self.sample.kinds[kind](task_id, self.split, rng)
