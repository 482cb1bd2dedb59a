"""How far mistakes that are found are those that were flagged: `python -m synth.conversion.agreement FOLDER`.

Knows traces, flags and `found_mistakes`. The figure holds for the teacher that wrote the folder, and for no other.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from agents.rollout import EpisodeSettings
from agents.traces.folder import check_dialect, read_trace_folder
from agents.traces.trace import Mistake, Trace
from pixel_env.budgets import budgets_for
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.table import dialect_named
from pixel_env.episode import Limits, Trajectory
from synth.conversion.found_mistakes import found_mistakes
from synth.verification.playing import play
from synth.verification.spoken import spoken

NOTHING = "none"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Operations by (flagged, found), each a mistake or `NOTHING`."""

    operations: Counter[tuple[str, str]]

    @property
    def both(self) -> int:
        """Flagged and found, as whatever kind."""
        return sum(n for (flagged, found), n in self.operations.items() if NOTHING not in (flagged, found))

    @property
    def precision(self) -> float:
        """Share of the found mistakes that are flagged; 1 if none is found."""
        found = sum(n for (_, found), n in self.operations.items() if found != NOTHING)
        return self.both / found if found else 1.0

    @property
    def recall(self) -> float:
        """Share of the flagged mistakes that are found; 1 if none is flagged."""
        flagged = sum(n for (flagged, _), n in self.operations.items() if flagged != NOTHING)
        return self.both / flagged if flagged else 1.0

    @property
    def same_kind(self) -> float:
        """Share of those that are both flagged and found whose kind agrees."""
        same = sum(n for (flagged, found), n in self.operations.items() if flagged == found != NOTHING)
        return same / self.both if self.both else 1.0

    def __str__(self) -> str:
        return f"precision {self.precision:.3f}, recall {self.recall:.3f}, of both the same kind {self.same_kind:.3f}"

    def table(self) -> str:
        """Flagged in rows, found in columns, as Markdown."""
        names = [NOTHING, *(mistake.value for mistake in Mistake)]
        rows = [[flagged, *(str(self.operations[flagged, found]) for found in names)] for flagged in names]
        lines = [["flagged, found:", *names], ["---"] * (len(names) + 1), *rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def agreement(played: Iterable[tuple[Trace, Trajectory]], dialect: Dialect) -> Agreement:
    """Over the operations of traces and of their episodes."""
    operations: Counter[tuple[str, str]] = Counter()
    for trace, trajectory in played:
        found_in = found_mistakes(trajectory, dialect)
        turns = zip(trace.turns, trajectory.turns, trajectory.executed, found_in, strict=True)
        for turn, played_turn, executed, found in turns:
            if executed and played_turn.views:
                operations[turn.mistake or NOTHING, found or NOTHING] += 1
    return Agreement(operations)


def main(argv: list[str]) -> int:
    """Prints the agreement on a folder of traces."""
    parser = argparse.ArgumentParser(prog="python -m synth.conversion.agreement", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="what pixel-env synth wrote")
    parser.add_argument("--dialect", default="default", help="that it was written in (%(default)s)")
    options = parser.parse_args(argv)
    dialect = dialect_named(options.dialect)
    check_dialect(options.folder, dialect)
    task_set, traces = read_trace_folder(options.folder)
    settings = EpisodeSettings(dialect, Limits(), budgets_for(None, task_set, dialect))
    result = agreement(((trace, play(trace, settings).trajectory) for trace in traces), dialect)
    print(f"{result.table()}\n{result}")
    mute = [silenced(trace, dialect) for trace in traces]
    unheard = agreement(((trace, play(trace, settings).trajectory) for trace in mute), dialect)
    print(f"from the operations alone: {unheard}")
    return 0


def silenced(trace: Trace, dialect: Dialect) -> Trace:
    """The trace without its words: calls and answer only."""
    return replace(trace, turns=tuple(replace(turn, text=_done(turn.text, dialect)) for turn in trace.turns))


def _done(text: str, dialect: Dialect) -> str:
    return text.removeprefix(spoken(text, dialect)).strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
