"""`pixel-env sft-study`: the effect of self-correction traces and of the mask over their mistakes, over several seeds.

For each seed three warm starts from the base checkpoint that differ only in their traces or in the mask, then
reinforcement learning from two of them; all five are evaluated on the same held-out questions. A finished seed is a
small JSON file, and a second start skips it; an unfinished seed resumes at its first unfinished stage. `report.py`
writes the conclusions.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

from agents.config.arguments import command_line, parse
from benchmarks.evaluation.policies import LEARNED_ZOOM
from benchmarks.evaluation.records import read_evaluation
from benchmarks.pipeline.chain import HARD, Chain
from benchmarks.pipeline.preset import QUICK, Preset
from benchmarks.pipeline.stages import Stage
from benchmarks.pipeline.study import Study, claimed_run, in_stages, run_study, settings_key
from benchmarks.studies.self_correction.report import comparison_table, write_page
from benchmarks.studies.self_correction.results import (
    CHECKPOINTS,
    LEARNED,
    MISTAKES_TRAINED,
    PLAYED_UNDER,
    SELF_CORRECTION,
    SINGLE_PASS,
    SeedResult,
    figures_of,
    read_result,
    write_result,
)
from pixel_env.command_line.values import AtLeastOne, AtLeastZero

LEARNING_RECIPE = "tiny_grpo_two_looks"
_QUICK = replace(QUICK, warm_start_steps=1, warm_start_batch=4, rl_steps=1, rl_queries=1, test_questions=4)


@dataclass(frozen=True)
class SftStudyConfig:
    """Warm starts with and without self-correction, mistakes masked or trained, over several seeds."""

    seeds: AtLeastOne = field(default=5, metadata={"help": "number of seeds"})
    first_seed: AtLeastZero = field(
        default=0, metadata={"help": "the first seed; 0 to 4 are for published figures, 100 and up for tuning"}
    )
    output_dir: str = field(
        default="runs/sft_ablation",
        metadata={"help": "output folder of the runs; an interrupted study resumes from it"},
    )
    results: str = field(
        default="docs/results/sft_ablation",
        metadata={"help": "folder of the results: a file for each seed, the table and its chart"},
    )
    model: str = field(default="tiny-base", metadata={"help": "the checkpoint to start from"})
    quick: bool = field(default=False, metadata={"help": "one step and four questions; the model learns nothing"})


def main(argv: list[str]) -> int:
    """`pixel-env sft-study [--seeds 5]`. Returns the exit code."""
    config = parse(argv, SftStudyConfig, "sft-study")
    results, run = Path(config.results), Path(config.output_dir)
    preset = sizes(quick=config.quick)
    key = study_key(Chain(preset, config.model, 0, run))

    def chain(seed: int) -> Chain:
        return Chain(preset, config.model, seed, run / f"seed-{seed}")

    study = Study(
        published=SftStudyConfig.results,
        read=lambda seed: read_result(results, seed, key),
        folder_of=lambda seed: chain(seed).run,
        measure=lambda seed: run_seed(chain(seed), results, key, quick=config.quick),
        write_page=lambda rows: write_page(results, rows, command_line(config, "sft-study")),
        table=comparison_table,
    )
    return run_study(config, study)


def sizes(*, quick: bool) -> Preset:
    """The sizes of a chain. Evaluations use the settings of reinforcement learning, which allow a second crop."""
    return replace(_QUICK if quick else Preset(), with_curiosity=LEARNING_RECIPE)


def run_seed(chain: Chain, results: Path, key: str, *, quick: bool) -> int:
    """Runs one seed's chain and writes its file; returns the exit code, 130 if it was stopped."""
    stages = stages_of(chain)
    with claimed_run(chain, stages, quick=quick):
        return in_stages(stages, chain.run, lambda: write_result(results, seed_result(chain, key)))


def stages_of(chain: Chain) -> list[Stage]:
    """The stages of one seed, in an order that keeps two cores busy to the end."""
    both = (SINGLE_PASS, SELF_CORRECTION)
    warm_starts = tuple(chain.warm_start(name, f"tiny_warm_{name}") for name in both)
    learning = tuple(chain.learning(LEARNED[name], chain.preset.with_curiosity, name) for name in both)
    evaluations = {name: chain.evaluation(name, PLAYED_UNDER) for name in CHECKPOINTS}
    last = evaluations.pop(MISTAKES_TRAINED)
    third = chain.warm_start(MISTAKES_TRAINED, f"tiny_warm_{MISTAKES_TRAINED}")
    return [
        Stage("warm_starts", "Warm starts: single-pass traces, self-correction traces", warm_starts),
        Stage("learning", "Reinforcement learning from both", learning),
        Stage("third", "The warm start with trained mistakes; evaluations", (third, *evaluations.values())),
        Stage("last_evaluation", "Its evaluation", (last,)),
    ]


def study_key(chain: Chain) -> str:
    """A hash of what the results of all seeds depend on."""
    return settings_key(chain, stages_of(chain))


def seed_result(chain: Chain, key: str) -> SeedResult:
    """The figures of a seed whose stages are finished."""
    evaluations = {name: read_evaluation(chain.run / f"{name}_evaluation") for name in CHECKPOINTS}
    questions = len(evaluations[SINGLE_PASS].of(LEARNED_ZOOM, category=HARD))
    return SeedResult(key, chain.seed, questions, {name: figures_of(read) for name, read in evaluations.items()})
