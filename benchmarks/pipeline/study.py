"""A study in stages: what each needs is kept, so that an interrupted one resumes.

Depends on jobs and stages; independent of what a study measures.
"""

import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.run_folder.configuration import keep_configuration
from benchmarks.evaluation.weights import weights_hash
from benchmarks.pipeline.chain import Chain, key_of
from benchmarks.pipeline.stages import Stage, finished_stages, run_stages
from pixel_env.errors import ConfigError


@dataclass(frozen=True)
class Kept:
    """What a second start in the same folder must not change, beside the preset."""

    base: str
    base_weights: str
    seed: int
    quick: bool
    recipes: str


def keep_settings(chain: Chain, stages: Sequence[Stage], *, quick: bool) -> None:
    """Writes what the run depends on into its folder. Raises ConfigError where the folder was begun with other things.

    Recipes count by their contents: a name alone would let an edited file, or another version of this package, go on
    in a folder whose first stages had other settings.
    """
    kept = Kept(chain.base, weights_hash(chain.base), chain.seed, quick, settings_key(chain, stages))
    try:
        keep_configuration(chain.run, [kept, chain.preset], resumes=True)
    except ConfigError as error:
        raise ConfigError(
            f"{error} For this command that is a fresh --run. (recipes: a hash of what the recipes say; it also "
            "changes with the version of this package.)"
        ) from error


def settings_key(chain: Chain, stages: Sequence[Stage]) -> str:
    """What the results of these stages depend on, whatever the seed and the folder."""
    jobs = {job.title: job for stage in stages for job in stage.jobs}
    return key_of(chain.preset, jobs, weights_hash(chain.base))


def in_stages(stages: list[Stage], run: Path, end: Callable[[], None]) -> int:
    """Runs the stages, then `end`; after Ctrl-C (or a polite kill) it tells where the next start goes on."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run_stages(stages, run)
    except KeyboardInterrupt:
        done = finished_stages(run)
        following = next((stage.name for stage in stages if stage.name not in done), "the end")
        print(
            f"\nStopped. Finished: {', '.join(done) or 'nothing yet'}. "
            f"The same command goes on with: {following.replace('_', ' ')}.",
            file=sys.stderr,
        )
        return 130
    end()
    return 0
