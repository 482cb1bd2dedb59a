"""The results of one seed of the replay study, and the small file that holds them.

Depends on arms, checkpoints and JSON; independent of jobs and of the report.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.pipeline.seed_files import file_of, write_row
from pixel_env.errors import ConfigError

NO_FILTER, FILTER, REPLAY = "no_filter", "filter", "replay"
ARMS = (NO_FILTER, FILTER, REPLAY)

Outcomes = Mapping[str, str]
"""By category: a character for each held-out question, in the order of the task set; 1 is right, 0 is wrong."""


@dataclass(frozen=True, slots=True)
class ArmResult:
    """An arm: the outcomes of its checkpoints, the processor seconds of its training, and its logged metrics.

    `log`: metric -> its mean over the steps before each checkpoint, since the one before; None without a value.
    """

    checkpoints: tuple[Outcomes, ...]
    cpu_seconds: float
    log: Mapping[str, tuple[float | None, ...]]


@dataclass(frozen=True, slots=True)
class SeedResult:
    """A seed: the start, and each arm at its checkpoints.

    `rollouts`: generated before each point; the first point is the start, where it is 0.
    """

    key: str
    seed: int
    rollouts: tuple[int, ...]
    start: Outcomes
    arms: Mapping[str, ArmResult]


def write_result(results: Path, result: SeedResult) -> None:
    """Writes the figures of a finished seed, whole or not at all."""
    write_row(results, result.seed, asdict(result))


def read_result(results: Path, seed: int) -> SeedResult | None:
    """The figures of a seed, or None if it was not measured. Raises ConfigError for a file that cannot be read."""
    path = file_of(results, seed)
    if not path.exists():
        return None
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        arms = {
            name: ArmResult(
                tuple(dict(outcomes) for outcomes in row["arms"][name]["checkpoints"]),
                float(row["arms"][name]["cpu_seconds"]),
                {metric: tuple(means) for metric, means in row["arms"][name]["log"].items()},
            )
            for name in ARMS
        }
        return SeedResult(row["key"], int(row["seed"]), tuple(row["rollouts"]), dict(row["start"]), arms)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path} does not hold the figures of a seed of the replay study ({type(error).__name__}: {error}). "
            "Restore the file, or delete it and run the command again, which measures that seed again."
        ) from error
