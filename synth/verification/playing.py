"""Playing a trace: its turns through the core loop, by an engine that says them.

Knows traces and episodes. Knows nothing of evidence, flags or files.
"""

import hashlib
from dataclasses import dataclass

from agents.chat.plain import PlainChat
from agents.engines.scripted import Conversation, ScriptedEngine
from agents.rollout import EpisodeSettings, Sampling, rollout
from agents.traces.trace import Trace
from pixel_env.episode import Trajectory


@dataclass(frozen=True, slots=True)
class Play:
    """What an episode was: its trajectory, and a hash of all the pixels that it showed before its last turn."""

    trajectory: Trajectory
    pixels: str


def play(trace: Trace, settings: EpisodeSettings) -> Play:
    """The episode of the trace; one that goes on after its last turn is told that turn again."""
    hashed, seen = hashlib.blake2b(), 0

    def say(conversation: Conversation) -> str:
        nonlocal seen
        for image in conversation.request.images[seen:]:
            hashed.update(repr(image.shape).encode() + image.tobytes())
        seen = len(conversation.request.images)
        return trace.turns[min(conversation.turn, len(trace.turns) - 1)].text

    chat = PlainChat(settings.dialect)
    sampling = Sampling(temperature=0.0, max_turn_tokens=2**20)
    [played] = rollout([trace.task], ScriptedEngine(say, chat), chat, settings=settings, sampling=sampling, seed=0)
    return Play(played.trajectory, hashed.hexdigest())
