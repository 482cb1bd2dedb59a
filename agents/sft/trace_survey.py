"""A survey of all traces before training: the length of each, and which cannot be trained on.

A trace is played with placeholders for its images (`placeholders.py`), so that only headers, one frame of a video and
rendered pages are decoded. Errors in the pixels (a truncated file) appear only when the trace is trained. Depends on
the collator's `play`; independent of the trainer.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType

from agents.chat.chat import Chat
from agents.rollout import EpisodeSettings
from agents.run_folder.configuration import write_whole
from agents.sft.collator import Fault, UnusableTrace, play
from agents.sft.placeholders import with_placeholders
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
    """The traces that can be trained on (their indices, and the tokens of each, images included), and the others."""

    indices: tuple[int, ...]
    tokens: tuple[int, ...]
    refusals: tuple[Refusal, ...]

    @property
    def refused(self) -> dict[str, int]:
        """Number of refused traces for each reason."""
        return dict(Counter(refusal.fault.value for refusal in self.refusals))

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
    refusals = []
    for index, trace in enumerate(traces):
        try:
            tokens[index] = tokens_of(trace, chat, settings)
        except MediaError as error:
            refusals.append(_refusal(index, trace, Fault.UNREADABLE_PICTURE, error))
        except UnusableTrace as error:
            refusals.append(_refusal(index, trace, error.fault, error))
    return Survey(tuple(tokens), tuple(tokens.values()), tuple(refusals))


def tokens_of(trace: Trace, chat: Chat, settings: EpisodeSettings) -> int:
    """Tokens of the trace, images included. Raises MediaError or UnusableTrace."""
    return len(play(replace(trace, task=with_placeholders(trace.task)), chat, settings).ids)


def write_refused(path: Path, refusals: Sequence[Refusal]) -> None:
    """Writes every refused trace, with its reason, into the file; without any, deletes the file of an earlier run."""
    if not refusals:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, "".join(json.dumps(asdict(refusal)) + "\n" for refusal in refusals))


def _refusal(index: int, trace: Trace, fault: Fault, error: Exception) -> Refusal:
    return Refusal(index, trace.task.task_id, trace.kind, fault, str(error))
