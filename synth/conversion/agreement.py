"""Agreement of the detected mistakes with the flagged ones: `python -m synth.conversion.agreement FOLDER`.

Depends on traces, their flags and `detected_mistakes.py`; independent of how traces are made. The figures hold only
for the teacher that wrote the folder.
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
from synth.conversion.detected_mistakes import detected_mistakes
from synth.verification.reasoning import reasoning_in
from synth.verification.trace_replay import replay_trace

NOTHING = "none"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Number of operations by (flagged, detected), each a mistake or `NOTHING`."""

    operations: Counter[tuple[str, str]]

    @property
    def both(self) -> int:
        """Operations that are both flagged and detected, with any kind of mistake."""
        return sum(n for (flagged, detected), n in self.operations.items() if NOTHING not in (flagged, detected))

    @property
    def precision(self) -> float:
        """Share of the detected mistakes that are flagged; 1 if none is detected."""
        detected = sum(n for (_, kind), n in self.operations.items() if kind != NOTHING)
        return self.both / detected if detected else 1.0

    @property
    def recall(self) -> float:
        """Share of the flagged mistakes that are detected; 1 if none is flagged."""
        flagged = sum(n for (kind, _), n in self.operations.items() if kind != NOTHING)
        return self.both / flagged if flagged else 1.0

    @property
    def same_kind(self) -> float:
        """Share of the operations that are both flagged and detected for which the kind agrees."""
        same = sum(n for (flagged, detected), n in self.operations.items() if flagged == detected != NOTHING)
        return same / self.both if self.both else 1.0

    def __str__(self) -> str:
        return f"precision {self.precision:.3f}, recall {self.recall:.3f}, same kind where both {self.same_kind:.3f}"

    def table(self) -> str:
        """A Markdown table: rows are the flagged kinds, columns the detected ones."""
        names = [NOTHING, *(mistake.value for mistake in Mistake)]
        rows = [[flagged, *(str(self.operations[flagged, detected]) for detected in names)] for flagged in names]
        lines = [["flagged, detected:", *names], ["---"] * (len(names) + 1), *rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def agreement(replayed: Iterable[tuple[Trace, Trajectory]], dialect: Dialect) -> Agreement:
    """The agreement over all executed operations of these traces; each comes with the trajectory of its replay."""
    operations: Counter[tuple[str, str]] = Counter()
    for trace, trajectory in replayed:
        detections = detected_mistakes(trajectory, dialect)
        for turn, steps, detected in zip(trace.turns, trajectory.messages, detections, strict=True):
            if any(step.views for step in steps):
                operations[turn.mistake or NOTHING, detected or NOTHING] += 1
    return Agreement(operations)


def main(argv: list[str]) -> int:
    """Print how well the detected mistakes agree with the flags of a folder of traces."""
    parser = argparse.ArgumentParser(prog="python -m synth.conversion.agreement", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="folder of demonstrations (traces) that pixel-env synth wrote")
    parser.add_argument("--dialect", default="default", help="dialect of the traces (default: %(default)s)")
    options = parser.parse_args(argv)
    dialect = dialect_named(options.dialect)
    check_dialect(options.folder, dialect)
    task_set, traces = read_trace_folder(options.folder)
    settings = EpisodeSettings(dialect, Limits(), budgets_for(None, task_set, dialect))
    result = agreement(((trace, replay_trace(trace, settings).trajectory) for trace in traces), dialect)
    print(f"{result.table()}\n{result}")
    without_words = [without_reasoning(trace, dialect) for trace in traces]
    from_operations = agreement(((trace, replay_trace(trace, settings).trajectory) for trace in without_words), dialect)
    print(f"from the operations alone: {from_operations}")
    return 0


def without_reasoning(trace: Trace, dialect: Dialect) -> Trace:
    """The trace with its calls and its answer only."""
    return replace(
        trace, turns=tuple(replace(turn, text=_without_reasoning(turn.text, dialect)) for turn in trace.turns)
    )


def _without_reasoning(text: str, dialect: Dialect) -> str:
    return text.removeprefix(reasoning_in(text, dialect)).strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
