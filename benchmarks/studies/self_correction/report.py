"""The report of the self-correction study over seeds: a table, sentences and a chart, for the terminal and as a page.

Depends on the seeds' results and statistics; independent of runs.
"""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.metrics.statistics import Estimate, mean_over_seeds
from agents.run_folder.configuration import write_whole
from benchmarks.studies.charts import Bars, as_file, bar_chart
from benchmarks.studies.self_correction.results import (
    CHECKPOINTS,
    LEARNED,
    MISTAKES_TRAINED,
    SELF_CORRECTION,
    SINGLE_PASS,
    SeedResult,
)
from benchmarks.text_tables import fraction, interval, markdown_lines, signed, signed_interval, table

Rows = Sequence[SeedResult]
Cells = list[list[str]]

PAGE, CHART = "README.md", "figure.svg"
_PAGE_WIDTH = 118

TITLES = {
    SINGLE_PASS: "single pass",
    SELF_CORRECTION: "self-correction, mistakes masked",
    MISTAKES_TRAINED: "self-correction, mistakes trained",
    LEARNED[SINGLE_PASS]: "GRPO from single pass",
    LEARNED[SELF_CORRECTION]: "GRPO from self-correction, masked",
}
FIGURES = {
    "recovers": "after a wrong first crop: recovers",
    "looks_again": "... crops again",
    "next_hits": "... the second crop hits the evidence",
    "right_after_miss": "... answers right",
    "misses": "own first crop, where there is one, misses the evidence, T = 1",
    "greedy_misses": "own first crop, where there is one, misses the evidence, greedy",
    "hits": "own first crop, where there is one, hits the evidence, T = 1",
    "accuracy": "accuracy, greedy",
    "with_oracle": "accuracy after the oracle's crop, greedy",
    "rapr": "RaPR, T = 1",
    "calls": "crops per rollout, T = 1",
    "easy_accuracy": "easy questions: accuracy, greedy",
    "easy_rapr": "easy questions: RaPR, T = 1",
}
"""Titles of the fields of `Figures`."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The claim that `figure` is higher for the checkpoint `more` than for `less`; `text` states it in words."""

    text: str
    figure: str
    more: str
    less: str


CLAIMS = (
    Claim(
        "A warm start with self-correction traces recovers from a wrong first crop more often than one on single-pass "
        "traces only",
        "recovers",
        SELF_CORRECTION,
        SINGLE_PASS,
    ),
    Claim(
        "Masking the mistakes makes fewer wrong first crops than training them, sampled at temperature 1",
        "misses",
        MISTAKES_TRAINED,
        SELF_CORRECTION,
    ),
    Claim(
        "Masking the mistakes makes fewer wrong first crops than training them, greedily",
        "greedy_misses",
        MISTAKES_TRAINED,
        SELF_CORRECTION,
    ),
    Claim(
        "GRPO ends with a higher accuracy from self-correction than from single-pass traces",
        "accuracy",
        LEARNED[SELF_CORRECTION],
        LEARNED[SINGLE_PASS],
    ),
    Claim(
        "GRPO ends with a higher RaPR from self-correction than from single-pass traces",
        "rapr",
        LEARNED[SELF_CORRECTION],
        LEARNED[SINGLE_PASS],
    ),
    Claim(
        "After GRPO, too, the model recovers more often where it began with self-correction traces",
        "recovers",
        LEARNED[SELF_CORRECTION],
        LEARNED[SINGLE_PASS],
    ),
)

# ------------------------------------------------------------------------------------------------------- figures


def values(rows: Rows, checkpoint: str, figure: str) -> list[float]:
    """A figure of a checkpoint in each seed."""
    return [float(getattr(row.checkpoints[checkpoint], figure)) for row in rows]


def pairs(rows: Rows, claim: Claim) -> list[tuple[float, float]]:
    """The figure of both checkpoints, measured on the same questions, for each seed that has both."""
    of_seeds = zip(values(rows, claim.more, claim.figure), values(rows, claim.less, claim.figure), strict=True)
    return [pair for pair in of_seeds if not any(map(math.isnan, pair))]


def differences(rows: Rows, claim: Claim) -> list[float]:
    """The difference that the claim expects to be positive, for each seed that has both figures."""
    return [more - less for more, less in pairs(rows, claim)]


def verdict(difference: Estimate) -> str:
    """The verdict from the interval of the difference."""
    if difference.low > 0:
        return "held"
    if difference.high <= 0:
        return "not held"
    return "undecided"


def sentence(rows: Rows, claim: Claim) -> str:
    """The result of a claim in one sentence."""
    paired, of_seeds = pairs(rows, claim), differences(rows, claim)
    if not paired:
        return f"{claim.text}: **{verdict(mean_over_seeds([]))}**. No seed has both figures."
    estimate = mean_over_seeds(of_seeds)
    means = " and ".join(
        f"{fraction(mean_over_seeds(of_checkpoint).value)} ({TITLES[name]})"
        for name, of_checkpoint in zip((claim.more, claim.less), zip(*paired, strict=True), strict=True)
    )
    above = sum(value > 0 for value in of_seeds)
    return (
        f"{claim.text}: **{verdict(estimate)}**. {means}; difference {signed(estimate.value)} "
        f"{signed_interval(estimate)}, above zero in {above} of {len(paired)} seeds."
    )


# -------------------------------------------------------------------------------------------------------- tables


def checkpoint_cells(rows: Rows) -> Cells:
    """Every figure of every checkpoint: mean over seeds and its interval."""
    cells = [["figure", *(TITLES[name] for name in CHECKPOINTS)]]
    for figure, title in FIGURES.items():
        estimates = [mean_over_seeds(values(rows, name, figure)) for name in CHECKPOINTS]
        cells.append([title, *(f"{fraction(estimate.value)} {interval(estimate)}" for estimate in estimates)])
    return cells


def seed_cells(rows: Rows) -> Cells:
    """The figures of the claims, seed by seed."""
    cells = [["figure", "checkpoint", *(f"seed {row.seed}" for row in rows)]]
    for figure in dict.fromkeys(claim.figure for claim in CLAIMS):
        for name in CHECKPOINTS:
            cells.append([FIGURES[figure], TITLES[name], *map(fraction, values(rows, name, figure))])
    return cells


def comparison_table(rows: Rows) -> str:
    """The table and the sentences for a terminal."""
    return "\n\n".join(
        [table(checkpoint_cells(rows)), "\n".join(sentence(rows, claim).replace("**", "") for claim in CLAIMS)]
    )


# --------------------------------------------------------------------------------------------------------- chart

_ARMS = {SINGLE_PASS: "grey", SELF_CORRECTION: "blue", MISTAKES_TRAINED: "orange"}
_SHORT = {SINGLE_PASS: "single pass", SELF_CORRECTION: "mistakes masked", MISTAKES_TRAINED: "mistakes trained"}


def chart(rows: Rows) -> str:
    """A bar chart of the figures of the claims for each arm, before and after reinforcement learning."""
    groups = {
        "recovers": ("recovers", False),
        "first misses": ("misses", False),
        "accuracy": ("accuracy", False),
        "after GRPO": ("accuracy", True),
        "RaPR": ("rapr", True),
    }
    nothing = mean_over_seeds([])
    bars = []
    for arm, style in _ARMS.items():
        by_group = {
            group: mean_over_seeds(values(rows, name, figure)) if (name := _checkpoint(arm, is_learned)) else nothing
            for group, (figure, is_learned) in groups.items()
        }
        bars.append(Bars(_SHORT[arm], style, by_group))
    drawn = bar_chart("Warm starts before and after GRPO", "The table has the figures.", list(groups), bars)
    return as_file(drawn, {_SHORT[arm]: style for arm, style in _ARMS.items()})


def _checkpoint(arm: str, is_learned: bool) -> str | None:
    return LEARNED.get(arm) if is_learned else arm


# ---------------------------------------------------------------------------------------------------------- page


def write_page(results: Path, rows: Rows, command: str) -> Path:
    """Writes the page and its chart into the folder; returns the page's path."""
    results.mkdir(parents=True, exist_ok=True)
    write_whole(results / CHART, chart(rows))
    write_whole(results / PAGE, markdown(rows, command))
    return results / PAGE


def markdown(rows: Rows, command: str) -> str:
    """Sentences, chart and tables as a page that names the command."""
    return "\n".join(
        [
            "# Self-correction traces and the mask over their mistakes, seed by seed",
            "",
            _intro(rows, command),
            "",
            *(f"* {sentence(rows, claim)}" for claim in CLAIMS),
            "",
            f"![Recovery, wrong first crops and accuracy of the warm starts; accuracy and RaPR after GRPO]({CHART})",
            "",
            _caption(),
            "",
            *markdown_lines(checkpoint_cells(rows)),
            "",
            "## Each seed",
            "",
            *markdown_lines(seed_cells(rows)),
            "",
        ]
    )


def _intro(rows: Rows, command: str) -> str:
    paragraphs = (
        f"Written by `{command}`. Each seed makes three warm starts of the embedded model from the same checkpoint on "
        "the same tasks and lessons, for the same number of steps: on single-pass traces (one crop of the evidence for "
        "a hard question); on self-correction traces (for half of the hard questions a wrong crop first, then the "
        "right one), with the wrong crop masked in the loss as in the paper; and on the same traces with the wrong "
        "crop trained. GRPO with the paper's reward then continues from the first two and allows two crops.",
        f"Figures are measured on {rows[0].questions} held-out questions that need a crop, the same for all. A wrong "
        "first crop does not overlap the evidence (IoU 0). To measure recovery, a wrong first crop is scripted, the "
        "same one for all, and the model continues greedily: it recovers if its second crop hits the evidence (shows "
        "at least half of it, in at most a quarter of the image) and its answer is right. Shares of own first crops "
        "are relative to the rollouts with a crop, whose share is RaPR.",
        f"{_intervals(len(rows))} A claim is held if the interval of the difference lies above zero, not held if "
        "no part of it does, and undecided otherwise.",
    )
    return "\n\n".join(textwrap.fill(paragraph, _PAGE_WIDTH) for paragraph in paragraphs)


def _intervals(seeds: int) -> str:
    if seeds == 1:
        return "One seed gives no interval and no variance between seeds."
    return f"Intervals are Student's over {seeds} seeds, not clipped to 0 and 1; differences are paired by seed."


def _caption() -> str:
    text = (
        "In percent, with the intervals of the table. Recovers, first misses (T = 1) and accuracy are those of the "
        "warm starts; the last two groups are accuracy and RaPR after GRPO, which does not exist for trained mistakes."
    )
    return textwrap.fill(text, _PAGE_WIDTH)
