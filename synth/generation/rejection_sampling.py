"""Text-only traces by rejection sampling: an engine answers questions with exact answers, and right samples are kept.

Depends on questions, rollouts (the one core loop) and traces; independent of how an engine generates.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from agents.chat.format import ChatFormat
from agents.engines.protocol import Engine
from agents.rollout import EpisodeSettings, Sampling, rollout
from agents.traces.trace import Trace, TraceTurn
from pixel_env.episode import Stop, Trajectory
from pixel_env.errors import ConfigError, TaskError
from pixel_env.task import Task
from synth.plans.plan import PlanKind
from synth.teachers.expert.reply import MAX_CHARACTERS, MIN_CHARACTERS, has_control_characters


class Rejected(StrEnum):
    """Why a sample is rejected."""

    FAILED = "failed"
    UNANSWERED = "unanswered"
    OPERATION = "operation"
    WRONG = "wrong"
    SEVERAL_TURNS = "several_turns"
    NO_REASONING = "no_reasoning"
    TOO_LONG = "too_long"
    CONTROL_CHARACTERS = "control_characters"


@dataclass(frozen=True, slots=True)
class Sampled:
    """The traces, in the order of their questions, and the number of rejected samples by reason.

    `unsolved`: the questions without a kept sample, each with the reason for its last sample; `error`: that of the
    first failed episode, or "".
    """

    traces: tuple[Trace, ...]
    rejected: Counter[Rejected] = field(default_factory=Counter)
    unsolved: tuple[tuple[Task, Rejected], ...] = ()
    error: str = ""


def sampled_traces(
    tasks: Sequence[Task],
    engine: Engine,
    chat: ChatFormat,
    *,
    settings: EpisodeSettings,
    sampling: Sampling,
    samples: int,
    seed: int,
) -> Sampled:
    """The first sample of each question that is right and suitable for a trace, of at most `samples`.

    A question is sampled again only while it has no kept sample. The text of a trace is the output of the engine,
    verbatim. Raises TaskError for a question that is not text-only, and ConfigError for several greedy samples, which
    would be identical.
    """
    _check(tasks, sampling, samples)
    kept: dict[int, Trace] = {}
    last: dict[int, Rejected] = {}
    rejected: Counter[Rejected] = Counter()
    error = ""
    for round_seed in np.random.SeedSequence(seed).generate_state(samples):
        pending = [index for index in range(len(tasks)) if index not in kept]
        results = rollout(
            [tasks[index] for index in pending],
            engine,
            chat,
            settings=settings,
            sampling=sampling,
            seed=int(round_seed),
        )
        for index, result in zip(pending, results, strict=True):
            reason = rejection_of(result.trajectory)
            if reason is None:
                kept[index] = _trace(result.trajectory)
            else:
                rejected[reason] += 1
                last[index] = reason
                error = error or result.trajectory.error or ""
    unsolved = tuple((task, last[index]) for index, task in enumerate(tasks) if index not in kept)
    return Sampled(tuple(kept[index] for index in sorted(kept)), rejected, unsolved, error)


def rejection_of(trajectory: Trajectory) -> Rejected | None:
    """Why this episode is rejected, or None if it becomes a trace."""
    text = "".join(turn.text for turn in trajectory.turns)
    reasons = {
        Rejected.FAILED: trajectory.stop is Stop.FAILED,
        Rejected.OPERATION: trajectory.operations > 0,
        Rejected.UNANSWERED: trajectory.stop is not Stop.ANSWERED,
        Rejected.WRONG: trajectory.reward < 1.0,
        Rejected.SEVERAL_TURNS: len(trajectory.messages) > 1,
        Rejected.NO_REASONING: len(text) < MIN_CHARACTERS + len(trajectory.answer or ""),
        Rejected.TOO_LONG: len(text) > MAX_CHARACTERS,
        Rejected.CONTROL_CHARACTERS: has_control_characters(text),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _trace(trajectory: Trajectory) -> Trace:
    return Trace(trajectory.task, tuple(TraceTurn(turn.text) for turn in trajectory.turns), PlanKind.TEXT_ONLY)


def _check(tasks: Sequence[Task], sampling: Sampling, samples: int) -> None:
    if samples < 1 or (samples > 1 and sampling.temperature == 0.0):
        raise ConfigError(
            f"rejection sampling got samples={samples} at temperature {sampling.temperature}; wanted: at least 1 "
            "sample, and a temperature above 0 for several samples, because greedy ones are identical."
        )
    for task in tasks:
        if task.media != "text" or task.sources:
            raise TaskError(
                f"the task {task.task_id!r} has the medium {task.media!r}, and rejection sampling takes text-only "
                "questions: a lucky answer would teach the model to answer without an operation. Leave the task out."
            )
