"""Charts as inline SVG: curves and grouped bars. Colours are CSS classes, so that a page's theme sets them.

The values of a curve may have any unit (`Scale`); bars are fractions.

`as_file` makes an SVG file with its own colours. Depends on numbers and labels; independent of runs.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from agents.metrics.statistics import Estimate
from benchmarks.studies.curves import Curve

WIDTH, HEIGHT = 480, 290
"""Size of the chart in its own units; a page scales it. Small enough that text stays readable on a phone."""
LEFT, RIGHT, TOP, BOTTOM = 40, 12, 14, 38
_GAP = 7
"""Between the labels of the vertical axis and its lines."""
_CHARACTER = 8.2
"""The width of a character of a label at 12 px, in a wide font (DejaVu Sans: a digit 7.6, the plus sign 10.1)."""
_LEGEND_HEIGHT = 30
_ROUND = tuple(factor * 10**power for power in range(9) for factor in (1, 2, 5))
_FILE_STYLE = """
text { font: 12px sans-serif; fill: #5b636d; } .tick, .value { text-anchor: middle; } .tick.end { text-anchor: end; }
.value { font-size: 10.5px; fill: #1d2126; } .grid { stroke: #e3e4e0; fill: none; }
.whisker { stroke: #1d2126; stroke-width: 1.2; opacity: .65; }
.blue { fill: #2563c9; } .orange { fill: #c05a10; } .grey { fill: #8a929c; }
"""
"""Style for bars; the colours are those of the light theme of the report."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The vertical axis: the values at its lines, in order, and their labels."""

    ticks: tuple[float, ...]
    labels: tuple[str, ...]


FRACTIONS = Scale((0.0, 0.25, 0.5, 0.75, 1.0), ("0%", "25%", "50%", "75%", "100%"))


def scale_around(values: Sequence[float]) -> Scale:
    """A scale with three to six lines at round numbers, which holds all values; 0 is on it if it is near."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    low = 0.0 if 0 < low < high / 2 else low
    high = 0.0 if low / 2 < high < 0 else high
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / 3))
    step = next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= 5)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(step * number for number in range(first, max(last, first + 1) + 1))
    return Scale(ticks, _tick_labels(ticks, step))


def _tick_labels(ticks: Sequence[float], step: float) -> tuple[str, ...]:
    """As many digits as ticks that lie `step` apart need to differ; all with an exponent where that is shorter."""
    last = math.floor(math.log10(step) + 1e-9)  # the power of ten of the last digit that differs
    plain = [f"{tick:.{max(0, -last)}f}" for tick in ticks]
    powers = [f"{tick:.{max(0, math.floor(math.log10(abs(tick) or step) + 1e-9) - last)}e}" for tick in ticks]
    shorter = min(plain, powers, key=lambda labels: max(map(len, labels)))
    return tuple("0" if tick == 0 else label for tick, label in zip(ticks, shorter, strict=True))


@dataclass(frozen=True, slots=True)
class Line:
    """A curve and the CSS class that colours it; `raw`, drawn pale, is the curve before smoothing."""

    curve: Curve
    raw: Curve
    style: str


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of one colour: their CSS class, their name, and a value for each group."""

    name: str
    style: str
    values: Mapping[str, Estimate]


def line_chart(title: str, description: str, lines: Sequence[Line], *, x_label: str, scale: Scale = FRACTIONS) -> str:
    """Curves over steps."""
    left = _left(scale)
    last = max((line.raw.steps[-1] for line in lines if line.raw.steps), default=1)
    parts = [_y_grid(scale, left), *_x_ticks(last, x_label, left)]
    for line in lines:
        parts.append(f'<path class="raw {line.style}" d="{_path(line.raw, last, scale, left)}"/>')
    for line in lines:
        parts.append(f'<path class="curve {line.style}" d="{_path(line.curve, last, scale, left)}"/>')
        if len(line.curve.steps) == 1:
            x, y = _x(line.curve.steps[0], last, left), _y(line.curve.values[0], scale)
            parts.append(f'<circle class="point {line.style}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
    return _svg(title, description, parts)


def bar_chart(title: str, description: str, groups: Sequence[str], bars: Sequence[Bars]) -> str:
    """Fractions with their intervals, side by side in each group."""
    parts = [_y_grid(FRACTIONS, LEFT)]
    group_width = (WIDTH - LEFT - RIGHT) / len(groups)
    width = min(26.0, group_width * 0.8 / len(bars))
    for index, group in enumerate(groups):
        middle = LEFT + (index + 0.5) * group_width
        parts.append(f'<text class="tick" x="{middle:.1f}" y="{HEIGHT - BOTTOM + 18}">{escape(_words(group))}</text>')
        for number, bar in enumerate(bars):
            left = middle + (number - len(bars) / 2) * width
            parts.append(_bar(left + 1, width - 2, bar.values[group], bar.style))
    return _svg(title, description, parts)


def as_file(chart: str, legend: Mapping[str, str]) -> str:
    """The bar chart as a complete SVG file on white; `legend`: name -> the CSS class of its colour."""
    width = (WIDTH - LEFT - RIGHT) / len(legend)
    entries = []
    for index, (name, style) in enumerate(legend.items()):
        x = LEFT + index * width
        entries.append(f'<rect class="{style}" x="{x:.0f}" y="9" width="12" height="12" rx="2"/>')
        entries.append(f'<text x="{x + 18:.0f}" y="19">{escape(name)}</text>')
    height = HEIGHT + _LEGEND_HEIGHT
    sized = chart.replace("<svg ", f'<svg width="{WIDTH}" height="{HEIGHT}" ', 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{1.5 * WIDTH:.0f}">'
        f'<style>{_FILE_STYLE}</style><rect width="{WIDTH}" height="{height}" fill="#fff"/>{"".join(entries)}'
        f'<g transform="translate(0 {_LEGEND_HEIGHT})">{sized}</g></svg>\n'
    )


def _bar(left: float, width: float, estimate: Estimate, style: str) -> str:
    if estimate.value != estimate.value:
        return ""
    top, base, middle = _y(estimate.value), _y(0.0), left + width / 2
    has_interval = estimate.low == estimate.low
    high = _y(estimate.high) if has_interval else top
    whisker = f'<path class="whisker" d="M{middle:.1f} {_y(estimate.low):.1f}V{high:.1f}"/>' if has_interval else ""
    return (
        f'<rect class="bar {style}" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{base - top:.1f}" rx="2"/>'
        f'{whisker}<text class="value" x="{middle:.1f}" y="{high - 4:.1f}">{100 * estimate.value:.0f}</text>'
    )


def _left(scale: Scale) -> float:
    """The margin that the longest label needs."""
    return max(LEFT, _GAP + _CHARACTER * max(map(len, scale.labels)))


def _path(curve: Curve, last: int, scale: Scale, left: float) -> str:
    points = [
        f"{_x(step, last, left):.1f} {_y(value, scale):.1f}"
        for step, value in zip(curve.steps, curve.values, strict=True)
    ]
    return f"M{'L'.join(points)}" if points else ""


def _y_grid(scale: Scale, left: float) -> str:
    rows = []
    for value, label in zip(scale.ticks, scale.labels, strict=True):
        y = _y(value, scale)
        rows.append(f'<path class="grid" d="M{left:g} {y:.1f}H{WIDTH - RIGHT}"/>')
        rows.append(f'<text class="tick end" x="{left - _GAP:g}" y="{y + 4:.1f}">{label}</text>')
    return "".join(rows)


def _x_ticks(last: int, label: str, left: float) -> list[str]:
    step = next(size for size in _ROUND if last / size <= 5)
    y = HEIGHT - BOTTOM + 18
    ticks = [
        f'<text class="tick" x="{_x(value, last, left):.1f}" y="{y}">{value}</text>'
        for value in range(0, last + 1, step)
    ]
    middle = (left + WIDTH - RIGHT) / 2
    return [*ticks, f'<text class="tick" x="{middle:.0f}" y="{HEIGHT - 4}">{escape(label)}</text>']


def _x(step: int, last: int, left: float) -> float:
    return left + step / max(1, last) * (WIDTH - left - RIGHT)


def _y(value: float, scale: Scale = FRACTIONS) -> float:
    low, high = scale.ticks[0], scale.ticks[-1]
    share = (value - low) / (high - low)
    return TOP + (1.0 - min(1.0, max(0.0, share))) * (HEIGHT - TOP - BOTTOM)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _svg(title: str, description: str, parts: Sequence[str]) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}. '
        f'{escape(description)}">{"".join(parts)}</svg>'
    )
