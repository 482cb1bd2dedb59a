"""The embedded tables: small, real and typed by hand, each with its source. `data/ATTRIBUTION.md` tells more.

Knows the file and its shape. Knows nothing of how a table is drawn or asked about.
"""

import functools
import json
from dataclasses import dataclass
from importlib import resources

from pixel_env.samples.scenes import Split


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose first column names its rows.

    `noun`: what a row is ("planet"); `columns`: what the other columns hold, units in brackets; `rows`: the name, then
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
