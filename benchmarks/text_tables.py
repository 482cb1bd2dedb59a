"""Figures as text: tables for a terminal, and numbers as people read them.

Knows figures and records. Draws nothing and writes no file.
"""

import math
from collections.abc import Sequence

from agents.metrics.statistics import Estimate


def table(rows: Sequence[Sequence[str]], *, text_columns: int = 1) -> str:
    """Rows of cells as aligned lines, a rule under the first; all but the first columns are flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        aligned = [
            cell.ljust(width) if place < text_columns else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(aligned).rstrip()

    return "\n".join([line(rows[0]), "  ".join("-" * width for width in widths), *map(line, rows[1:])])


def markdown_lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as the lines of a Markdown table, the first one its head."""
    head, *body = rows
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *(f"| {' | '.join(row)} |" for row in body)]


def fraction(value: float) -> str:
    """Three decimals; a dash where there is nothing to tell."""
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
