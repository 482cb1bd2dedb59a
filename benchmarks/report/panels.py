"""Which curves the page of a training run draws, from the metrics that its log has.

Depends on the names of logged metrics; independent of charts and HTML.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.report.run import ReportedRun
from benchmarks.studies.curves import Curve

MOST_LINES = 8
_FUNCTION = re.compile(r"rewards/(.+)/mean")


@dataclass(frozen=True, slots=True)
class Panel:
    """Curves of one unit in one chart, and what they show."""

    title: str
    caption: str
    curves: Sequence[Curve]
    is_fraction: bool = False


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A chart: its title, its caption and its metrics by the names of their lines."""

    title: str
    caption: str
    metrics: Callable[[Sequence[str]], dict[str, str]]
    is_fraction: bool = False


def panels_of(run: ReportedRun) -> list[Panel]:
    """The charts for which the log has at least one value, in the order of the page."""
    curves = curves_of(run)
    panels = []
    for wanted in _WANTED:
        lines = {label: curves[name] for label, name in wanted.metrics(sorted(curves)).items() if name in curves}
        shown = [Curve(label, one.steps, one.values) for label, one in lines.items()]
        if not shown:
            continue
        caption = wanted.caption
        if len(shown) > MOST_LINES:
            shown = sorted(shown, key=lambda curve: -max(map(abs, curve.values)))[:MOST_LINES]
            caption += f" The {MOST_LINES} largest of {len(lines)} are shown."
        panels.append(Panel(wanted.title, caption, shown, wanted.is_fraction))
    return panels


def curves_of(run: ReportedRun) -> dict[str, Curve]:
    """Every logged metric by its name, as a curve over the optimizer steps."""
    found: dict[str, dict[int, float]] = {}
    for row in run.rows:
        if row.kind == "end":
            continue
        for name, value in row.metrics.items():
            found.setdefault(name, {})[row.step] = value  # of two evaluations at a step the later one
    steps = [row.step for row in run.of_kind("train")]
    for name in found:
        if name.startswith("failures/"):  # a failure that did not occur is not logged
            found[name] = {step: found[name].get(step, 0.0) for step in steps}
    return {name: Curve(name, tuple(values), tuple(values.values())) for name, values in found.items()}


def _exactly(**names: str) -> Callable[[Sequence[str]], dict[str, str]]:
    return lambda _: {label.replace("_", " "): name for label, name in names.items()}


def _below(prefix: str, *, without: Sequence[str] = ()) -> Callable[[Sequence[str]], dict[str, str]]:
    return lambda names: {
        name.removeprefix(prefix): name for name in names if name.startswith(prefix) and name not in without
    }


def _parts(names: Sequence[str]) -> dict[str, str]:
    parts = {"reward": "reward"}
    parts |= {name.removeprefix("rewards/"): name for name in names if re.fullmatch(r"rewards/[^/]+", name)}
    functions = {match[1]: name for name in names if (match := _FUNCTION.fullmatch(name))}
    return parts | {label: name for label, name in functions.items() if label != "group_reward"}


_WANTED = (
    _Wanted(
        "Reward and its parts",
        "Means over the rollouts of a step. The parts are not weighted.",
        _parts,
    ),
    _Wanted(
        "Accuracy",
        "Mean grade of the answers, in training and on held-out tasks.",
        _exactly(training="accuracy", held_out="eval_accuracy"),
        is_fraction=True,
    ),
    _Wanted(
        "RaPR",
        "Rate of pixel-space reasoning: the share of rollouts with an executed operation.",
        _exactly(training="rapr", held_out="eval_rapr"),
        is_fraction=True,
    ),
    _Wanted("Accuracy by category", "In training.", _below("accuracy/"), is_fraction=True),
    _Wanted("RaPR by category", "In training.", _below("rapr/"), is_fraction=True),
    _Wanted(
        "Call advantage",
        "Accuracy of the rollouts with an executed operation minus that of the others.",
        _exactly(all="call_advantage"),
    ),
    _Wanted("Failures by code", "Refused or failed operations of a rollout.", _below("failures/")),
    _Wanted("Stop reasons", "Share of the rollouts.", _below("stops/"), is_fraction=True),
    _Wanted(
        "Failed episodes",
        "Rollouts that an error ended; they count in no other figure.",
        _exactly(training="failed_episodes", held_out="eval_failed_episodes"),
    ),
    _Wanted(
        "Lengths",
        "Tokens of a rollout.",
        _exactly(
            sampled="completions/mean_length",
            shortest="completions/min_length",
            longest="completions/max_length",
            with_observations="completions/mean_length_with_observations",
            prompt="prompts/mean_length",
        ),
    ),
    _Wanted("Turns and operations", "Of a rollout, means.", _exactly(turns="turns", operations="calls")),
    _Wanted(
        "What the update uses",
        "Shares of the rollouts: without an advantage, and replayed from earlier steps.",
        _exactly(filtered="filtered", replayed="replay/share"),
        is_fraction=True,
    ),
    _Wanted("Loss", "In training and on held-out traces or tasks.", _exactly(training="loss", held_out="eval_loss")),
    _Wanted(
        "Token accuracy",
        "Share of the trained tokens that the model would choose.",
        _exactly(training="mean_token_accuracy", held_out="eval_mean_token_accuracy"),
        is_fraction=True,
    ),
    _Wanted("Entropy", "Of the sampled tokens, in nats.", _exactly(entropy="entropy")),
    _Wanted("KL divergence", "From the reference model.", _exactly(kl="kl")),
    _Wanted(
        "Clipped tokens",
        "Share of the tokens whose ratio was clipped.",
        _exactly(low="clip_ratio/low_mean", high="clip_ratio/high_mean"),
    ),
    _Wanted("Gradient norm", "Before clipping.", _exactly(norm="grad_norm")),
    _Wanted("Learning rate", "", _exactly(rate="learning_rate")),
    _Wanted(
        "Seconds of a step",
        "Wall time of the main process: waiting for the engine (generation) and for operations, weights handed to the "
        "engine, scoring (rewards, log-probabilities), the update, and reading data.",
        _below("time/", without=("time/step",)),
    ),
    _Wanted("Memory", "Of the main process, in 10^9 bytes.", _below("memory/")),
)
