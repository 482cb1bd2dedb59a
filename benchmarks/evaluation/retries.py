"""Episodes that end without an answer, played again as a protocol says: the last attempt counts.

Depends on rollouts; independent of what is done with a finished one.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from agents.rollout import Rollout, Sampling
from benchmarks.protocols.protocol import Retries
from pixel_env.episode import Stop
from pixel_env.seeding import seed_of
from pixel_env.task import Task

Play = Callable[[Sequence[Task], Sampling, int, Callable[[Rollout], None]], object]
"""Plays an episode of each task with a sampling and a seed; calls the function for each as it ends."""


def play_with_retries(
    play: Play,
    tasks: Sequence[Task],
    sampling: Sampling,
    seed: int,
    retries: Retries | None,
    keep: Callable[[Rollout, int, int], None],
) -> None:
    """Plays the tasks; `keep` gets each rollout that counts, its index in `tasks`, and how often it was repeated.

    An episode that failed counts at once: the engine's error is not the model's. A repeated one is sampled with a seed
    that depends on `seed`, the question and the number of the attempt, so an interrupted run resumes with equal ones.
    """
    indices = list(range(len(tasks)))
    for attempt, sampled in enumerate(_attempts(sampling, retries)):
        is_last = attempt == (0 if retries is None else retries.count)
        again: list[int] = []
        current = indices

        def finished(
            played: Rollout,
            *,
            current: Sequence[int] = current,
            again: list[int] = again,
            is_last: bool = is_last,
            attempt: int = attempt,
        ) -> None:
            index = current[played.index]
            if is_last or _counts(played):
                keep(played, index, attempt)
            else:
                again.append(index)

        if current:
            attempt_seed = seed if attempt == 0 else seed_of(f"{seed}/attempt {attempt}")
            play([tasks[index] for index in current], sampled, attempt_seed, finished)
        indices = sorted(again)


def _attempts(sampling: Sampling, retries: Retries | None) -> list[Sampling]:
    if retries is None:
        return [sampling]
    temperature = sampling.temperature if retries.temperature is None else retries.temperature
    return [sampling, *[replace(sampling, temperature=temperature)] * retries.count]


def _counts(played: Rollout) -> bool:
    return played.trajectory.answer is not None or played.trajectory.stop is Stop.FAILED
