"""The embedded seeds: the sample sets in turn, composed when they are asked for.

Knows which sets are mixed. Nothing is stored: a seed is a recipe, drawn anew from its number, always the same.
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
    """One task of each part, then the next of each. The parts are equally long."""

    parts: tuple[Sequence[Task], ...]

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    def at(self, place: int) -> Task:
        """Task number `place`, from 0."""
        row, part = divmod(place, len(self.parts))
        return self.parts[part][row]


def embedded_seeds(split: Split, size: int) -> TaskSet:
    """`size` tasks or a few more, the sets in turn; task i is the same however many there are."""
    each = -(-size // len(MIXED))
    sets = [sample_set(name, split=split, count=each) for name in MIXED]
    notice = (
        f"embedded seeds ({split}): {', '.join(one.name for one in sets)} in turn, composed by a script. "
        "A score on them is no benchmark score."
    )
    # The sets agree on every kind of view that they share; only the videos' set says how a frame is shown.
    budgets = SAMPLE_SETS["mvbench"].budgets
    return TaskSet("embedded", InTurn(tuple(one.tasks for one in sets)), notice, budgets)
