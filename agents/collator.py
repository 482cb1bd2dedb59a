"""Traces as training rows: each is played, and exactly what the assistant says in its unflagged turns is trained.

A trace goes through the core loop (`rollout`) with an engine that says its turns, so that prompts, observations and
ids are those of a real episode. Labels follow token positions as they were glued, never a search in a text. Knows
nothing of the trainer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch

from agents.chat import Chat
from agents.engines.protocol import Request, Response
from agents.pictures import features_of
from agents.rollout import EpisodeSettings, Rollout, Sampling, rollout
from agents.traces import Trace, TraceTurn
from pixel_env.errors import TaskError

IGNORED = -100
"""The label of a token that the loss skips."""


class _Replay:
    """An engine for one episode: says the turns of a trace, one after the other."""

    static = True

    def __init__(self, turns: Sequence[TraceTurn], chat: Chat) -> None:
        self._turns = iter(turns)
        self._chat = chat
        self._responses: list[Response] = []

    @property
    def in_flight(self) -> int:
        return len(self._responses)

    def submit(self, request: Request) -> None:
        turn = next(self._turns, None)
        ids = () if turn is None else self._chat.encode(turn.text)
        error = "the trace has no further turn" if turn is None else None
        self._responses.append(Response(request.request_id, ids, (0.0,) * len(ids), ended=True, error=error))

    def cancel(self) -> None:
        self._responses.clear()

    def poll(self) -> list[Response]:
        responses, self._responses = self._responses, []
        return responses


@dataclass(frozen=True, slots=True)
class PlayedTrace:
    """A trace with its ids; `labels` are the ids where they are trained and IGNORED elsewhere."""

    rollout: Rollout
    ids: tuple[int, ...]
    labels: tuple[int, ...]


def play(trace: Trace, chat: Chat, settings: EpisodeSettings) -> PlayedTrace:
    """The trace as an episode. Raises TaskError if the episode does not end exactly with the trace's last turn."""
    sampling = Sampling(temperature=0.0, max_turn_tokens=2**20)
    [played] = rollout([trace.task], _Replay(trace.turns, chat), chat, settings=settings, sampling=sampling, seed=0)
    trajectory = played.trajectory
    if len(trajectory.turns) < len(trace.turns) or trajectory.error is not None:
        ending = trajectory.error or f"the episode stopped ({trajectory.stop}) after {len(trajectory.turns)} turns"
        raise TaskError(
            f"The trace of task {trace.task.task_id!r} with {len(trace.turns)} turns cannot be played to its end: "
            f"{ending}. Raise max_turns or max_images, or end the trace with an answer of the dialect "
            f"{settings.dialect.name!r}."
        )
    return PlayedTrace(played, played.prompt_ids + played.completion_ids, _labels(trace, played))


def _labels(trace: Trace, played: Rollout) -> tuple[int, ...]:
    labels = [IGNORED] * len(played.prompt_ids)
    turns = iter(trace.turns)
    place = 0
    # A turn is one unbroken run of sampled ids: an observation, or at least a header, stands between two.
    for said, run in groupby(played.sampled):
        length = len(list(run))
        trained = said and next(turns).train
        labels += played.completion_ids[place : place + length] if trained else [IGNORED] * length
        place += length
    return tuple(labels)


@dataclass(frozen=True)
class TraceCollator:
    """Rows `{"trace": index}` -> one padded batch, ready for the model's forward pass."""

    chat: Chat
    settings: EpisodeSettings
    traces: Sequence[Trace]

    def __call__(self, rows: Sequence[Mapping[str, int]]) -> dict[str, torch.Tensor]:
        """`input_ids`, `attention_mask`, `labels`, `mm_token_type_ids` of shape (B, T), and `Chat.features`."""
        return self.batch([self.traces[row["trace"]] for row in rows])

    def batch(self, traces: Sequence[Trace]) -> dict[str, torch.Tensor]:
        """The batch of these traces, padded on the right to the longest."""
        played = [play(trace, self.chat, self.settings) for trace in traces]
        input_ids = _padded([row.ids for row in played], self.chat.pad_id)
        return {
            "input_ids": input_ids,
            "attention_mask": _padded([(1,) * len(row.ids) for row in played], 0),
            "labels": _padded([row.labels for row in played], IGNORED),
            "mm_token_type_ids": self.chat.mm_token_type_ids(input_ids),
            **features_of([row.rollout for row in played], self.chat, self.settings.budgets),
        }


def _padded(rows: Sequence[Sequence[int]], value: int) -> torch.Tensor:
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[value] * (longest - len(row))] for row in rows])
