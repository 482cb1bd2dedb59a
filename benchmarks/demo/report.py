"""One self-contained HTML page about a finished demo.

The page makes no requests: images are data URIs, charts inline SVG. Every sentence is derived from the run's figures
(`sentences.py`). Depends on findings, charts and the gallery; independent of the style, which is in `report.html`.
"""

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

from agents.metrics.statistics import Estimate
from agents.run_folder.configuration import FILE_NAME, read_configuration
from benchmarks.demo.gallery import Shown, card, pick
from benchmarks.evaluation.policies import LEARNED_ZOOM, ORACLE_ZOOM, POLICIES
from benchmarks.evaluation.records import read_evaluation
from benchmarks.pipeline.chain import HARD
from benchmarks.studies.charts import Bars, Line, bar_chart, line_chart
from benchmarks.studies.curves import Curve, read_curve
from benchmarks.studies.trap import sentences
from benchmarks.studies.trap.findings import WARM_START, WITH, WITHOUT, Findings
from benchmarks.text_tables import fraction, interval
from pixel_env.errors import ConfigError
from pixel_env.views import ViewBudgets
from rewards.shaping import group_reward_named
from synth.warm_starts.templates import CLUMSY, UNSEEN

PAGE = "report.html"
NAMES = {WARM_START: "warm start", WITHOUT: "without curiosity", WITH: "with curiosity"}
STYLES = {WARM_START: "grey", WITHOUT: "orange", WITH: "blue"}
SHOWN_OF_EACH = 6
SMOOTHING_STEPS = 10


def is_demo(run: Path) -> bool:
    """Whether the folder is that of a demo, finished or not."""
    return (run / FILE_NAME).is_file() and "quick" in _configuration(run)


def write_report(run: Path, findings: Findings) -> Path:
    """Writes the page into the run folder; returns its path. Raises ConfigError for a run that is not finished."""
    path = run / PAGE
    path.write_text(page(run, findings), encoding="utf-8")
    return path


def page(run: Path, findings: Findings) -> str:
    """The whole page."""
    template = resources.files("benchmarks.demo") / PAGE
    gallery = read_evaluation(run / "gallery")
    configuration = _configuration(run)
    reward = group_reward_named(_group_reward_of(run))
    # Wrong rollouts are rarer, so they are picked first.
    wrong = pick(gallery, reward, SHOWN_OF_EACH, right=False)
    right = pick(gallery, reward, SHOWN_OF_EACH, right=True, besides=wrong)
    return Template(template.read_text(encoding="utf-8")).substitute(
        headline=escape(sentences.headline(findings)),
        notice=escape(gallery.task_set.notice),
        quick=_quick_note() if configuration["quick"] else "",
        tiles=_tiles(findings),
        story=_paragraphs(
            sentences.with_sentence(findings),
            sentences.without_sentence(findings),
            sentences.easy_sentence(findings),
            sentences.expectation_check(findings),
        ),
        curves=_curve_figure(run, "rapr", "RaPR during training")
        + _curve_figure(run, "accuracy", "Accuracy during training"),
        bars=_bar_figure(findings),
        probe=_paragraphs(sentences.probe_sentence(findings.probe)),
        clumsy=_paragraphs(clumsy_note()),
        right=_cards(right, gallery.budgets, "right"),
        wrong=_cards(wrong, gallery.budgets, "wrong"),
        shown=len(right) + len(wrong),
        facts=_facts(findings, configuration),
    )


def clumsy_note() -> str:
    """What the warm start is, and which command also tries a competent one."""
    return (
        f"The warm start is clumsy on purpose: {sentences.percent(CLUMSY.call_share)} of its demonstrations (traces) "
        f"make a call, with a crop that is up to {CLUMSY.max_shift_cells} of 16 grid cells off the evidence, and after "
        f"a crop that missed they answer “{UNSEEN}”. So a crop earns less than a guess. Run make trap to repeat this "
        "over several seeds and with a competent warm start, for which correctness alone may suffice."
    )


# ----------------------------------------------------------------------------------------------------- figures


def _tiles(findings: Findings) -> str:
    final, without = findings.with_curiosity, findings.without_curiosity
    tiles = [
        ("with curiosity", final.accuracies[LEARNED_ZOOM], "blue"),
        ("without curiosity", without.accuracies[LEARNED_ZOOM], "orange"),
        ("warm start", findings.warm_start.accuracies[LEARNED_ZOOM], "grey"),
        ("oracle’s crop", final.accuracies[ORACLE_ZOOM], "plain"),
    ]
    return "".join(_tile(name, estimate, style) for name, estimate, style in tiles)


def _tile(name: str, estimate: Estimate, style: str) -> str:
    return (
        f'<li class="{style}"><span>{escape(name)}</span><strong>{sentences.percent(estimate.value)}</strong>'
        f"<small>{sentences.percent(estimate.low)} to {sentences.percent(estimate.high)}</small></li>"
    )


def _curve_figure(run: Path, metric: str, title: str) -> str:
    lines = []
    for arm in (WITHOUT, WITH):
        raw = read_curve(run / arm, f"{metric}/{HARD}", NAMES[arm])
        lines.append(Line(raw.smoothed(SMOOTHING_STEPS), raw, STYLES[arm]))
    summary = "; ".join(_range_text(line.curve) for line in lines)
    chart = line_chart(title, summary, lines, x_label="optimizer step")
    caption = f"Questions that need a crop; means of {SMOOTHING_STEPS} steps, single steps pale. {summary}."
    return _figure(title, _legend([WITHOUT, WITH]), chart, caption)


def _range_text(curve: Curve) -> str:
    if not curve.values:
        return f"{curve.name}: no figure"
    return f"{curve.name}: from {sentences.percent(curve.values[0])} to {sentences.percent(curve.values[-1])}"


def _bar_figure(findings: Findings) -> str:
    title = "Four zoom policies, before and after reinforcement learning"
    bars = [Bars(NAMES[name], STYLES[name], checkpoint.accuracies) for name, checkpoint in findings.checkpoints.items()]
    n = findings.with_curiosity.accuracies[LEARNED_ZOOM].n
    chart = bar_chart(title, "The table below has the figures.", POLICIES, bars)
    caption = f"Accuracy in percent on {n} held-out questions that need a crop, greedy, with 95% intervals."
    rows = [
        f"<tr><th scope='row'>{escape(bar.name)}</th>"
        + "".join(
            f"<td>{fraction(bar.values[policy].value)} <small>{interval(bar.values[policy])}</small></td>"
            for policy in POLICIES
        )
        + "</tr>"
        for bar in bars
    ]
    head = "".join(f"<th scope='col'>{policy.replace('_', ' ')}</th>" for policy in POLICIES)
    figures = (
        f"<details><summary>The figures</summary><div class='scroll'><table><thead><tr><td></td>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div></details>"
    )
    return _figure(title, _legend(list(findings.checkpoints)), chart, caption, figures, style="wide")


def _figure(title: str, legend: str, chart: str, caption: str, more: str = "", style: str = "") -> str:
    return (
        f'<figure class="panel {style}"><h3>{escape(title)}</h3>{legend}{chart}'
        f"<figcaption>{escape(caption)}</figcaption>{more}</figure>"
    )


def _legend(names: Sequence[str]) -> str:
    items = "".join(f'<li class="{STYLES[name]}">{escape(NAMES[name])}</li>' for name in names)
    return f'<ul class="legend">{items}</ul>'


# -------------------------------------------------------------------------------------------------------- text


def _cards(shown: Sequence[Shown], budgets: ViewBudgets, verdict: str) -> str:
    if not shown:
        return f"<p>No sampled rollout was {verdict}.</p>"
    return f'<div class="cards">{"".join(card(one, budgets) for one in shown)}</div>'


def _paragraphs(*texts: str) -> str:
    marked = (escape(text).replace("make trap", "<code>make trap</code>") for text in texts)
    return "".join(f"<p>{text}</p>" for text in marked)


def _quick_note() -> str:
    return '<p class="warning">A quick run of a few steps, to test the pipeline. Its figures are meaningless.</p>'


def _facts(findings: Findings, configuration: Mapping[str, object]) -> str:
    rows = [(name.replace("_", " "), f"{seconds:,.0f} s") for name, seconds in findings.seconds.items()]
    rows += [("peak memory, all processes", f"{findings.peak_memory_gb:.2f} GB")]
    rows += [("seed", str(configuration["seed"])), ("base checkpoint", str(configuration["base"]))]
    return "".join(f"<tr><th scope='row'>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)


def _configuration(run: Path) -> dict[str, object]:
    try:
        return read_configuration(run)
    except OSError as error:
        raise ConfigError(f"{run} is no run of the demo. Make one: pixel-env demo --output_dir {run}") from error


def _group_reward_of(run: Path) -> str:
    """The reward that the arm with curiosity was trained on."""
    configuration: dict[str, str] = json.loads((run / WITH / FILE_NAME).read_text(encoding="utf-8"))
    return configuration["group_reward"]
