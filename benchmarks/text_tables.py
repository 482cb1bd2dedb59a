"""Figures as text: tables for a terminal and for Markdown, and formatted numbers.

Depends on estimates; independent of records, charts and files.
"""

import math
from collections.abc import Sequence

from agents.metrics.statistics import Estimate


def table(rows: Sequence[Sequence[str]], *, text_columns: int = 1) -> str:
    """Rows of cells as aligned lines with a rule under the first; the first `text_columns` are left-aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        aligned = [
            cell.ljust(width) if index < text_columns else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(aligned).rstrip()

    return "\n".join([line(rows[0]), "  ".join("-" * width for width in widths), *map(line, rows[1:])])


def markdown_lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as the lines of a Markdown table, the first one its head."""
    head, *body = rows
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in body)]


def fraction(value: float) -> str:
    """Three decimals; a dash for NaN."""
    return "-" if math.isnan(value) else f"{value:.3f}"


def signed(value: float) -> str:
    """Three decimals with a sign."""
    return "-" if math.isnan(value) else f"{value:+.3f}"


def interval(estimate: Estimate) -> str:
    """The 95 % interval in brackets."""
    return "-" if math.isnan(estimate.low) else f"[{fraction(estimate.low)}, {fraction(estimate.high)}]"


def signed_interval(estimate: Estimate) -> str:
    """The 95 % interval of a difference in brackets."""
    return "-" if math.isnan(estimate.low) else f"[{signed(estimate.low)}, {signed(estimate.high)}]"
