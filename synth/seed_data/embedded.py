"""The embedded seed data: the sample sets in turn, composed on demand.

Depends on the sample sets; independent of filters. Nothing is stored: a seed is generated from its index, and the same
index always gives the same seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pixel_env.lazy_sequence import LazySequence
from pixel_env.samples import SAMPLE_SETS, sample_set
from pixel_env.samples.scenes import Split
from pixel_env.task import Task, TaskSet

MIXED = ("vstar", "tallyqa", "infographics", "mvbench")


@dataclass(frozen=True)
class InTurn(LazySequence[Task]):
    """The first task of each part, then the second of each, and so on. All parts have the same length."""

    parts: tuple[Sequence[Task], ...]

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    def at(self, index: int) -> Task:
        """The task with this index, from 0."""
        row, part = divmod(index, len(self.parts))
        return self.parts[part][row]


def embedded_seeds(split: Split, size: int) -> TaskSet:
    """At least `size` tasks, rounded up to the same number from each set; task i does not depend on `size`."""
    each = -(-size // len(MIXED))
    sets = [sample_set(name, split=split, count=each) for name in MIXED]
    notice = (
        f"embedded seed data ({split}): {', '.join(task_set.name for task_set in sets)} in turn, composed by a script. "
        "A score on them is not a benchmark score."
    )
    # The sets agree on every kind of view that they share; only the video set has a budget for frames.
    budgets = SAMPLE_SETS["mvbench"].budgets
    return TaskSet("embedded", InTurn(tuple(task_set.tasks for task_set in sets)), notice, budgets)
