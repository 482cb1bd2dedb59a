"""`pixel-env trap`: the learning trap and its cure, over several seeds, each a whole chain from the base checkpoint.

For each seed: a clumsy warm start with both arms, and a competent one with correctness alone; a probe before each, and
an evaluation of every checkpoint. A finished seed is a small JSON file; a second start skips seeds whose file has the
same key. `report.py` writes the conclusions over seeds.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.config.arguments import command_line, parse
from benchmarks.evaluation.policies import LEARNED_ZOOM
from benchmarks.pipeline.chain import Chain
from benchmarks.pipeline.preset import preset
from benchmarks.pipeline.seed_files import as_json, finite, read_row, write_row
from benchmarks.pipeline.stages import Stage
from benchmarks.pipeline.study import Study, claimed_run, in_stages, run_study, settings_key
from benchmarks.studies.trap.findings import (
    WARM_START,
    WITH,
    WITHOUT,
    Checkpoint,
    Probe,
    checkpoint_of,
    difference,
    probe_of,
)
from benchmarks.studies.trap.report import trap_table, write_page
from benchmarks.studies.trap.sentences import prediction_was_right, probe_sentence
from pixel_env.command_line.values import AtLeastOne, AtLeastZero

COMPETENT = "competent_warm_start"
COMPETENT_ARM = "competent_without_curiosity"


@dataclass(frozen=True)
class TrapConfig:
    """The learning trap and its cure over several seeds; ends with a table and a Markdown file."""

    seeds: AtLeastOne = field(default=5, metadata={"help": "number of seeds"})
    first_seed: AtLeastZero = field(
        default=0, metadata={"help": "the first seed; 0 to 4 are for published figures, 100 and up for tuning"}
    )
    output_dir: str = field(
        default="runs/trap",
        metadata={"help": "output folder of the runs; an interrupted study resumes from it"},
    )
    results: str = field(
        default="docs/results/trap", metadata={"help": "folder of the results: a file for each seed, and the table"}
    )
    model: str = field(default="tiny-base", metadata={"help": "the checkpoint to start from"})
    quick: bool = field(default=False, metadata={"help": "a few steps of the same stages; the model learns nothing"})
    preset: str | None = field(default=None, metadata={"help": "YAML file with other sizes and recipes"})


def main(argv: list[str]) -> int:
    """`pixel-env trap [--seeds 5]`. Returns the exit code."""
    config = parse(argv, TrapConfig, "trap")
    sizes = preset(config.preset, quick=config.quick)
    results, run = Path(config.results), Path(config.output_dir)
    key = chain_key(Chain(sizes, config.model, 0, run))

    def chain(seed: int) -> Chain:
        return Chain(sizes, config.model, seed, run / f"seed-{seed}")

    study = Study(
        published=TrapConfig.results,
        read=lambda seed: read_result(results, seed, key),
        folder_of=lambda seed: chain(seed).run,
        measure=lambda seed: run_seed(chain(seed), results, key, quick=config.quick),
        write_page=lambda rows: write_page(results, rows, command_line(config, "trap")),
        table=trap_table,
    )
    return run_study(config, study)


def run_seed(chain: Chain, results: Path, key: str, *, quick: bool) -> int:
    """Runs one seed's chain and writes its file; returns the exit code, 130 if it was stopped."""
    stages = stages_of(chain)
    with claimed_run(chain, stages, quick=quick):
        return in_stages(stages, chain.run, lambda: write_result(chain, results, key))


def stages_of(chain: Chain) -> list[Stage]:
    """The stages of one seed."""
    names, run = chain.preset, chain.run
    warm_starts = (
        chain.warm_start(WARM_START, names.clumsy_warm_start),
        chain.warm_start(COMPETENT, names.competent_warm_start),
    )
    probes = (
        chain.probe(WARM_START),
        chain.evaluation(WARM_START),
        chain.probe(COMPETENT),
        chain.evaluation(COMPETENT),
    )
    arms = (
        chain.learning(WITH, names.with_curiosity, WARM_START),
        chain.learning(WITHOUT, names.without_curiosity, WARM_START),
        chain.learning(COMPETENT_ARM, names.without_curiosity, COMPETENT),
    )
    evaluations = tuple(chain.evaluation(name) for name in (WITH, WITHOUT, COMPETENT_ARM))
    return [
        Stage("warm_starts", "Warm starts: a clumsy and a competent one", warm_starts),
        Stage("looks", "Before reinforcement learning", probes, after=lambda: _predictions(run)),
        Stage("learning", "Reinforcement learning, three arms", arms),
        Stage("evaluation", "Evaluation on held-out photographs and digits", evaluations),
    ]


def chain_key(chain: Chain) -> str:
    """A hash of what the results of all seeds depend on."""
    return settings_key(chain, stages_of(chain))


def _predictions(run: Path) -> str:
    return "\n".join(
        f"{name.replace('_', ' ')}: {probe_sentence(probe_of(run, name))}" for name in (WARM_START, COMPETENT)
    )


# --------------------------------------------------------------------------------------------------- one seed's file


def read_result(results: Path, seed: int, key: str) -> dict[str, Any] | None:
    """The figures of a seed; None if there are none with this key, or if the file is broken."""
    return read_row(results, seed, key, dict)


def write_result(chain: Chain, results: Path, key: str) -> None:
    """Writes the figures of a finished seed."""
    run = chain.run
    names = (WARM_START, COMPETENT, WITH, WITHOUT, COMPETENT_ARM)
    checkpoints = {name: checkpoint_of(run, name) for name in names}
    warm, competent = checkpoints[WARM_START], checkpoints[COMPETENT]
    row = {
        "key": key,
        "seed": chain.seed,
        "clumsy": _warm_start_figures(probe_of(run, WARM_START), warm, checkpoints[WITHOUT]),
        "competent": _warm_start_figures(probe_of(run, COMPETENT), competent, checkpoints[COMPETENT_ARM]),
        WITH: _figures(checkpoints[WITH], warm),
        WITHOUT: _figures(checkpoints[WITHOUT], warm),
        COMPETENT_ARM: _figures(checkpoints[COMPETENT_ARM], competent),
    }
    write_row(results, chain.seed, row)


def _warm_start_figures(probe: Probe, warm_start: Checkpoint, arm: Checkpoint) -> dict[str, Any]:
    """A warm start, the prediction of its probe, and whether it was right for correctness alone."""
    return {
        "look": as_json(probe),
        "verdict": probe.verdict.value,
        "prediction_was_right": prediction_was_right(probe.verdict, arm.outcome),
        "checkpoint": _figures(warm_start, warm_start),
    }


def _figures(checkpoint: Checkpoint, before: Checkpoint) -> dict[str, Any]:
    gain = difference(checkpoint.hard(LEARNED_ZOOM), before.hard(LEARNED_ZOOM))
    return {
        "accuracy": {policy: as_json(estimate) for policy, estimate in checkpoint.accuracies.items()},
        "rapr": finite(checkpoint.rapr),
        "easy_accuracy": as_json(checkpoint.easy_accuracy),
        "easy_rapr": finite(checkpoint.easy_rapr),
        "gain_over_warm_start": as_json(gain),
        "gain_over_own_no_zoom": as_json(checkpoint.gain_over_no_zoom),
        "outcome": checkpoint.outcome.value,
    }
