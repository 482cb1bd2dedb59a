"""How a task set fills generation batches, which hold a fixed number of different tasks.

    tasks of a batch = generation_batch_size / num_generations

TRL's sampler draws whole batches only: it leaves out the tasks that fill none at the end of a pass, which of fewer
tasks than one batch is all of them. Depends on these numbers; independent of the trainer and of tasks.
"""

from dataclasses import dataclass
from math import ceil

from trl import GRPOConfig


@dataclass(frozen=True, slots=True)
class GenerationBatches:
    """`tasks` tasks in batches of `tasks_a_batch`, of `rollouts` rollouts, `group_size` of each task."""

    tasks: int
    rollouts: int
    group_size: int

    @classmethod
    def of(cls, tasks: int, args: GRPOConfig) -> "GenerationBatches":
        """Those of a set of `tasks` tasks."""
        assert args.generation_batch_size is not None and args.num_generations is not None, "TRL has set them"
        return cls(tasks, args.generation_batch_size, args.num_generations)

    @property
    def tasks_a_batch(self) -> int:
        """Different tasks that a batch asks for."""
        return self.rollouts // self.group_size

    @property
    def copies(self) -> int:
        """How often each task stands in the rows of a pass: more than once if all of them do not fill one batch."""
        return ceil(self.tasks_a_batch / self.tasks)

    def notice(self) -> str | None:
        """One line about tasks that are repeated, or left out of a pass; None if whole batches use each once."""
        wanted, rows = self.tasks_a_batch, self.tasks * self.copies
        left = rows % wanted
        batch = f"a generation batch has {wanted} tasks ({self.rollouts} rollouts / {self.group_size} of each)"
        others = f"; of the {rows} rows of a pass {left} are left out" if left else ""
        if self.copies > 1:
            return f"{batch}, and the set has {self.tasks}: each is repeated {self.copies} times{others}."
        if left:
            return f"{batch}: of the {self.tasks} tasks {left}, drawn anew, are left out of each pass."
        return None
