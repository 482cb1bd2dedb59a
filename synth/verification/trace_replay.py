"""Replay of a trace: its turns go through the core loop, with an engine that returns them as they are.

Depends on traces and rollouts; independent of evidence, flags and files.
"""

import hashlib
from dataclasses import dataclass

from agents.chat.plain import PlainChat
from agents.engines.scripted import Conversation, ScriptedEngine
from agents.rollout import EpisodeSettings, Sampling, rollout
from agents.traces.trace import Trace
from pixel_env.episode import Trajectory


@dataclass(frozen=True, slots=True)
class TraceReplay:
    """The replayed episode: its trajectory, and a hash of all pixels that were shown before the last turn."""

    trajectory: Trajectory
    pixels: str


def replay_trace(trace: Trace, settings: EpisodeSettings) -> TraceReplay:
    """The episode of the trace. An episode that does not end with the last turn of the trace gets that turn again."""
    hashed, seen = hashlib.blake2b(), 0

    def next_turn(conversation: Conversation) -> str:
        nonlocal seen
        for image in conversation.request.images[seen:]:
            hashed.update(repr(image.shape).encode() + image.tobytes())
        seen = len(conversation.request.images)
        return trace.turns[min(conversation.turn, len(trace.turns) - 1)].text

    chat = PlainChat(settings.dialect)
    sampling = Sampling(temperature=0.0, max_turn_tokens=2**20)
    [played] = rollout(
        [trace.task], ScriptedEngine(next_turn, chat), chat, settings=settings, sampling=sampling, seed=0
    )
    return TraceReplay(played.trajectory, hashed.hexdigest())
