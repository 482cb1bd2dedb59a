"""The figures of several seeds as a table for the terminal and as a Markdown file.

Depends on the seeds' rows (`study.py` writes them) and means over seeds; independent of runs.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agents.metrics.statistics import Estimate, mean_over_seeds
from agents.run_folder.configuration import write_whole
from benchmarks.studies.trap.findings import EXTINCT, Outcome, Verdict
from benchmarks.text_tables import fraction, interval, markdown_lines, signed_interval, table

Row = Mapping[str, Any]


_Figure = tuple[str, Callable[[Row], float]]

_FIGURES: tuple[_Figure, ...] = (
    ("clumsy warm start: learned zoom", lambda row: _accuracy(row["clumsy"]["checkpoint"])),
    ("clumsy warm start: RaPR", lambda row: _or_nan(row["clumsy"]["checkpoint"]["rapr"])),
    ("with curiosity: learned zoom", lambda row: _accuracy(row["with_curiosity"])),
    ("with curiosity: oracle zoom", lambda row: _accuracy(row["with_curiosity"], "oracle_zoom")),
    ("with curiosity: no zoom", lambda row: _accuracy(row["with_curiosity"], "no_zoom")),
    ("with curiosity: RaPR", lambda row: _or_nan(row["with_curiosity"]["rapr"])),
    ("with curiosity: easy questions", lambda row: _or_nan(row["with_curiosity"]["easy_accuracy"]["value"])),
    ("without curiosity: learned zoom", lambda row: _accuracy(row["without_curiosity"])),
    ("without curiosity: no zoom", lambda row: _accuracy(row["without_curiosity"], "no_zoom")),
    ("without curiosity: RaPR", lambda row: _or_nan(row["without_curiosity"]["rapr"])),
    ("competent warm start: learned zoom", lambda row: _accuracy(row["competent"]["checkpoint"])),
    ("competent, without curiosity: learned zoom", lambda row: _accuracy(row["competent_without_curiosity"])),
    ("competent, without curiosity: RaPR", lambda row: _or_nan(row["competent_without_curiosity"]["rapr"])),
)


def _accuracy(arm: Mapping[str, Any], policy: str = "learned_zoom") -> float:
    return _or_nan(arm["accuracy"][policy]["value"])


def trap_table(rows: Sequence[Row]) -> str:
    """Every figure: mean over seeds with its interval, then each seed; below it how often each outcome occurred."""
    return f"{table(_cells(rows))}\n\n{_sentences(rows, plain=True)}"


def write_page(results: Path, rows: Sequence[Row], command: str) -> Path:
    """Writes the page into the folder; returns its path."""
    results.mkdir(parents=True, exist_ok=True)
    write_whole(results / "README.md", markdown(rows, command))
    return results / "README.md"


def markdown(rows: Sequence[Row], command: str) -> str:
    """The same as a Markdown page that names the command."""
    return "\n".join(
        [
            "# The learning trap and its cure, seed by seed",
            "",
            f"Written by `{command}`. For each seed: a clumsy and a competent warm start from the base checkpoint;",
            "GRPO with and without the curiosity bonus from the clumsy one, GRPO without it from the competent one.",
            "Accuracies are greedy, on held-out questions that need a crop; RaPR is sampled at temperature 1 on them.",
            "Intervals are Student's over seeds.",
            "",
            *markdown_lines(_cells(rows)),
            "",
            _sentences(rows, plain=False),
            "",
            "## Before reinforcement learning",
            "",
            *_probe_lines(rows),
            "",
        ]
    )


def _cells(rows: Sequence[Row]) -> list[list[str]]:
    head = ["figure", "mean", "95% interval", *(f"seed {row['seed']}" for row in rows)]
    body = []
    for name, read in _FIGURES:
        values = [read(row) for row in rows]
        estimate = mean_over_seeds(values)
        body.append([name, fraction(estimate.value), interval(estimate), *map(fraction, values)])
    return [head, *body]


def _sentences(rows: Sequence[Row], *, plain: bool) -> str:
    texts = [
        f"With curiosity the model learned to zoom in {_times(rows, 'with_curiosity', Outcome.LEARNED)} and "
        f"stopped zooming in {_times(rows, 'with_curiosity', Outcome.GAVE_UP)} (RaPR below {EXTINCT:.2f}).",
        f"Without it, from the same warm starts, it learned in {_times(rows, 'without_curiosity', Outcome.LEARNED)} "
        f"and stopped in {_times(rows, 'without_curiosity', Outcome.GAVE_UP)}.",
        f"From a competent warm start, without curiosity, it learned in "
        f"{_times(rows, 'competent_without_curiosity', Outcome.LEARNED)} and stopped in "
        f"{_times(rows, 'competent_without_curiosity', Outcome.GAVE_UP)}.",
        prediction_sentence(rows),
    ]
    return "\n".join(texts if plain else [f"* {text}" for text in texts])


def _times(rows: Sequence[Row], arm: str, outcome: Outcome) -> str:
    return f"{sum(row[arm]['outcome'] == outcome.value for row in rows)} of {len(rows)} seeds"


def prediction_sentence(rows: Sequence[Row]) -> str:
    """How often the prediction from the call advantage was right."""
    probes = [row[warm_start] for row in rows for warm_start in ("clumsy", "competent")]
    judged = [probe["prediction_was_right"] for probe in probes if probe["prediction_was_right"] is not None]
    undecided = sum(probe["verdict"] == Verdict.OPEN.value for probe in probes)
    unclear = len(probes) - len(judged) - undecided
    rest = f" In {unclear} the outcome of the arm was neither." if unclear else ""
    return (
        f"The prediction before reinforcement learning was right in {sum(judged)} of the {len(judged)} cases with a "
        f"prediction and a clear outcome; in {undecided} of {len(probes)} it was undecided.{rest}"
    )


def _probe_lines(rows: Sequence[Row]) -> list[str]:
    head = [
        "seed",
        "warm start",
        "call advantage, hard",
        "95% interval",
        "oracle's crop",
        "prediction",
        "outcome",
    ]
    lines = [head]
    for row in rows:
        for warm_start, arm in (("clumsy", "without_curiosity"), ("competent", "competent_without_curiosity")):
            probe = row[warm_start]["look"]
            advantage = _estimate(probe["hard"])
            cells = [
                str(row["seed"]),
                warm_start,
                fraction(advantage.value),
                signed_interval(advantage),
                fraction(_or_nan(probe["with_oracle"]["value"])),
                Verdict(row[warm_start]["verdict"]).words,
                Outcome(row[arm]["outcome"]).words,
            ]
            lines.append(cells)
    return markdown_lines(lines)


def _estimate(row: Mapping[str, Any]) -> Estimate:
    return Estimate(_or_nan(row["value"]), _or_nan(row["low"]), _or_nan(row["high"]), row["n"])


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
