"""The findings of a run as values: the summary, the probe before RL, and the outcome of each arm.

Reads a run folder with the demo's layout; everything that is printed or drawn comes from here. Depends on evaluations
and metrics; independent of sentences and charts.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from agents.metrics.statistics import NOTHING, Estimate
from agents.metrics.trajectories import accuracy, call_advantage, paired_difference, rapr
from benchmarks.evaluation.policies import LEARNED_ZOOM, NO_ZOOM, ORACLE_ZOOM, POLICIES
from benchmarks.evaluation.records import Evaluation, read_evaluation
from benchmarks.pipeline.chain import EASY, HARD
from benchmarks.pipeline.stages import finished_stages
from pixel_env.episode import Trajectory

WARM_START = "warm_start"
WITH = "with_curiosity"
WITHOUT = "without_curiosity"
CHECKPOINTS = (WARM_START, WITHOUT, WITH)

CHANCE = Estimate(0.10, 0.10, 0.10, 0)
"""Accuracy of guessing a digit: the lower bound of no zoom."""
EXTINCT = 0.05
"""An arm with a lower RaPR counts as having stopped zooming."""
ALIVE = 0.5
"""An arm needs at least this RaPR to count as having learned to zoom."""
RIPE_READING = 0.5
"""Accuracy with the oracle's crop from which a right crop pays more than a wrong one."""
RIPE_EASY_LOSS = 0.05
"""The largest acceptable loss of accuracy on easy questions after a call."""

# ------------------------------------------------------------------------------------------------------ the probe


class Verdict(StrEnum):
    """The prediction of the probe before RL for training on correctness alone. The values are stored in seed files."""

    LEARNS = "likely to learn"
    TRAP = "likely a trap"
    OPEN = "cannot be told"

    @property
    def words(self) -> str:
        """The verdict as pages show it."""
        return "undecided" if self is Verdict.OPEN else self.value


@dataclass(frozen=True, slots=True)
class Probe:
    """A warm start measured before RL: sampled rollouts on training questions, the oracle's crop on held-out ones.

    `hard`, `easy`: the call advantage of each kind of question.
    """

    rollouts: int
    hard: Estimate
    easy: Estimate
    hard_rapr: float
    with_oracle: Estimate
    easy_after_call: Estimate
    easy_without_call: Estimate

    @property
    def is_ripe(self) -> bool:
        """Whether calls pay off: answers from a right crop are right, and a call does not harm easy questions.

        If all easy rollouts call, or none does, the harm is unknown and taken as none.
        """
        loss = self.easy_without_call.value - self.easy_after_call.value
        suffers = loss > RIPE_EASY_LOSS  # also False for NaN
        return self.with_oracle.value >= RIPE_READING and not suffers

    @property
    def verdict(self) -> Verdict:
        """TRAP if a call lowers the expected reward; LEARNS if it raises it and the warm start is ripe; else OPEN."""
        if self.hard.high < 0:
            return Verdict.TRAP
        if self.hard.low > 0 and self.is_ripe:
            return Verdict.LEARNS
        return Verdict.OPEN


def probe_of(run: Path, warm_start: str = WARM_START) -> Probe:
    """The probe of the warm start of this name."""
    sampled = read_evaluation(run / f"{warm_start}_look")
    held_out = read_evaluation(run / f"{warm_start}_evaluation")
    hard = sampled.of(LEARNED_ZOOM, sampled=True, category=HARD)
    easy = sampled.of(LEARNED_ZOOM, sampled=True, category=EASY)
    advantages = call_advantage([*hard, *easy], rng=np.random.default_rng(0))
    return Probe(
        rollouts=len(hard) + len(easy),
        hard=advantages.get(HARD, NOTHING),
        easy=advantages.get(EASY, NOTHING),
        hard_rapr=rapr(hard),
        with_oracle=accuracy(held_out.of(ORACLE_ZOOM, category=HARD)),
        easy_after_call=accuracy([t for t in easy if t.valid_operations]),
        easy_without_call=accuracy([t for t in easy if not t.valid_operations]),
    )


# ------------------------------------------------------------------------------------------------------- the arms


class Outcome(StrEnum):
    """What an arm did with the zoom operation. The values are stored in seed files."""

    LEARNED = "learned to look"
    GAVE_UP = "gave looking up"
    BETWEEN = "neither"

    @property
    def words(self) -> str:
        """The outcome as pages show it."""
        return {Outcome.LEARNED: "learned to zoom", Outcome.GAVE_UP: "stopped zooming"}.get(self, self.value)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint's evaluation."""

    evaluation: Evaluation

    @cached_property
    def accuracies(self) -> dict[str, Estimate]:
        """Accuracy of each policy on the hard questions."""
        return {policy: accuracy(self.hard(policy)) for policy in POLICIES}

    def hard(self, policy: str) -> list[Trajectory]:
        """The greedy trajectories of a policy on the hard questions."""
        return self.evaluation.of(policy, category=HARD)

    @cached_property
    def rapr(self) -> float:
        """RaPR of sampled rollouts on the hard questions."""
        return rapr(self.evaluation.of(LEARNED_ZOOM, sampled=True, category=HARD))

    @cached_property
    def easy_accuracy(self) -> Estimate:
        """Greedy accuracy on the easy questions, without scripted turns."""
        return accuracy(self.evaluation.of(LEARNED_ZOOM, category=EASY))

    @cached_property
    def easy_rapr(self) -> float:
        """RaPR of sampled rollouts on the easy questions."""
        return rapr(self.evaluation.of(LEARNED_ZOOM, sampled=True, category=EASY))

    @cached_property
    def gain_over_no_zoom(self) -> Estimate:
        """Learned zoom minus the same checkpoint's no zoom, paired by question."""
        return difference(self.hard(LEARNED_ZOOM), self.hard(NO_ZOOM))

    @property
    def outcome(self) -> Outcome:
        """The outcome by RaPR and by the gain over no zoom."""
        if self.rapr < EXTINCT:
            return Outcome.GAVE_UP
        if self.rapr >= ALIVE and self.gain_over_no_zoom.low > 0:
            return Outcome.LEARNED
        return Outcome.BETWEEN


def difference(after: list[Trajectory], before: list[Trajectory]) -> Estimate:
    """The paired difference, resampled with a fixed seed."""
    return paired_difference(after, before, rng=np.random.default_rng(0))


def checkpoint_of(run: Path, name: str) -> Checkpoint:
    """The evaluated checkpoint of this name."""
    return Checkpoint(read_evaluation(run / f"{name}_evaluation"))


# --------------------------------------------------------------------------------------------------------- a run


@dataclass(frozen=True)
class Findings:
    """All findings of a finished demo."""

    probe: Probe
    checkpoints: Mapping[str, Checkpoint]
    seconds: Mapping[str, float]
    peak_memory_gb: float

    @property
    def with_curiosity(self) -> Checkpoint:
        """The arm with the bonus."""
        return self.checkpoints[WITH]

    @property
    def without_curiosity(self) -> Checkpoint:
        """The arm on correctness alone."""
        return self.checkpoints[WITHOUT]

    @property
    def warm_start(self) -> Checkpoint:
        """The checkpoint from which both arms start."""
        return self.checkpoints[WARM_START]

    @cached_property
    def no_zoom(self) -> Estimate:
        """The best accuracy without zoom: the highest of the three checkpoints' and chance."""
        measured = [checkpoint.accuracies[NO_ZOOM] for checkpoint in self.checkpoints.values()]
        return max([CHANCE, *measured], key=lambda estimate: estimate.value)

    @cached_property
    def gain(self) -> Estimate:
        """The gain of RL with curiosity over the warm start, paired by question."""
        return difference(self.with_curiosity.hard(LEARNED_ZOOM), self.warm_start.hard(LEARNED_ZOOM))


def findings_of(run: Path) -> Findings:
    """Reads a run folder. Raises ConfigError where an evaluation is missing."""
    finished = finished_stages(run)
    return Findings(
        probe=probe_of(run),
        checkpoints={name: checkpoint_of(run, name) for name in CHECKPOINTS},
        seconds={name: stage.seconds for name, stage in finished.items()},
        peak_memory_gb=max((stage.peak_memory_gb for stage in finished.values()), default=0.0),
    )


def summary_of(findings: Findings) -> dict[str, Any]:
    """The figures of summary.json: accuracies on hard held-out questions for the arm with curiosity."""
    final = findings.with_curiosity
    accuracies = final.accuracies | {NO_ZOOM: findings.no_zoom}
    without = findings.without_curiosity
    return {
        "n": accuracies[LEARNED_ZOOM].n,
        "accuracy": {policy: _number(accuracies[policy].value) for policy in POLICIES},
        "accuracy_interval": {policy: _interval(accuracies[policy]) for policy in POLICIES},
        "warm_start_accuracy": _number(findings.warm_start.accuracies[LEARNED_ZOOM].value),
        "rl_gain": _estimate(findings.gain),
        "rapr": {
            "warm_start": _number(findings.warm_start.rapr),
            "final": _number(final.rapr),
            "final_without_curiosity": _number(without.rapr),
        },
        "learned_zoom_without_curiosity": _number(without.accuracies[LEARNED_ZOOM].value),
        "without_curiosity_vs_own_no_zoom": _estimate(without.gain_over_no_zoom),
        "easy": {
            "n": final.easy_accuracy.n,
            "accuracy": _number(final.easy_accuracy.value),
            "rapr": _number(final.easy_rapr),
        },
        "seconds": dict(findings.seconds),
        "peak_memory_gb": findings.peak_memory_gb,
    }


def write_summary(run: Path, findings: Findings) -> None:
    """Writes summary.json into the run folder."""
    text = json.dumps(summary_of(findings), indent=2, allow_nan=False)
    (run / "summary.json").write_text(text + "\n", "utf-8")


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def _interval(estimate: Estimate) -> list[float | None]:
    return [_number(estimate.low), _number(estimate.high)]


def _estimate(estimate: Estimate) -> dict[str, float | None]:
    return {"value": _number(estimate.value), "low": _number(estimate.low), "high": _number(estimate.high)}
