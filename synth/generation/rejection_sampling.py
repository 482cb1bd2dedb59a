"""Text-only traces by rejection sampling: an engine answers questions with exact answers, what is right is kept.

Plays through the one core loop. Knows questions, rollouts and traces. Knows nothing of how an engine generates.
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
    """Why a sample is not kept."""

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
    """The traces, in the order of their questions; how many samples were rejected, by reason; the rest.

    `unsolved`: the questions of which no sample was kept, each with what was wrong with its last one; `error`: of the
    first episode that failed, if any.
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
    """The first sample of each question that is right and fit for a trace, of at most `samples`.

    A question is asked again only while none was kept. The text of a trace is what the engine said, verbatim. Raises
    TaskError for a question that is not text alone, ConfigError for several greedy samples, which would be one.
    """
    _check(tasks, sampling, samples)
    kept: dict[int, Trace] = {}
    last: dict[int, Rejected] = {}
    rejected: Counter[Rejected] = Counter()
    error = ""
    for round_seed in np.random.SeedSequence(seed).generate_state(samples):
        asked = [place for place in range(len(tasks)) if place not in kept]
        played = rollout(
            [tasks[place] for place in asked],
            engine,
            chat,
            settings=settings,
            sampling=sampling,
            seed=int(round_seed),
        )
        for place, one in zip(asked, played, strict=True):
            reason = rejection_of(one.trajectory)
            if reason is None:
                kept[place] = _trace(one.trajectory)
            else:
                rejected[reason] += 1
                last[place] = reason
                error = error or one.trajectory.error or ""
    unsolved = tuple((task, last[place]) for place, task in enumerate(tasks) if place not in kept)
    return Sampled(tuple(kept[place] for place in sorted(kept)), rejected, unsolved, error)


def rejection_of(trajectory: Trajectory) -> Rejected | None:
    """Why this episode makes no trace, None if it makes one. `reward` is the grade of its answer."""
    text = "".join(turn.text for turn in trajectory.turns)
    reasons = {
        Rejected.FAILED: trajectory.stop is Stop.FAILED,
        Rejected.OPERATION: trajectory.operations > 0,
        Rejected.UNANSWERED: trajectory.stop is not Stop.ANSWERED,
        Rejected.WRONG: trajectory.reward < 1.0,
        Rejected.SEVERAL_TURNS: len(trajectory.turns) > 1,
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
            f"rejection sampling got samples={samples} at temperature {sampling.temperature}; wanted: 1 or more "
            "samples, and a temperature above 0 for several, because greedy ones are all the same."
        )
    for task in tasks:
        if task.media != "text" or task.sources:
            raise TaskError(
                f"the task {task.task_id!r} is about {task.media!r}, and rejection sampling takes questions of text "
                "alone: a text that is right by chance would teach to answer without looking. Leave it out."
            )
