"""`pixel-env demo`: training end to end. A small model learns to zoom, with and without curiosity.

Stages, each recorded when it is finished: warm start, a probe before reinforcement learning, both arms in parallel,
evaluation, report. This process needs no torch, which is loaded in the jobs.
"""

from dataclasses import dataclass, field
from pathlib import Path

from agents.config.arguments import parse
from benchmarks.demo.report import write_report
from benchmarks.evaluation.policies import LEARNED_ZOOM, POLICIES
from benchmarks.pipeline.chain import Chain
from benchmarks.pipeline.preset import preset
from benchmarks.pipeline.stages import Stage
from benchmarks.pipeline.study import claimed_run, in_stages
from benchmarks.studies.trap.findings import WARM_START, WITH, WITHOUT, Findings, findings_of, probe_of, write_summary
from benchmarks.studies.trap.sentences import (
    easy_sentence,
    expectation_check,
    headline,
    probe_sentence,
    with_sentence,
    without_sentence,
)
from benchmarks.text_tables import fraction, interval, table
from pixel_env.command_line.values import AtLeastZero


@dataclass(frozen=True)
class DemoConfig:
    """A small vision-language model learns to zoom; ends with a table and an HTML report."""

    output_dir: str = field(default="runs/demo", metadata={"help": "output folder; an interrupted run resumes from it"})
    seed: AtLeastZero = field(default=0, metadata={"help": "seed of both trainings"})
    quick: bool = field(
        default=False,
        metadata={"help": "a few steps of each stage, in under three minutes; the model learns nothing"},
    )
    model: str = field(default="tiny-base", metadata={"help": "the checkpoint to start from"})
    preset: str | None = field(default=None, metadata={"help": "YAML file with other sizes and recipes"})


def main(argv: list[str]) -> int:
    """`pixel-env demo [--quick] [--output_dir runs/demo] [--seed 0]`. Returns the exit code."""
    config = parse(argv, DemoConfig, "demo")
    run = Path(config.output_dir)
    sizes = preset(config.preset, quick=config.quick)
    chain = Chain(sizes, config.model, config.seed, run)
    stages = stages_of(chain)
    with claimed_run(chain, stages, quick=config.quick):
        return in_stages(stages, run, lambda: _end(run))


def stages_of(chain: Chain) -> list[Stage]:
    """The five stages of the demo."""
    names, run = chain.preset, chain.run
    return [
        Stage(
            "warm_start",
            "Warm start: clumsy traces",
            (chain.warm_start(WARM_START, names.clumsy_warm_start),),
        ),
        Stage(
            "look",
            "Before reinforcement learning: the call advantage",
            (chain.probe(WARM_START), chain.evaluation(WARM_START)),
            after=lambda: probe_sentence(probe_of(run)),
        ),
        Stage(
            "learning",
            "Reinforcement learning, both arms in parallel",
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


def _report(run: Path) -> str:
    findings = findings_of(run)
    write_summary(run, findings)
    write_report(run, findings)
    return ""


def _end(run: Path) -> None:
    findings = findings_of(run)
    write_summary(run, findings)  # again, because the last stage's seconds are known now
    print(f"\n{demo_table(findings)}")
    print(f"\nSummary: {run / 'summary.json'}\nReport:  {run / 'report.html'}")


def demo_table(findings: Findings) -> str:
    """Each checkpoint's accuracy under the four policies, its RaPR and its easy accuracy; then the conclusions."""
    head = ["checkpoint", *(policy.replace("_", " ") for policy in POLICIES), "RaPR", "easy"]
    rows = []
    for name, checkpoint in findings.checkpoints.items():
        cells = [f"{fraction(value.value)} {interval(value)}" for value in checkpoint.accuracies.values()]
        rows.append(
            [name.replace("_", " "), *cells, fraction(checkpoint.rapr), fraction(checkpoint.easy_accuracy.value)]
        )
    n = findings.with_curiosity.accuracies[LEARNED_ZOOM].n
    conclusions = [headline(findings), with_sentence(findings), without_sentence(findings), easy_sentence(findings)]
    conclusions.append(expectation_check(findings))
    title = f"Accuracy on {n} held-out questions that need a crop (95% intervals)"
    return "\n".join([title, table([head, *rows]), "", *conclusions])
