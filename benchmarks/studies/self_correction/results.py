"""The results of one seed of the self-correction study: the figures of its five checkpoints.

Depends on checkpoints' names, evaluations and figures; independent of jobs and of the report over seeds.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from agents.metrics.trajectories import accuracy, calls, rapr
from agents.metrics.zooming import Forced, first_box_iou, recovered_operations
from benchmarks.evaluation.policies import LEARNED_ZOOM, ORACLE_ZOOM, WRONG_ZOOM
from benchmarks.evaluation.records import Evaluation
from benchmarks.pipeline.chain import EASY, HARD
from benchmarks.pipeline.seed_files import finite, read_row, write_row
from pixel_env.episode import Trajectory

SINGLE_PASS, SELF_CORRECTION, MISTAKES_TRAINED = "single_pass", "self_correction", "mistakes_trained"
WARM_STARTS = (SINGLE_PASS, SELF_CORRECTION, MISTAKES_TRAINED)
LEARNED = {SINGLE_PASS: "single_pass_learned", SELF_CORRECTION: "self_correction_learned"}
"""Warm start -> the checkpoint after reinforcement learning from it."""
CHECKPOINTS = (*WARM_STARTS, *LEARNED.values())

PLAYED_UNDER = (LEARNED_ZOOM, WRONG_ZOOM, ORACLE_ZOOM)
"""The policies of each checkpoint's evaluation, besides one sampled rollout for each question."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A checkpoint on held-out questions that need a crop (`easy_`: that do not); NaN where there is no case.

    Shares of questions after a scripted first crop that misses, the rest greedy: `looks_again` (crops again),
    `next_hits` (the second crop hits the evidence), `right_after_miss`, `recovers` (both of the last two). Of the
    model's own first crops: `misses` (IoU 0 with the evidence) and `hits` at temperature 1, `greedy_misses`.
    `accuracy`, `with_oracle` (the oracle's first crop) and `easy_accuracy` are greedy; `rapr`, `calls` and `easy_rapr`
    are at temperature 1.
    """

    looks_again: float
    next_hits: float
    right_after_miss: float
    recovers: float
    misses: float
    hits: float
    greedy_misses: float
    accuracy: float
    with_oracle: float
    rapr: float
    calls: float
    easy_accuracy: float
    easy_rapr: float


def figures_of(evaluation: Evaluation) -> Figures:
    """The figures of a checkpoint's evaluation under PLAYED_UNDER with sampled rollouts."""
    own, sampled = (evaluation.of(LEARNED_ZOOM, sampled=at_1, category=HARD) for at_1 in (False, True))
    missed = evaluation.of(WRONG_ZOOM, category=HARD)
    return Figures(
        looks_again=_share([one.valid_operations > 1 for one in missed]),
        next_hits=_share([_hits(one, after=1) for one in missed]),
        right_after_miss=accuracy(missed).value,
        recovers=_share([_hits(one, after=1) and one.reward == 1.0 for one in missed]),
        misses=_misses(sampled),
        hits=_share([_hits(one, after=0) for one in sampled if one.valid_operations]),
        greedy_misses=_misses(own),
        accuracy=accuracy(own).value,
        with_oracle=accuracy(evaluation.of(ORACLE_ZOOM, category=HARD)).value,
        rapr=rapr(sampled),
        calls=calls(sampled),
        easy_accuracy=accuracy(evaluation.of(LEARNED_ZOOM, category=EASY)).value,
        easy_rapr=rapr(evaluation.of(LEARNED_ZOOM, sampled=True, category=EASY)),
    )


def _hits(trajectory: Trajectory, *, after: int) -> bool:
    """Whether the first crop after `after` scripted turns hits the evidence."""
    return recovered_operations([Forced(trajectory, after)]).value == 1.0


def _misses(trajectories: Sequence[Trajectory]) -> float:
    """The share of first crops that do not overlap the evidence."""
    return _share([first_box_iou([one]).value == 0.0 for one in trajectories if one.valid_operations])


def _share(cases: Sequence[bool]) -> float:
    return sum(cases) / len(cases) if cases else math.nan


@dataclass(frozen=True, slots=True)
class SeedResult:
    """A seed: the figures of each of CHECKPOINTS, and the number of held-out questions that need a crop."""

    key: str
    seed: int
    questions: int
    checkpoints: Mapping[str, Figures]


def write_result(results: Path, result: SeedResult) -> None:
    """Writes the figures of a finished seed, whole or not at all."""
    write_row(results, result.seed, finite(asdict(result)))


def read_result(results: Path, seed: int, key: str) -> SeedResult | None:
    """The figures of a seed; None if there are none with this key, or if the file is broken."""
    return read_row(results, seed, key, _result)


def _result(row: dict[str, Any]) -> SeedResult:
    checkpoints = {name: _figures(row["checkpoints"][name]) for name in CHECKPOINTS}
    return SeedResult(row["key"], int(row["seed"]), int(row["questions"]), checkpoints)


def _figures(row: Mapping[str, float | None]) -> Figures:
    values = {one.name: row[one.name] for one in fields(Figures)}
    return Figures(**{name: math.nan if value is None else float(value) for name, value in values.items()})
