"""A study: seed by seed, each in stages; what each needs is recorded, so that an interrupted one resumes.

Depends on jobs and stages; independent of what a study measures.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from agents.checkpoints.weights_hash import weights_hash
from agents.run_folder.folder import RunFolder
from benchmarks.pipeline.chain import Chain, key_of
from benchmarks.pipeline.seed_files import file_of, keep_apart
from benchmarks.pipeline.stages import Stage, finished_stages, run_stages
from pixel_env.signals import exit_code

Row = TypeVar("Row")

_NOTES = {"recipes": "a hash of what the recipes contain, which also changes with the version of this package"}


@dataclass(frozen=True)
class Kept:
    """Settings besides the preset that must be the same when a run resumes in its folder."""

    base: str
    base_weights: str
    seed: int
    quick: bool
    recipes: str


class StudyConfig(Protocol):
    """The fields that the configuration of every study has."""

    @property
    def seeds(self) -> int: ...
    @property
    def first_seed(self) -> int: ...
    @property
    def results(self) -> str: ...
    @property
    def quick(self) -> bool: ...


@dataclass(frozen=True)
class Study(Generic[Row]):
    """The functions of a study: for one seed, and for the figures of all seeds.

    Args:
        published: The folder of the published figures, in which no others are written.
        read: The figures of a seed that was measured before with the same settings, else None.
        folder_of: The run folder of a seed.
        measure: Measures a seed and writes its figures; returns the exit code.
        write_page: Writes the page about all seeds; returns its path.
        table: The figures of all seeds as text.
    """

    published: str
    read: Callable[[int], Row | None]
    folder_of: Callable[[int], Path]
    measure: Callable[[int], int]
    write_page: Callable[[Sequence[Row]], Path]
    table: Callable[[Sequence[Row]], str]


def run_study(config: StudyConfig, study: Study[Row]) -> int:
    """Measures the seeds that have no figures yet, then writes the page about all. Returns the exit code."""
    keep_apart(config.results, study.published, quick=config.quick, first_seed=config.first_seed)
    seeds = range(config.first_seed, config.first_seed + config.seeds)
    # All files are read first, so that a broken one is reported before hours of training.
    rows = {seed: study.read(seed) for seed in seeds}
    for seed in (seed for seed, row in rows.items() if row is not None):
        print(f"seed {seed}: measured before, {file_of(Path(config.results), seed)}", flush=True)
    for number, seed in enumerate(seeds, start=1):
        if rows[seed] is not None:
            continue
        print(f"seed {seed} ({number} of {config.seeds}), in {study.folder_of(seed)}", flush=True)
        code = study.measure(seed)
        if code != 0:
            return code
        rows[seed] = study.read(seed)
    measured = [row for row in rows.values() if row is not None]
    if measured:
        page = study.write_page(measured)
        print(f"\n{study.table(measured)}\n\nFigures: {page}")
    return 0


@contextmanager
def claimed_run(chain: Chain, stages: Sequence[Stage], *, quick: bool) -> Iterator[None]:
    """The run folder, claimed, with what the run depends on written into it.

    Raises ConfigError if the folder was started with other settings, or if another process is using it. Recipes
    are compared by their contents: with names alone, an edited file or another version of this package could resume in
    a folder whose first stages had other settings.
    """
    kept = Kept(chain.base, weights_hash(chain.base), chain.seed, quick, settings_key(chain, stages))
    with RunFolder.claimed(
        chain.run, [kept, chain.preset], resumes=True, another="a fresh --output_dir", notes=_NOTES
    ) as folder:
        folder.keep_configuration()
        yield


def settings_key(chain: Chain, stages: Sequence[Stage]) -> str:
    """A hash of what the results of these stages depend on, except the seed and the folder."""
    jobs = {job.title: job for stage in stages for job in stage.jobs}
    return key_of(chain.preset, jobs, weights_hash(chain.base))


def in_stages(stages: list[Stage], run: Path, end: Callable[[], None]) -> int:
    """Runs the stages, then `end`; after Ctrl-C (or SIGTERM) prints where the next start resumes."""
    try:
        run_stages(stages, run)
    except KeyboardInterrupt as interrupt:
        done = finished_stages(run)
        following = next((stage.name for stage in stages if stage.name not in done), "the end")
        print(
            f"\nStopped. Finished: {', '.join(done) or 'nothing yet'}. "
            f"Run the same command again to resume at: {following.replace('_', ' ')}.",
            file=sys.stderr,
        )
        return exit_code(interrupt)
    end()
    return 0
