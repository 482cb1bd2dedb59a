"""The embedded tables: small, real, entered by hand, each with its source (`data/ATTRIBUTION.md`).

Depends on the file and its layout; independent of charts and questions.
"""

import functools
import json
from dataclasses import dataclass
from importlib import resources

from pixel_env.samples.scenes import Split


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose first column names its rows.

    `noun`: what a row is ("planet"); `columns`: titles of the other columns, units in brackets; `rows`: the name, then
    a number for each column, as printed.
    """

    name: str
    split: Split
    title: str
    noun: str
    columns: tuple[str, ...]
    source: str
    rows: tuple[tuple[str, ...], ...]


@functools.lru_cache(maxsize=2)
def tables_of(split: Split) -> tuple[Table, ...]:
    """The tables that belong to `split`."""
    text = (resources.files("pixel_env") / "data" / "tables.json").read_text(encoding="utf-8")
    return tuple(
        Table(
            name=row["name"],
            split=row["split"],
            title=row["title"],
            noun=row["noun"],
            columns=tuple(row["columns"]),
            source=row["source"],
            rows=tuple(tuple(cells) for cells in row["rows"]),
        )
        for row in json.loads(text)
        if row["split"] == split
    )


def number_in(cell: str) -> float:
    """The number that a printed cell holds: "8,849" is 8849."""
    return float(cell.replace(",", ""))
