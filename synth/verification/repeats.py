"""Repeated traces, which add nothing to a data set.

Two traces are equal if they have the same question about the same images, and either the same actions, or nearly the
same reasoning: they share at least `NEARLY` of their runs of three words. Equal texts about other images are not a
repetition. Depends on traces and words; independent of files.
"""

import re
from collections import defaultdict

from agents.traces.trace import Trace
from pixel_env.dialects.dialect import Dialect
from synth.verification.reasoning import reasoning_of_trace

NEARLY = 0.9
_RUN = 3


class Repeats:
    """The traces so far, to which each new one is compared."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._actions: set[str] = set()
        self._reasoning: defaultdict[tuple[str, ...], list[frozenset[str]]] = defaultdict(list)

    def holds(self, trace: Trace, action_fingerprint: str) -> bool:
        """Whether the trace repeats an earlier one; if not, it is added to the earlier ones."""
        task = trace.task
        runs = _runs(reasoning_of_trace(trace, self._dialect))
        others = self._reasoning[(task.question, *task.options, *(source.key for source in task.sources))]
        if action_fingerprint in self._actions or any(_shared(runs, other) >= NEARLY for other in others):
            return True
        self._actions.add(action_fingerprint)
        others.append(runs)
        return False


def _runs(text: str) -> frozenset[str]:
    words = re.findall(r"\w+", text.casefold())
    return frozenset(" ".join(words[index : index + _RUN]) for index in range(len(words) - _RUN + 1))


def _shared(first: frozenset[str], second: frozenset[str]) -> float:
    """The Jaccard index; 0 for texts of fewer than three words, because silent traces differ only by their actions."""
    return len(first & second) / len(first | second) if first and second else 0.0
