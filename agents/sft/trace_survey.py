"""A survey of all traces before training: the length of each, and which cannot be trained on.

A trace is played with placeholders for its images (`placeholders.py`), so that only headers, one frame of a video and
rendered pages are decoded. Errors in the pixels (a truncated file) appear only when the trace is trained. Depends on
the collator's `play`; independent of the trainer.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from agents.chat.chat import Chat
from agents.rollout import EpisodeSettings
from agents.run_folder.configuration import write_whole
from agents.sft.collator import Fault, PlayedTrace, UnusableTrace, check_teaches, play
from agents.sft.placeholders import with_placeholders
from agents.sft.trained_looks import TrainedLooks, trained_looks
from agents.traces.trace import Trace
from pixel_env.errors import MediaError

REFUSED = MappingProxyType({"train": "refused_traces.jsonl", "held-out": "refused_held_out_traces.jsonl"})
"""File name of each set's refused traces."""
_NAMED = 3
"""Refused traces of each reason that the summary names; the file lists all."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A trace that is left out: its index (`place` in the file), its task, its kind, and why."""

    place: int
    task_id: str
    kind: str
    fault: Fault
    message: str


@dataclass(frozen=True, slots=True)
class Survey:
    """The traces that can be trained on (their indices, and the tokens of each, images included), and the others.

    `looks`: the trained looks of those that can be trained on and have evidence, by index.
    """

    indices: tuple[int, ...]
    tokens: tuple[int, ...]
    refusals: tuple[Refusal, ...]
    looks: Mapping[int, TrainedLooks] = field(default_factory=dict)

    @property
    def refused(self) -> dict[str, int]:
        """Number of refused traces for each reason."""
        return dict(Counter(refusal.fault.value for refusal in self.refusals))

    @property
    def missing(self) -> tuple[int, ...]:
        """The traces with a trained look that shows no evidence: their indices."""
        return tuple(index for index, looks in self.looks.items() if looks.showing < looks.count)

    def shown(self, traces: Sequence[Trace]) -> str:
        """How many trained looks show the evidence, as a line that names the first traces where one does not."""
        count, showing = (sum(getattr(one, name) for one in self.looks.values()) for name in ("count", "showing"))
        line = f"{showing} of {count} trained looks at tasks with evidence show it"
        named = ", ".join(repr(traces[index].task.task_id) for index in self.missing[:_NAMED])
        more = f" and {len(self.missing) - _NAMED} more" if len(self.missing) > _NAMED else ""
        return f"{line}; not in {named}{more}" if named else line

    def summary(self) -> str:
        """The refused traces as text, one line for each reason."""
        total = len(self.indices) + len(self.refusals)
        lines = [f"{len(self.refusals)} of {total} traces cannot be trained on and are left out:"]
        for fault, count in self.refused.items():
            named = [refusal.task_id for refusal in self.refusals if refusal.fault.value == fault]
            more = f" and {count - _NAMED} more" if count > _NAMED else ""
            first = next(refusal.message for refusal in self.refusals if refusal.fault.value == fault)
            lines.append(f"  {fault}: {count} ({', '.join(named[:_NAMED])}{more}). {first}")
        return "\n".join(lines)


def survey(traces: Sequence[Trace], chat: Chat, settings: EpisodeSettings) -> Survey:
    """Checks each trace within `settings`, whose `max_tokens` bounds a whole trace."""
    tokens: dict[int, int] = {}
    looks: dict[int, TrainedLooks] = {}
    refusals = []
    for index, trace in enumerate(traces):
        try:
            check_teaches(trace)
            played = _played(trace, chat, settings)
            looks[index] = _checked_looks(trace, played)
            tokens[index] = len(played.ids)
        except MediaError as error:
            refusals.append(_refusal(index, trace, Fault.UNREADABLE_PICTURE, error))
        except UnusableTrace as error:
            refusals.append(_refusal(index, trace, error.fault, error))
    with_evidence = {index: one for index, one in looks.items() if index in tokens and one.count}
    return Survey(tuple(tokens), tuple(tokens.values()), tuple(refusals), with_evidence)


def tokens_of(trace: Trace, chat: Chat, settings: EpisodeSettings) -> int:
    """Tokens of the trace, images included. Raises MediaError or UnusableTrace."""
    return len(_played(trace, chat, settings).ids)


def _played(trace: Trace, chat: Chat, settings: EpisodeSettings) -> PlayedTrace:
    return play(replace(trace, task=with_placeholders(trace.task)), chat, settings)


def _checked_looks(trace: Trace, played: PlayedTrace) -> TrainedLooks:
    """Its trained looks. Raises UnusableTrace if it teaches the right answer after looks that all miss the evidence."""
    looks = trained_looks(trace, played.rollout.trajectory)
    if looks.misses:
        raise UnusableTrace(
            f"The trace of task {trace.task.task_id!r} would train {looks.count} look(s), none of which shows the "
            "evidence, and then the right answer. Give the --dialect and the pixel budgets that it was made with, "
            "correct the task's evidence, or remove the trace.",
            Fault.EVIDENCE_MISSED,
        )
    return looks


def write_refused(path: Path, refusals: Sequence[Refusal]) -> None:
    """Writes every refused trace, with its reason, into the file; without any, deletes the file of an earlier run."""
    if not refusals:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, "".join(json.dumps(asdict(refusal)) + "\n" for refusal in refusals))


def _refusal(index: int, trace: Trace, fault: Fault, error: Exception) -> Refusal:
    return Refusal(index, trace.task.task_id, trace.kind, fault, str(error))
