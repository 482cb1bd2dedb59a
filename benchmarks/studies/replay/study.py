"""`pixel-env replay-study`: zero-advantage filtering and selective sample replay, over several seeds.

For each seed three trainings that differ only in these settings, all from one checkpoint, each evaluated on the same
held-out questions after every quarter. One job runs at a time with one thread, so that processor seconds can be
compared. A finished seed is a small JSON file, and a second start skips it. `report.py` writes the conclusions.
"""

import hashlib
import json
import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from agents.checkpoints.weights_hash import weights_hash
from agents.config.arguments import command_line, parse
from agents.run_folder.folder import remove_unclaimed
from benchmarks.evaluation.policies import LEARNED_ZOOM
from benchmarks.evaluation.records import read_evaluation
from benchmarks.pipeline.chain import EASY, HARD, TEST_SEED, read_recipe, required
from benchmarks.pipeline.jobs import Job, run_jobs
from benchmarks.pipeline.seed_files import file_of
from benchmarks.pipeline.study import Study, run_study
from benchmarks.studies.curves import Curve, read_curve
from benchmarks.studies.replay.report import comparison_table, write_page
from benchmarks.studies.replay.results import (
    ARMS,
    FILTER,
    NO_FILTER,
    REPLAY,
    ArmResult,
    Outcomes,
    SeedResult,
    read_result,
    write_result,
)
from pixel_env.command_line.values import AtLeastOne, AtLeastZero
from pixel_env.errors import ConfigError
from pixel_env.locks import claimed

SETTINGS: Mapping[str, Mapping[str, object]] = {
    NO_FILTER: {"filter_zero_advantage": False, "replay_capacity": 0},
    FILTER: {"filter_zero_advantage": True, "replay_capacity": 0},
    REPLAY: {"filter_zero_advantage": True},
}
"""The settings that an arm changes in the recipe, which is that of the arm with replay."""
LOGGED = (
    f"accuracy/{HARD}",
    "filtered",
    "replay/share",
    "replay/age",
    "replay/effective_sample_size",
    "clip_ratio/region_mean",
    "grad_norm",
    "entropy",
)
"""Metrics of the training log that a seed's file stores."""
_PLAYED = ("tasks", "dialect", "max_turns", "max_turn_tokens")
"""Settings that an evaluation takes from the recipe."""


@dataclass(frozen=True)
class ReplayStudyConfig:
    """Zero-advantage filtering and selective sample replay, over several seeds."""

    seeds: AtLeastOne = field(default=5, metadata={"help": "number of seeds"})
    first_seed: AtLeastZero = field(
        default=0, metadata={"help": "the first seed; 0 to 4 are for published figures, 100 and up for tuning"}
    )
    output_dir: str = field(
        default="runs/replay",
        metadata={"help": "output folder of the runs; an interrupted study resumes from it"},
    )
    results: str = field(
        default="docs/results/replay", metadata={"help": "folder of the results: a file for each seed, and the table"}
    )
    model: str = field(default="tiny-warm", metadata={"help": "the checkpoint that all arms start from"})
    recipe: str = field(
        default="tiny_replay_correctness", metadata={"help": "recipe of the arm with replay: a name or a path"}
    )
    points: AtLeastOne = field(default=4, metadata={"help": "checkpoints of a training that are evaluated"})
    test_questions: AtLeastOne = field(
        default=600, metadata={"help": "held-out questions of an evaluation; half of them need a crop"}
    )
    quick: bool = field(default=False, metadata={"help": "two steps and eight questions; the model learns nothing"})


def main(argv: list[str]) -> int:
    """`pixel-env replay-study [--seeds 5]`. Returns the exit code."""
    config = parse(argv, ReplayStudyConfig, "replay-study")
    results = Path(config.results)
    seeds = {seed: OneSeed(config, seed) for seed in range(config.first_seed, config.first_seed + config.seeds)}

    def measure(seed: int) -> int:
        write_result(results, seeds[seed].measure())
        return 0

    study = Study(
        published=ReplayStudyConfig.results,
        read=lambda seed: measured_before(results, seed, seeds[seed].key),
        folder_of=lambda seed: seeds[seed].run,
        measure=measure,
        write_page=lambda rows: write_page(results, rows, command_line(config, "replay-study")),
        table=comparison_table,
    )
    return run_study(config, study)


def measured_before(results: Path, seed: int, key: str) -> SeedResult | None:
    """The figures of a seed, or None if there are none with this key. Raises ConfigError for a broken file."""
    row = read_result(results, seed)
    path = file_of(results, seed)
    if row is not None and row.key != key:
        print(f"seed {seed}: {path} has other settings, so the seed is measured again", file=sys.stderr)
        return None
    return row


class OneSeed:
    """One seed: makes its jobs, runs them in order, and reads their results."""

    def __init__(self, config: ReplayStudyConfig, seed: int) -> None:
        self.seed = seed
        self.run = Path(config.output_dir) / f"seed-{seed}"
        self._model = config.model
        self._points = 2 if config.quick else config.points
        self._questions = 8 if config.quick else config.test_questions
        self._recipe = read_recipe(config.recipe)
        required(
            self._recipe,
            ("max_steps", "per_device_train_batch_size", "gradient_accumulation_steps", *_PLAYED),
            config.recipe,
        )
        if config.quick:
            self._recipe |= {"max_steps": 2, "warmup_steps": 0, "task_count": 8, "num_generations": 4}
            self._recipe |= {"per_device_train_batch_size": 8}
        if self._recipe["max_steps"] % self._points:
            raise ConfigError(
                f"{self._recipe['max_steps']} steps cannot be divided into {self._points} equal parts. Give --points a "
                f"divisor of the steps, or change max_steps in the recipe {config.recipe}."
            )
        self.key = self._hashed()
        """A hash of everything that the figures depend on, except the seed and the paths of files."""

    def _hashed(self) -> str:
        arms = {name: self._recipe | dict(SETTINGS[name]) for name in ARMS}
        text = json.dumps([arms, self._points, self._questions, weights_hash(self._model)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def measure(self) -> SeedResult:
        """Runs all jobs in the claimed run folder. Raises JobError if one fails."""
        with claimed(self.run, "another --output_dir"):
            return self._measured()

    def _measured(self) -> SeedResult:
        start = self._evaluated("start", self._model)
        arms = {name: self._arm(name) for name in ARMS}
        a_step = self._recipe["per_device_train_batch_size"] * self._recipe["gradient_accumulation_steps"]
        rollouts = tuple(step * a_step for step in (0, *self._steps))
        return SeedResult(self.key, self.seed, rollouts, start, arms)

    def training(self, name: str) -> Job:
        """The training of an arm."""
        settings = self._recipe | dict(SETTINGS[name])
        settings |= {
            "model_name_or_path": self._model,
            "output_dir": str(self.run / name),
            "seed": self.seed,
            "bf16": False,  # also on a GPU, so that a run means the same everywhere
            "logging_steps": 1,
            "report_to": "none",
            "save_strategy": "steps",
            "save_steps": self._steps[0],
            "save_only_model": True,
        }
        figures = {"accuracy": f"accuracy/{HARD}", "filtered": "filtered"}
        return Job(name.replace("_", " "), "grpo", settings, self.run / name, settings["max_steps"], figures)

    def evaluation(self, name: str, model: str) -> Job:
        """A checkpoint on the held-out questions, greedy, without scripted turns."""
        settings = {name: self._recipe[name] for name in _PLAYED}
        settings |= {"split": "test", "task_count": self._questions, "policies": [LEARNED_ZOOM], "samples": 0}
        settings |= {"model": model, "output_dir": str(self.run / f"{name}_evaluation"), "seed": TEST_SEED}
        return Job(name.replace("_", " "), "eval", settings, self.run / f"{name}_evaluation", self._questions)

    @property
    def _steps(self) -> tuple[int, ...]:
        part = self._recipe["max_steps"] // self._points
        return tuple(part * point for point in range(1, self._points + 1))

    def _arm(self, name: str) -> ArmResult:
        seconds = _run(self.training(name))
        folder = self.run / name
        checkpoints = tuple(
            self._evaluated(f"{name}_{step}", str(folder / f"checkpoint-{step}")) for step in self._steps
        )
        log = {metric: means_between(read_curve(folder, metric, metric), self._steps) for metric in LOGGED}
        return ArmResult(checkpoints, round(seconds, 1), log)

    def _evaluated(self, name: str, model: str) -> Outcomes:
        job = self.evaluation(name, model)
        _run(job)
        evaluation = read_evaluation(job.folder)
        # Both kinds of question have grades of 0 or 1 only.
        return {
            category: "".join(str(int(t.reward)) for t in evaluation.of(LEARNED_ZOOM, category=category))
            for category in (HARD, EASY)
        }


def means_between(curve: Curve, steps: tuple[int, ...]) -> tuple[float | None, ...]:
    """The mean of the curve over the steps up to each of `steps` since the one before; None where it has no value."""
    values, at_steps = np.array(curve.values), np.array(curve.steps)
    parts = [values[(at_steps > before) & (at_steps <= step)] for before, step in zip((0, *steps), steps, strict=False)]
    return tuple(round(float(part.mean()), 5) if len(part) else None for part in parts)


def _run(job: Job) -> float:
    """Runs a job from the beginning, alone and with one thread; returns its processor seconds."""
    remove_unclaimed(job.folder)  # left by an interrupted start
    before = _children_cpu_seconds()
    run_jobs([job], workers=1, threads=1)
    return _children_cpu_seconds() - before


def _children_cpu_seconds() -> float:
    """Processor seconds of all ended children of this process, in user and system mode."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
