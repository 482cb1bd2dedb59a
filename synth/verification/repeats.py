"""Repetitions: traces that teach nothing new.

Two traces are the same if they ask the same of the same pictures and either do the same, whatever they say, or say
nearly the same: at least `NEARLY` of their runs of three words. Equal words about other pictures are no repetition.
Knows traces and words; nothing of files.
"""

import re
from collections import defaultdict

from agents.traces.trace import Trace
from pixel_env.dialects.dialect import Dialect
from synth.verification.spoken import words_of

NEARLY = 0.9
_RUN = 3


class Repeats:
    """The traces so far."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._deeds: set[str] = set()
        self._said: defaultdict[tuple[str, ...], list[frozenset[str]]] = defaultdict(list)

    def holds(self, trace: Trace, deeds: str) -> bool:
        """Whether the trace repeats an earlier one; if not, it counts as an earlier one from now on."""
        task = trace.task
        said = _runs(words_of(trace, self._dialect))
        others = self._said[(task.question, *task.options, *(source.key for source in task.sources))]
        if deeds in self._deeds or any(_shared(said, other) >= NEARLY for other in others):
            return True
        self._deeds.add(deeds)
        others.append(said)
        return False


def _runs(text: str) -> frozenset[str]:
    words = re.findall(r"\w+", text.casefold())
    return frozenset(" ".join(words[place : place + _RUN]) for place in range(len(words) - _RUN + 1))


def _shared(first: frozenset[str], second: frozenset[str]) -> float:
    """Jaccard's index; 0 for texts of less than three words: silent traces differ by what they do."""
    return len(first & second) / len(first | second) if first and second else 0.0
