"""The report on seed data: how many seeds are kept, and how many are dropped for each reason.

Plain values. Depends on task sets; independent of filters and formats.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pixel_env.task import TaskSet

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class SeedReport:
    """`dropped` (counts) and `examples` (the first ids, or problems of rows), both by reason, a value of `Drop`."""

    name: str
    format_name: str
    read: int
    kept: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """The report as lines of text, the most frequent reason first."""
        counts = sorted(self.dropped.items(), key=lambda item: (-item[1], item[0]))
        head = f"{self.name} ({self.format_name}): {self.kept} of {self.read} seeds kept"
        return [head, *(f"  {reason}: {count}, e.g. {self.examples[reason][0]}" for reason, count in counts)]


class Tally:
    """Counts seeds while they are filtered."""

    def __init__(self) -> None:
        self.dropped: dict[str, int] = {}
        self._examples: dict[str, list[str]] = {}

    def drop(self, reason: str, example: str) -> None:
        """Counts one more seed that is dropped for `reason`."""
        self.dropped[reason] = self.dropped.get(reason, 0) + 1
        examples = self._examples.setdefault(reason, [])
        if len(examples) < _EXAMPLES:
            examples.append(example)

    def report(self, name: str, format_name: str, kept: int) -> SeedReport:
        """The report on the seeds counted so far."""
        examples = {reason: tuple(texts) for reason, texts in self._examples.items()}
        return SeedReport(name, format_name, kept + sum(self.dropped.values()), kept, dict(self.dropped), examples)


@dataclass(frozen=True, slots=True)
class Seeds:
    """Tasks that are suitable for synthesis, and the report on the dropped ones."""

    task_set: TaskSet
    report: SeedReport
