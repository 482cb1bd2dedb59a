"""Demonstrations (traces) as training rows: each is played, and only the assistant's turns with `train` are trained.

A trace is played by the core loop (`rollout`) with an engine that replies with its turns, so that prompts, observations
and ids are those of a real episode. Labels follow the positions of sampled tokens, never a search in a text. Depends on
the core loop and a chat format; independent of the trainer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from typing import Any

import numpy as np
import torch

from agents.chat.blank_rows import blank_row
from agents.chat.chat import Chat
from agents.engines.protocol import Request, Response
from agents.engines.queued import QueuedEngine
from agents.rollout import EpisodeSettings, Rollout, Sampling, rollout
from agents.sft.made_sizes import other_size
from agents.traces.trace import Trace, TraceTurn
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Trajectory
from pixel_env.errors import MediaError, TaskError
from pixel_env.failures import FailureCode
from pixel_env.media.showing import show

IGNORED = -100
"""The label of a token that the loss skips."""


class Fault(StrEnum):
    """Why a trace cannot be trained on; refused traces are counted by it."""

    TOO_LONG = "too_long"
    UNREADABLE_PICTURE = "unreadable_picture"
    REFUSED_CALL = "refused_call"
    UNPLAYABLE = "unplayable"
    NOTHING_TRAINED = "nothing_trained"
    OTHER_SIZES = "other_sizes"
    EVIDENCE_MISSED = "evidence_missed"


class UnusableTrace(TaskError):
    """A trace that cannot be trained on. From a data loader's worker only its message arrives, not its fault."""

    def __init__(self, message: str, fault: Fault = Fault.UNPLAYABLE) -> None:
        # torch's ExceptionWrapper creates a worker's exception from its whole traceback, which ends with the message.
        super().__init__(message.rpartition(f"{type(self).__module__}.{type(self).__name__}: ")[2].rstrip("\n"))
        self.fault = fault


class _Replay(QueuedEngine):
    """An engine for one episode: replies with the turns of a trace, in order. `images`: those of the last request."""

    def __init__(self, turns: Sequence[TraceTurn], chat: Chat) -> None:
        super().__init__()
        self.images: tuple[np.ndarray, ...] = ()
        self._turns = iter(turns)
        self._chat = chat

    def answers(self, requests: Sequence[Request]) -> list[Response]:
        return [self._next_turn(request) for request in requests]

    def _next_turn(self, request: Request) -> Response:
        self.images = tuple(request.images)
        turn = next(self._turns, None)
        if turn is None:
            return Response(request.request_id, (), (), ended=True, error="the trace has no further turn")
        ids = self._chat.encode(turn.text.removeprefix(request.opening))
        return Response(request.request_id, ids, (0.0,) * len(ids), ended=True)


@dataclass(frozen=True, slots=True, eq=False)
class PlayedTrace:
    """A trace with its ids; `labels` are the ids where they are trained and IGNORED elsewhere.

    `images`: the images whose placeholders the ids contain, as shown; the first `rollout.video_frames` are one video.
    """

    rollout: Rollout
    ids: tuple[int, ...]
    labels: tuple[int, ...]
    images: tuple[np.ndarray, ...]


def play(trace: Trace, chat: Chat, settings: EpisodeSettings) -> PlayedTrace:
    """Plays the trace as an episode. Raises UnusableTrace for each Fault.

    The episode must end exactly with the last turn, and no trained turn may have a refused call.

    `settings.limits.max_tokens` bounds the whole conversation, the last turn included: no trace is truncated.
    """
    sampling, engine = Sampling(temperature=0.0, max_turn_tokens=2**20), _Replay(trace.turns, chat)
    unbounded = replace(settings, limits=replace(settings.limits, max_tokens=None))
    [played] = rollout([trace.task], engine, chat, settings=unbounded, sampling=sampling, seed=0)
    _check(trace, played, settings)
    return PlayedTrace(played, played.prompt_ids + played.completion_ids, _labels(trace, played), engine.images)


def check_teaches(trace: Trace) -> None:
    """Raises UnusableTrace for a trace without any turn that is trained."""
    if not any(turn.train for turn in trace.turns):
        raise UnusableTrace(
            f"The trace of task {trace.task.task_id!r} has no turn that is trained. "
            'Set "train" of a turn to true, or remove the trace.',
            Fault.NOTHING_TRAINED,
        )


def _check(trace: Trace, played: Rollout, settings: EpisodeSettings) -> None:
    trajectory, name = played.trajectory, f"The trace of task {trace.task.task_id!r}"
    if (unreadable := _unreadable_image(trajectory, settings)) is not None:
        raise UnusableTrace(
            f"{name} has an image that cannot be shown: {unreadable}. Replace the file, or remove the trace.",
            Fault.UNREADABLE_PICTURE,
        )
    if words := other_size(trace, trajectory, settings):
        raise UnusableTrace(
            f"{name} has calls in pixels of other shown sizes: {words}. Train it with the dialect and the pixel "
            "budgets that it was made with (--dialect; in Python also task_set=), or generate the traces again.",
            Fault.OTHER_SIZES,
        )
    messages = trajectory.messages
    for number, (turn, steps) in enumerate(zip(trace.turns, messages, strict=False), 1):
        failure = next((step.failure for step in steps if step.failure is not None), None)
        if turn.train and failure is not None:
            raise UnusableTrace(
                f"{name} would train a call that is refused, in turn {number} ({failure.code}: "
                f"{failure.message.rstrip('.')}). Give the --dialect that the trace was made with (now "
                f'{settings.dialect.name!r}), or set "train" of that turn to false.',
                Fault.REFUSED_CALL,
            )
    if len(messages) < len(trace.turns) or trajectory.error is not None:
        ending = trajectory.error or f"the episode stopped ({trajectory.stop}) after {len(messages)} turns"
        raise UnusableTrace(
            f"{name} with {len(trace.turns)} turns cannot be played to its end: {ending}. Raise max_turns or "
            f"max_images, or end the trace with an answer of the dialect {settings.dialect.name!r}.",
            Fault.UNPLAYABLE,
        )
    tokens, longest = len(played.prompt_ids) + len(played.completion_ids), settings.limits.max_tokens
    if longest is not None and tokens > longest:
        raise UnusableTrace(
            f"{name} has {tokens} tokens, images included, and {longest} are allowed. "
            "Raise max_tokens if the model's context allows it, or lower the pixel budgets.",
            Fault.TOO_LONG,
        )


def _unreadable_image(trajectory: Trajectory, settings: EpisodeSettings) -> MediaError | None:
    """The error of showing the task's images, checked only if the episode failed to read one; None if there is none."""
    is_unreadable = any(failure.code is FailureCode.UNREADABLE_SOURCE for failure in trajectory.failures)
    if not is_unreadable and trajectory.error is None:
        return None
    try:
        for view in trajectory.task.opening_views:
            show(view, settings.budgets)
    except MediaError as error:
        return error
    return MediaError("it could not be read while the trace was played") if is_unreadable else None


def _labels(trace: Trace, played: Rollout) -> tuple[int, ...]:
    labels = [IGNORED] * len(played.prompt_ids)
    turns = iter(trace.turns)
    start = 0
    # A turn is one contiguous run of sampled ids: an observation, or at least a header, separates two turns.
    for is_sampled, run in groupby(played.sampled):
        length = len(list(run))
        trained = is_sampled and next(turns).train
        labels += played.completion_ids[start : start + length] if trained else [IGNORED] * length
        start += length
    return tuple(labels)


@dataclass(frozen=True)
class TraceCollator:
    """Rows `{"trace": index}` -> one padded batch, ready for the model's forward pass.

    `add_blank_row`: a batch without any image gets one more row with a blank image, which is not trained
    (`blank_rows.py`). Can be pickled, so that worker processes of any start method can collate.
    """

    chat: Chat
    settings: EpisodeSettings
    traces: Sequence[Trace]
    add_blank_row: bool = False

    def __call__(self, rows: Sequence[Mapping[str, int]]) -> dict[str, torch.Tensor]:
        """`input_ids`, `attention_mask`, `labels`, `mm_token_type_ids` of shape (B, T), and `Chat.features`."""
        return self.batch([self.traces[row["trace"]] for row in rows])

    def batch(self, traces: Sequence[Trace]) -> dict[str, torch.Tensor]:
        """The batch of these traces, padded on the right to the longest."""
        for trace in traces:
            check_teaches(trace)
        played = [play(trace, self.chat, self.settings) for trace in traces]
        ids, labels = [row.ids for row in played], [row.labels for row in played]
        features = self._features(played)
        blank, own = blank_row(features, self.chat) if self.add_blank_row else ((), {})
        if blank:
            ids, labels = [*ids, blank], [*labels, (IGNORED,) * len(blank)]
        input_ids = _padded(ids, self.chat.pad_id)
        return {
            "input_ids": input_ids,
            "attention_mask": _padded([(1,) * len(row) for row in ids], 0),
            "labels": _padded(labels, IGNORED),
            "mm_token_type_ids": self.chat.mm_token_type_ids(input_ids),
            **features,
            **own,
        }

    def _features(self, played: Sequence[PlayedTrace]) -> dict[str, torch.Tensor]:
        frames = [row.rollout.video_frames for row in played]
        images = [image for row, count in zip(played, frames, strict=True) for image in row.images[count:]]
        return self.chat.features(
            images, [row.images[:count] for row, count in zip(played, frames, strict=True) if count]
        )

    def __reduce__(self) -> tuple[Any, ...]:
        chat = self.chat  # holds locks
        return _collator, (chat.processor, chat.dialect, self.settings, self.traces, self.add_blank_row)


def _collator(
    processor: Any, dialect: Dialect, settings: EpisodeSettings, traces: Sequence[Trace], add_blank_row: bool
) -> TraceCollator:
    return TraceCollator(Chat(processor, dialect), settings, traces, add_blank_row)


def _padded(rows: Sequence[Sequence[int]], value: int) -> torch.Tensor:
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[value] * (longest - len(row))] for row in rows])
