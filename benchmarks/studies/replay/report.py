"""The report of the replay study over seeds: tables for the terminal and a Markdown page.

Depends on the seeds' results and statistics; independent of runs.
"""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from agents.metrics.statistics import Estimate, mean_of_seeds_and_questions, mean_over_seeds
from agents.run_folder.configuration import write_whole
from benchmarks.pipeline.chain import EASY, HARD
from benchmarks.studies.replay.results import ARMS, FILTER, NO_FILTER, REPLAY, SeedResult
from benchmarks.text_tables import fraction, interval, markdown_lines, signed, signed_interval, table

Rows = Sequence[SeedResult]
Cells = list[list[str]]

_PAGE_WIDTH = 118

TITLES = {NO_FILTER: "no filter", FILTER: "filter", REPLAY: "filter and replay"}
CONTRASTS = {"filter - no filter": (FILTER, NO_FILTER), "replay - filter": (REPLAY, FILTER)}
"""Differences of arms: the second is subtracted from the first."""
_LOGGED = (
    ("rollouts of zero advantage", "filtered", ARMS),
    ("tokens beyond the clip", "clip_ratio/region_mean", ARMS),
    ("gradient norm", "grad_norm", ARMS),
    ("rows replayed", "replay/share", (REPLAY,)),
    ("steps since a replayed row was sampled", "replay/age", (REPLAY,)),
    ("effective sample size, in rows", "replay/effective_sample_size", (REPLAY,)),
)


# ------------------------------------------------------------------------------------------------------- figures


def outcomes(rows: Rows, arm: str, category: str = HARD) -> np.ndarray:
    """1 for right, 0 for wrong: shape (seeds, points, questions); the first point is the start."""
    points = [[row.start, *row.arms[arm].checkpoints] for row in rows]
    return np.array([[[int(letter) for letter in at[category]] for at in of_seed] for of_seed in points], dtype=float)


def area_weights(rollouts: Sequence[int]) -> np.ndarray:
    """Weights of the points in the area under the curve (trapezoidal rule), divided by the curve's width."""
    counts = np.array(rollouts, dtype=float)
    half_widths = np.diff(counts) / 2
    return (np.append(half_widths, 0) + np.insert(half_widths, 0, 0)) / (counts[-1] - counts[0])


def final(rows: Rows, arm: str, category: str = HARD) -> np.ndarray:
    """The outcomes of the last checkpoint: shape (seeds, questions)."""
    return outcomes(rows, arm, category)[:, -1]


def area(rows: Rows, arm: str) -> np.ndarray:
    """For each hard question, its mean outcome over all generated rollouts: shape (seeds, questions)."""
    return np.einsum("spq,p->sq", outcomes(rows, arm), area_weights(rows[0].rollouts))


_MEASURES: Mapping[str, Callable[[Rows, str], np.ndarray]] = {"at the end": final, "area": area}


def estimated(values_SQ: np.ndarray) -> Estimate:
    """The mean with its interval, resampled with a fixed seed."""
    return mean_of_seeds_and_questions(values_SQ, rng=np.random.default_rng(0))


def contrast(rows: Rows, measure: str, name: str) -> np.ndarray:
    """The difference called `name` of a measure, question by question: shape (seeds, questions)."""
    first, second = (_MEASURES[measure](rows, arm) for arm in CONTRASTS[name])
    return first - second


# -------------------------------------------------------------------------------------------------------- tables


def curve_cells(rows: Rows) -> Cells:
    """Each arm's accuracy by the number of generated rollouts, and the area under the curve."""
    cells = [["arm", *(f"{count} rollouts" for count in rows[0].rollouts), "area"]]
    for arm in ARMS:
        points = [*np.moveaxis(outcomes(rows, arm), 1, 0), area(rows, arm)]
        cells.append([TITLES[arm], *map(_with_interval, points)])
    return cells


def contrast_cells(rows: Rows) -> Cells:
    """Differences of arms: mean, the interval of seeds and questions, Student's over seeds, each seed."""
    head = ["difference", "of", "mean", "95% interval", "Student's over seeds", *(f"seed {row.seed}" for row in rows)]
    cells = [head]
    for measure in _MEASURES:
        for name in CONTRASTS:
            values = contrast(rows, measure, name)
            of_seeds = values.mean(axis=1)
            estimate, students = estimated(values), mean_over_seeds(of_seeds.tolist())
            intervals = [signed_interval(estimate), signed_interval(students)]
            cells.append([name, measure, signed(estimate.value), *intervals, *map(signed, of_seeds)])
    return cells


def cost_cells(rows: Rows) -> Cells:
    """The cost of each arm's training, and its final accuracy on easy questions."""
    head = ["arm", "processor seconds", "share of no filter's", "easy questions at the end"]
    cells = [[*head, *(f"seconds of seed {row.seed}" for row in rows)]]
    without = np.mean([row.arms[NO_FILTER].cpu_seconds for row in rows])
    for arm in ARMS:
        seconds = [row.arms[arm].cpu_seconds for row in rows]
        share = fraction(float(np.mean(seconds) / without)) if without else "-"
        easy = _with_interval(final(rows, arm, EASY))
        cells.append([TITLES[arm], f"{np.mean(seconds):.0f}", share, easy, *(f"{value:.0f}" for value in seconds)])
    return cells


def log_cells(rows: Rows) -> Cells:
    """Logged training metrics between two points, as means over seeds."""
    counts = rows[0].rollouts
    spans = [f"{before} to {after}" for before, after in pairwise(counts)]
    cells = [["figure", "arm", *spans]]
    for title, metric, arms in _LOGGED:
        for arm in arms:
            logged = [row.arms[arm].log[metric] for row in rows]
            means = [[value for value in at if value is not None] for at in zip(*logged, strict=True)]
            cells.append([title, TITLES[arm], *(fraction(float(np.mean(at))) if at else "-" for at in means)])
    return cells


def _with_interval(values_SQ: np.ndarray) -> str:
    estimate = estimated(values_SQ)
    return f"{fraction(estimate.value)} {interval(estimate)}"


# ----------------------------------------------------------------------------------------------------- sentences


def sentences(rows: Rows) -> list[str]:
    """The conclusions from the figures, whatever the result."""
    return [_of_replay(rows), _of_filter(rows), _of_cost(rows)]


def _of_replay(rows: Rows) -> str:
    parts = []
    for measure, words in (("area", "in the area under the curve"), ("at the end", "at the end")):
        values = contrast(rows, measure, "replay - filter")
        of_seeds = values.mean(axis=1)
        estimate, students = estimated(values), mean_over_seeds(of_seeds.tolist())
        parts.append(
            f"{signed(estimate.value)} {signed_interval(estimate)} {words}, {_judged(estimate, students)} "
            f"(higher in {int((of_seeds > 0).sum())} of {len(rows)} seeds)"
        )
    return f"Replay against the filter alone, at the same number of generated rollouts: {'; '.join(parts)}."


def _judged(estimate: Estimate, students: Estimate) -> str:
    """Better or worse only where both intervals say so; one seed has no interval of Student's."""
    if estimate.low > 0 and not students.low <= 0:
        return "better"
    if estimate.high < 0 and not students.high >= 0:
        return "worse"
    return "no significant difference: at least one interval contains zero"


def _of_filter(rows: Rows) -> str:
    pairs = [[outcomes(rows, arm, category)[:, 1:] for arm in (FILTER, NO_FILTER)] for category in (HARD, EASY)]
    agree = np.concatenate([(first == second).ravel() for first, second in pairs])
    return (
        "The filter does not change the gradient: a training with it and one without it can differ only by rounding. "
        f"Over all checkpoints and seeds {int(agree.sum())} of {agree.size} held-out outcomes are the same in both."
    )


def _of_cost(rows: Rows) -> str:
    means = {arm: float(np.mean([row.arms[arm].cpu_seconds for row in rows])) for arm in ARMS}
    return (
        f"A training took {means[NO_FILTER]:.0f} processor seconds without the filter, {means[FILTER]:.0f} with it and "
        f"{means[REPLAY]:.0f} with replay, which computes replayed rows instead of the filtered ones."
    )


# ---------------------------------------------------------------------------------------------------------- page


def comparison_table(rows: Rows) -> str:
    """The curve, the differences and the sentences for a terminal."""
    return "\n\n".join(
        [table(curve_cells(rows)), table(contrast_cells(rows), text_columns=2), "\n".join(sentences(rows))]
    )


def write_page(results: Path, rows: Rows, command: str) -> Path:
    """Writes the page into the folder; returns its path."""
    write_whole(results / "README.md", markdown(rows, command))
    return results / "README.md"


def markdown(rows: Rows, command: str) -> str:
    """All tables as a page that names the command."""
    return "\n".join(
        [
            "# Zero-advantage filtering and selective sample replay, seed by seed",
            "",
            _intro(rows, command),
            "",
            *(f"* {sentence}" for sentence in sentences(rows)),
            "",
            "## Accuracy by the number of generated rollouts",
            "",
            *markdown_lines(curve_cells(rows)),
            "",
            "Area: the mean accuracy over all generated rollouts, by linear interpolation between the points.",
            "",
            "## Differences",
            "",
            *markdown_lines(contrast_cells(rows)),
            "",
            "## Cost",
            "",
            *markdown_lines(cost_cells(rows)),
            "",
            "Processor seconds are those of the whole training process with one thread, including its start.",
            "",
            "## Logged training metrics",
            "",
            *markdown_lines(log_cells(rows)),
            "",
            "Means over seeds and over the steps between two points. Rows of zero advantage are counted before replay",
            "replaces them; a step without replay counts as age 0.",
            "",
        ]
    )


def _intro(rows: Rows, command: str) -> str:
    questions = len(rows[0].start[HARD])
    compared = (
        f"Written by `{command}`. Each seed trains three arms of GRPO from one checkpoint on the same questions in the "
        "same order: without the filter, with it, and with the filter and selective sample replay, where earlier "
        "rows replace those of zero advantage. A seed sets the order of the questions and the sampling, not the "
        "checkpoint. The reward is correctness alone: a bonus would give an advantage to groups in which all rollouts "
        "are right, and hide the effect that is compared here."
    )
    measured = (
        f"Accuracies are greedy, on {questions} held-out questions that need a crop, the same for all. "
        f"{_intervals(len(rows))}"
    )
    return "\n\n".join(textwrap.fill(paragraph, _PAGE_WIDTH) for paragraph in (compared, measured))


def _intervals(seeds: int) -> str:
    if seeds == 1:
        return "Intervals resample questions; one seed gives no variance between seeds."
    return (
        f"Intervals resample seeds and questions; with {seeds} seeds they are somewhat too narrow, so the differences "
        "also have Student's interval over seeds."
    )
