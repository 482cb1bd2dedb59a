"""What became of the seeds that were read: how many are kept, and how many left out for which reason.

Values only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pixel_env.task import TaskSet

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class SeedReport:
    """`dropped` and `examples` (the first ones: ids, or what is wrong with a row) by reason, a value of `Drop`."""

    name: str
    format_name: str
    read: int
    kept: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """The report for people, the most frequent reason first."""
        counts = sorted(self.dropped.items(), key=lambda item: (-item[1], item[0]))
        head = f"{self.name} ({self.format_name}): {self.kept} of {self.read} seeds kept"
        return [head, *(f"  {reason}: {count}, e.g. {self.examples[reason][0]}" for reason, count in counts)]


class Tally:
    """Counts seeds while they are judged."""

    def __init__(self) -> None:
        self.dropped: dict[str, int] = {}
        self._examples: dict[str, list[str]] = {}

    def drop(self, reason: str, example: str) -> None:
        """One more left out for `reason`."""
        self.dropped[reason] = self.dropped.get(reason, 0) + 1
        examples = self._examples.setdefault(reason, [])
        if len(examples) < _EXAMPLES:
            examples.append(example)

    def report(self, name: str, format_name: str, kept: int) -> SeedReport:
        """What was counted so far."""
        examples = {reason: tuple(of_it) for reason, of_it in self._examples.items()}
        return SeedReport(name, format_name, kept + sum(self.dropped.values()), kept, dict(self.dropped), examples)


@dataclass(frozen=True, slots=True)
class Seeds:
    """Tasks that are fit for synthesis, and what became of the others."""

    task_set: TaskSet
    report: SeedReport
