"""`pixel-env demo`: the main job end to end. A small model learns to zoom, with and without curiosity.

Stages, each recorded when it is finished: warm start, a look before reinforcement learning, both arms side by side,
evaluation, report. This process stays light: what needs torch runs in the jobs.
"""

import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from agents.run_folder import keep_configuration
from benchmarks.arguments import parse
from benchmarks.chain import Chain
from benchmarks.findings import WARM_START, WITH, WITHOUT, Findings, findings_of, look_of, write_summary
from benchmarks.policies import LEARNED_ZOOM, POLICIES
from benchmarks.preset import preset
from benchmarks.report import write_report
from benchmarks.sentences import (
    easy_sentence,
    expectation_check,
    headline,
    look_sentence,
    with_sentence,
    without_sentence,
)
from benchmarks.stages import Stage, finished_stages, run_stages
from benchmarks.tables import fraction, interval, table
from benchmarks.weights import weights_hash


@dataclass(frozen=True)
class DemoConfig:
    """A small vision-language model learns to look closer; ends with a table and an HTML report."""

    run: str = field(default="runs/demo", metadata={"help": "folder of the run; the same command goes on in it"})
    seed: int = field(default=0, metadata={"help": "of both trainings"})
    quick: bool = field(default=False, metadata={"help": "the same path in under three minutes; teaches nothing"})
    base: str = field(default="tiny-base", metadata={"help": "the checkpoint to start from"})
    preset: str | None = field(default=None, metadata={"help": "YAML file with other sizes and recipes"})


def main(argv: list[str]) -> int:
    """`pixel-env demo [--quick] [--run runs/demo] [--seed 0]`. Returns the exit code."""
    config = parse(argv, DemoConfig, "demo")
    run = Path(config.run)
    sizes = preset(config.preset, quick=config.quick)
    keep_configuration(run, [Kept.of(config.base, config.seed, quick=config.quick), sizes], resumes=True)
    stages = stages_of(Chain(sizes, config.base, config.seed, run))
    return in_stages(stages, run, lambda: _end(run))


@dataclass(frozen=True)
class Kept:
    """What a second start in the same folder must not change, beside the preset."""

    base: str
    base_weights: str
    seed: int
    quick: bool

    @classmethod
    def of(cls, base: str, seed: int, *, quick: bool) -> "Kept":
        """With the hash of the base's weights."""
        return cls(base, weights_hash(base), seed, quick)


def stages_of(chain: Chain) -> list[Stage]:
    """The five stages of the demo."""
    names, run = chain.preset, chain.run
    return [
        Stage("warm_start", "Warm start: clumsy traces", (chain.warm_start(WARM_START, names.clumsy_warm_start),)),
        Stage(
            "look",
            "Before reinforcement learning: what does a look pay?",
            (chain.look(WARM_START), chain.evaluation(WARM_START)),
            after=lambda: look_sentence(look_of(run)),
        ),
        Stage(
            "learning",
            "Reinforcement learning, both arms side by side",
            (
                chain.learning(WITH, names.with_curiosity, WARM_START),
                chain.learning(WITHOUT, names.without_curiosity, WARM_START),
            ),
        ),
        Stage(
            "evaluation",
            "Evaluation on held-out photographs and digits",
            (chain.evaluation(WITH), chain.evaluation(WITHOUT), chain.gallery(WITH)),
        ),
        Stage("report", "Report", after=lambda: _report(run)),
    ]


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


def _report(run: Path) -> str:
    found = findings_of(run)
    write_summary(run, found)
    write_report(run, found)
    return ""


def _end(run: Path) -> None:
    found = findings_of(run)
    write_summary(run, found)  # once more: now the last stage's seconds are known
    print(f"\n{demo_table(found)}")
    print(f"\nSummary: {run / 'summary.json'}\nReport:  {run / 'report.html'}")


def demo_table(found: Findings) -> str:
    """Each checkpoint's accuracy under the four policies, its RaPR and its easy accuracy; then what happened."""
    head = ["checkpoint", *(policy.replace("_", " ") for policy in POLICIES), "RaPR", "easy"]
    rows = []
    for name, checkpoint in found.checkpoints.items():
        cells = [f"{fraction(value.value)} {interval(value)}" for value in checkpoint.accuracies.values()]
        rows.append(
            [name.replace("_", " "), *cells, fraction(checkpoint.rapr), fraction(checkpoint.easy_accuracy.value)]
        )
    n = found.with_curiosity.accuracies[LEARNED_ZOOM].n
    told = [headline(found), with_sentence(found), without_sentence(found), easy_sentence(found)]
    told.append(expectation_check(found))
    title = f"Accuracy on {n} held-out questions that need a crop (95% intervals)"
    return "\n".join([title, table([head, *rows]), "", *told])
