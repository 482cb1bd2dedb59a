"""Whether a model answers a question without looking closer.

Plays tasks in the core loop with calls forbidden, and keeps what came out. Knows the protocols of engines, and no
engine.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from agents.chat.format import ChatFormat
from agents.engines.protocol import Engine
from agents.rollout import EpisodeSettings, Sampling, rollout
from pixel_env.episode import Stop
from pixel_env.errors import TaskError
from pixel_env.store import TrajectoryStore, read
from pixel_env.task import TaskSet
from synth.fingerprints import mark_of

AnswersWithoutLooking = Callable[[TaskSet], Sequence[bool]]
"""For each task of a set, whether its question was answered from the overview alone."""

_AT_A_TIME = 64


def without_looking(
    engine: Engine,
    chat: ChatFormat,
    settings: EpisodeSettings,
    sampling: Sampling,
    *,
    attempts: int = 1,
    seed: int = 0,
    can_ban: bool = True,
) -> AnswersWithoutLooking:
    """The check by a model: every one of `attempts` sampled answers has to be right.

    A guess among four options is right in a quarter of the cases; with `attempts=3` and a temperature above 0, in one
    of 64. Greedy attempts are all the same, so more than one is a waste. An engine that cannot be kept from single
    tokens (`can_ban` False) has one turn: an attempt that calls in it has not answered. Raises TaskError where an
    attempt broke: a seed must not be kept for that.
    """
    if can_ban:
        sampling = replace(sampling, banned_ids=sampling.banned_ids | chat.call_opening_ids())
    else:
        settings = replace(settings, limits=replace(settings.limits, max_turns=1))

    def answered(task_set: TaskSet) -> list[bool]:
        repeated = [task for task in task_set.tasks for _ in range(attempts)]
        played = rollout(repeated, engine, chat, settings=settings, sampling=sampling, seed=seed)
        broken = next((one.trajectory for one in played if one.trajectory.stop is Stop.FAILED), None)
        if broken is not None:
            raise TaskError(
                f"the model that is asked without looking broke at the seed {broken.task.task_id!r}: {broken.error} "
                "What it has answered so far is kept; the same command goes on from there."
            )
        right = [one.trajectory.reward == 1.0 for one in played]
        return [all(right[first : first + attempts]) for first in range(0, len(right), attempts)]

    return answered


class KeptAnswers:
    """What `asked` says, kept in a file as it comes: no task is asked about twice, whatever becomes of the process.

    A task that has changed, pictures included, is another one (`marks.py`).

    Without it a model that answers otherwise the next time, as most do in other batches, would choose other seeds.
    """

    def __init__(self, path: Path, asked: AnswersWithoutLooking) -> None:
        self._store, self._asked = TrajectoryStore(path), asked
        self._known: dict[str, bool] = {row["mark"]: row["is_answered"] for row in read(path)}

    def __call__(self, task_set: TaskSet) -> list[bool]:
        """For each task of the set, whether it was answered without looking."""
        marks = [mark_of(task) for task in task_set.tasks]
        missing = [pair for pair in zip(marks, task_set.tasks, strict=True) if pair[0] not in self._known]
        for first in range(0, len(missing), _AT_A_TIME):
            chunk = missing[first : first + _AT_A_TIME]
            part = replace(task_set, tasks=tuple(task for _, task in chunk))
            for (mark, task), is_answered in zip(chunk, self._asked(part), strict=True):
                self._store.append({"task_id": task.task_id, "mark": mark, "is_answered": is_answered})
                self._known[mark] = is_answered
        return [self._known[mark] for mark in marks]
