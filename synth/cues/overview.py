"""Whether a model answers a question without looking closer.

Plays tasks in the core loop with calls forbidden. Knows the protocols of engines, and no engine.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from agents.engines.protocol import Engine
from agents.rollout import ChatFormat, EpisodeSettings, Sampling, rollout
from pixel_env.types import Task

AnswersWithoutLooking = Callable[[Sequence[Task]], Sequence[bool]]
"""For each task, whether its question was answered from the overview alone."""


def without_looking(
    engine: Engine,
    chat: ChatFormat,
    settings: EpisodeSettings,
    sampling: Sampling,
    *,
    attempts: int = 1,
    seed: int = 0,
) -> AnswersWithoutLooking:
    """The check by a model: every one of `attempts` sampled answers has to be right.

    A guess among four options is right in a quarter of the cases; with `attempts=3` and a temperature above 0, in one
    of 64. Greedy attempts are all the same, so more than one is a waste.
    """
    sampling = replace(sampling, banned_ids=sampling.banned_ids | chat.call_opening_ids())

    def answered(tasks: Sequence[Task]) -> list[bool]:
        repeated = [task for task in tasks for _ in range(attempts)]
        played = rollout(repeated, engine, chat, settings=settings, sampling=sampling, seed=seed)
        right = [one.trajectory.reward == 1.0 for one in played]
        return [all(right[first : first + attempts]) for first in range(0, len(right), attempts)]

    return answered
