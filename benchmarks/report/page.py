"""The HTML page of a training run: its state, its curves, its evaluations and its configuration.

The page makes no requests and has no script: charts are inline SVG. Depends on panels and charts; independent of the
style, which is in `page.html`.
"""

from collections.abc import Mapping
from html import escape
from importlib import resources
from string import Template
from typing import Any

from agents.run_log.console import duration
from agents.run_log.rollouts import ROLLOUTS
from benchmarks.report.panels import Panel, panels_of
from benchmarks.report.run import ReportedRun
from benchmarks.studies.charts import FRACTIONS, Line, line_chart, scale_around
from benchmarks.studies.curves import Curve

POINTS = 400
"""Of a drawn curve; a longer one is thinned."""
_SMOOTHED_FROM = 60
"""Steps from which on curves are also drawn smoothed, as means of a thirtieth of them."""
_TILES = (
    ("reward", "reward", "{:.3f}"),
    ("accuracy", "accuracy", "{:.1%}"),
    ("rapr", "RaPR", "{:.1%}"),
    ("loss", "loss", "{:.4f}"),
    ("mean_token_accuracy", "token accuracy", "{:.1%}"),
    ("time/step", "a step", "{:.3g} s"),
    ("memory/resident_gb", "memory", "{:.2f} GB"),
    ("memory/gpu_peak_gb", "GPU memory, peak", "{:.1f} GB"),
)
_HIDDEN_IN_RL = ("mean_token_accuracy", "loss")
_FACTS = ("model_name_or_path", "tasks", "traces", "eval_tasks", "dialect", "group_reward", "learning_rate", "seed")
_EVALUATED = (
    ("eval_accuracy", "accuracy"),
    ("eval_accuracy_low", "low"),
    ("eval_accuracy_high", "high"),
    ("eval_accuracy_n", "n"),
    ("eval_rapr", "RaPR"),
    ("eval_reward", "reward"),
    ("eval_loss", "loss"),
    ("eval_mean_token_accuracy", "token accuracy"),
    ("eval_runtime", "seconds"),
)


def page(run: ReportedRun, *, refresh_s: int | None = None) -> str:
    """The whole page. `refresh_s`: the browser loads it again after so many seconds; None: never."""
    template = (resources.files("benchmarks.report") / "page.html").read_text(encoding="utf-8")
    panels = panels_of(run)
    return Template(template).substitute(
        refresh="" if refresh_s is None else f'<meta http-equiv="refresh" content="{refresh_s}">',
        title=escape(run.folder.resolve().name),
        method="Reinforcement learning (GRPO)" if run.is_reinforcement else "Supervised training (SFT)",
        state=escape(state_of(run)),
        facts=_facts(run),
        notes="".join(f'<p class="warning">{escape(note)}</p>' for note in (*run.notes, *_without_value(run))),
        tiles=_tiles(run),
        panels="".join(map(_panel, panels)) or "<p>There is no figure yet.</p>",
        evaluations=_evaluations(run),
        rollouts=_rollouts(run),
        summary=_section("Summary", _table(_flat(run.summary))) if run.summary else "",
        configuration=_table(dict(sorted(run.configuration.items()))),
    )


def state_of(run: ReportedRun) -> str:
    """One sentence: how far the run is."""
    of = f" of {run.total}" if run.total else ""
    last = next((row.time for row in reversed(run.rows) if row.time), "")
    since = f"; last logged {last[:19].replace('T', ' ')} UTC" if last else ""
    if run.is_running:
        return f"Running: step {run.steps}{of}{_left(run)}{since}."
    if run.is_finished:
        return f"Finished: {run.steps} steps{since}."
    return f"Not running and not finished: step {run.steps}{of}{since}."


def _left(run: ReportedRun) -> str:
    seconds = next((row.metrics["time/step"] for row in reversed(run.rows) if "time/step" in row.metrics), None)
    return "" if seconds is None or not run.total else f", {duration(seconds * (run.total - run.steps))} left"


def _without_value(run: ReportedRun) -> list[str]:
    """Metrics of training that were no numbers: a loss of NaN must not look like a loss that was not logged."""
    steps: dict[str, list[int]] = {}
    for row in run.of_kind("train"):
        for name in row.without_value:
            if name in ("loss", "grad_norm"):
                steps.setdefault(name, []).append(row.step)
    return [f"{name} was no finite number at {len(at)} steps, the first is {at[0]}." for name, at in steps.items()]


def _facts(run: ReportedRun) -> str:
    shown = {name: run.configuration[name] for name in _FACTS if run.configuration.get(name) is not None}
    return "".join(
        f"<dt>{escape(name.replace('_', ' '))}</dt><dd>{escape(str(value))}</dd>" for name, value in shown.items()
    )


def _tiles(run: ReportedRun) -> str:
    rows = run.of_kind("train")
    if not rows:
        return ""
    metrics = rows[-1].metrics
    tiles = [
        f"<li><span>{label}</span><strong>{form.format(metrics[name])}</strong></li>"
        for name, label, form in _TILES
        if name in metrics and not (run.is_reinforcement and name in _HIDDEN_IN_RL)
    ]
    return f'<p class="soft">Last logged step: {rows[-1].step}</p><ul class="tiles">{"".join(tiles)}</ul>'


def _panel(panel: Panel) -> str:
    lines = [_line(curve, index) for index, curve in enumerate(panel.curves)]
    values = [value for line in lines for value in line.raw.values]
    scale = FRACTIONS if panel.is_fraction else scale_around(values)
    chart = line_chart(panel.title, panel.caption, lines, x_label="optimizer step", scale=scale)
    entries = "".join(
        f'<li class="c{index}">{escape(curve.name)} <small>{_number(curve.values[-1], panel.is_fraction)}</small></li>'
        for index, curve in enumerate(panel.curves)
    )
    return (
        f'<figure class="panel"><h3>{escape(panel.title)}</h3><ul class="legend">{entries}</ul>{chart}'
        f"<figcaption>{escape(panel.caption)}</figcaption></figure>"
    )


def _line(curve: Curve, index: int) -> Line:
    raw = curve.thinned(POINTS)
    window = len(raw.steps) // 30 * max(1, raw.steps[-1] // max(1, len(raw.steps)))
    return Line(raw.smoothed(window) if len(raw.steps) >= _SMOOTHED_FROM else raw, raw, f"c{index}")


def _number(value: float, is_fraction: bool) -> str:
    return f"{value:.1%}" if is_fraction else f"{value:.4g}"


def _evaluations(run: ReportedRun) -> str:
    rows = run.of_kind("eval")
    if not rows:
        return ""
    columns = [(name, label) for name, label in _EVALUATED if any(name in row.metrics for row in rows)]
    head = "".join(f"<th scope='col'>{label}</th>" for label in ("step", *(label for _, label in columns)))
    body = "".join(
        f"<tr><td>{row.step}</td>"
        + "".join(f"<td>{row.metrics[name]:.4g}</td>" if name in row.metrics else "<td>–</td>" for name, _ in columns)
        + "</tr>"
        for row in rows
    )
    return _section(
        "Evaluations on held-out tasks",
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>{body}</table></div>',
    )


def _rollouts(run: ReportedRun) -> str:
    if not (run.folder / ROLLOUTS).exists():
        return ""
    return _section(
        "Rollouts", f"<p>Kept rollouts, with their images: <code>pixel-env view {escape(str(run.folder))}</code></p>"
    )


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>"


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat


def _table(values: Mapping[str, Any]) -> str:
    rows = [
        f"<tr><th scope='row'>{escape(name)}</th><td>{escape(_shown(value))}</td></tr>"
        for name, value in values.items()
    ]
    return f'<div class="scroll"><table><tbody>{"".join(rows)}</tbody></table></div>'


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
