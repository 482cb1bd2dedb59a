"""A sample set as a sequence of tasks, each composed when it is asked for.

Knows seeds, splits and kinds of question. Knows no set: each is a `SampleSet` in a file of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pixel_env.errors import UnknownNameError
from pixel_env.lazy_sequence import Composed
from pixel_env.samples.scenes import Split
from pixel_env.task import Task, TaskSet
from pixel_env.views import ViewBudgets

DEFAULT_COUNT = 1000

Compose = Callable[[str, Split, np.random.Generator], Task]
"""From a task's id, a split and a source of randomness to the task."""


@dataclass(frozen=True, slots=True)
class SampleSet:
    """What a named set is made of.

    `benchmark`: the one in whose style it is; `material`: what it is composed of, for its notice; `kinds`: each kind
    of question, and how it is composed; `default_kinds`: those that are asked in turn if nobody chooses.
    """

    name: str
    benchmark: str
    material: str
    budgets: ViewBudgets
    kinds: Mapping[str, Compose] = field(repr=False)
    default_kinds: tuple[str, ...]

    def tasks(self, split: Split, count: int, kinds: Sequence[str], seed: int) -> TaskSet:
        """`count` tasks, the `kinds` in turn. Raises UnknownNameError for a kind that is none."""
        for kind in kinds:
            if kind not in self.kinds:
                raise UnknownNameError.among("kind of sample task", kind, self.kinds)
        notice = (
            f"embedded sample set sample:{self.name} ({split}): {self.material}, composed by a script. "
            f"A score on it is no {self.benchmark} score."
        )
        return TaskSet(f"sample:{self.name}", SampleTasks(self, split, count, tuple(kinds), seed), notice, self.budgets)


@dataclass(frozen=True)
class SampleTasks(Composed[Task]):
    """The tasks of a sample set. Task i depends on (seed, split, kinds, i) alone."""

    sample: SampleSet
    split: Split
    size: int
    kinds: tuple[str, ...]
    seed: int

    def __len__(self) -> int:
        return self.size

    def at(self, place: int) -> Task:
        """Task number `place`, from 0."""
        rng = np.random.default_rng([self.seed, 0 if self.split == "train" else 1, place])
        kind = self.kinds[place % len(self.kinds)]
        task_id = f"{self.sample.name}/{self.split}/{self.seed}/{place:06d}-{kind}"
        return self.sample.kinds[kind](task_id, self.split, rng)
