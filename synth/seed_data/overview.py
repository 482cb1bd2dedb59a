"""Whether a model answers a question from the overview alone, without any operation.

Plays tasks in the core loop with calls forbidden, and stores the results. Depends on the protocol of engines and on
rollouts; independent of particular engines.
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
from synth.fingerprints import fingerprint_of

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
    """The check by a model: a question counts as answered if all of `attempts` sampled answers are right.

    A guess among four options is right in one of 4 cases; with `attempts=3` and a temperature above 0, in one of 64.
    Greedy attempts are identical, so more than one is a waste. An engine that cannot ban tokens (`can_ban` False) gets
    one turn: an attempt that calls an operation in it counts as not answered. The returned function raises TaskError
    if an attempt fails, because a seed must not be kept for that reason.
    """
    if can_ban:
        sampling = replace(sampling, banned_ids=sampling.banned_ids | chat.call_opening_ids())
    else:
        settings = replace(settings, limits=replace(settings.limits, max_turns=1))

    def is_answered(task_set: TaskSet) -> list[bool]:
        repeated = [task for task in task_set.tasks for _ in range(attempts)]
        played = rollout(repeated, engine, chat, settings=settings, sampling=sampling, seed=seed)
        broken = next((result.trajectory for result in played if result.trajectory.stop is Stop.FAILED), None)
        if broken is not None:
            raise TaskError(
                f"the overview check failed at the seed {broken.task.task_id!r}: {broken.error} The answers so far are "
                "stored; the same command resumes from them."
            )
        right = [result.trajectory.reward == 1.0 for result in played]
        return [all(right[first : first + attempts]) for first in range(0, len(right), attempts)]

    return is_answered


class KeptAnswers:
    """The results of `check`, stored in a file as they come: no task is checked twice, even after an interruption.

    A task that has changed, images included, is checked again (`fingerprints.py`). Without the file, a model that
    answers differently the next time, as most do in other batches, would select other seeds.
    """

    def __init__(self, path: Path, check: AnswersWithoutLooking) -> None:
        self._store, self._check = TrajectoryStore(path), check
        self._known: dict[str, bool] = {row["mark"]: row["is_answered"] for row in read(path)}

    def __call__(self, task_set: TaskSet) -> list[bool]:
        """For each task of the set, whether it was answered from the overview."""
        fingerprints = [fingerprint_of(task) for task in task_set.tasks]
        missing = [pair for pair in zip(fingerprints, task_set.tasks, strict=True) if pair[0] not in self._known]
        for first in range(0, len(missing), _AT_A_TIME):
            chunk = missing[first : first + _AT_A_TIME]
            part = replace(task_set, tasks=tuple(task for _, task in chunk))
            for (fingerprint, task), is_answered in zip(chunk, self._check(part), strict=True):
                self._store.append({"task_id": task.task_id, "mark": fingerprint, "is_answered": is_answered})
                self._known[fingerprint] = is_answered
        return [self._known[fingerprint] for fingerprint in fingerprints]
