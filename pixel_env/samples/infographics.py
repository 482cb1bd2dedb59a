"""Questions about pages of charts and tables in small type, in the style of InfographicsVQA.

The numbers are real, so a model may know some of them; which rows are shown, in which order, and which row is marked is
random for each page, so questions about those cannot be answered from memory. Depends on tables and pages; independent
of episodes.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pixel_env.boxes import Box
from pixel_env.dialects.dialect import view_budgets
from pixel_env.samples.embedded_tables import Table, number_in, tables_of
from pixel_env.samples.pages import COLUMNS, LINES, MAX_ROWS, TYPE_SIZES, Chart, Page, PageSource, Panel
from pixel_env.samples.scenes import COLOURS, Split
from pixel_env.samples.sequence import SampleSet
from pixel_env.task import Evidence, Task

VALUE = "value"
"""Which number is given for Venus?"""
MARKED = "marked"
"""Which planet is marked with a dot?"""
ROW = "row"
"""Which planet stands in row 4?"""
LARGEST = "largest"
"""Which planet has the largest radius?"""
HEADING = "heading"
"""What is the heading of the red panel? The overview suffices."""

TITLES = ("Facts and figures", "The world in numbers", "Six things counted", "By the numbers", "Did you know?")
MIN_ROWS = 5
TABLE_COLUMNS = 3
"""Most columns of numbers in a panel."""


@dataclass(frozen=True, slots=True)
class _Target:
    """The panel that the question is about: its index on the page, and the noun for its rows."""

    page: Page
    index: int
    noun: str

    @property
    def panel(self) -> Panel:
        return self.page.panels[self.index]


@dataclass(frozen=True, slots=True)
class _Question:
    text: str
    answers: tuple[str, ...]
    evidence: Box


def _value(target: _Target, rng: np.random.Generator) -> _Question:
    panel = target.panel
    row = int(rng.integers(len(panel.rows)))
    column = 0 if panel.chart == "bars" else int(rng.integers(len(panel.columns)))
    name, cell = panel.columns[column], panel.rows[row][column + 1]
    text = f'In the panel "{panel.heading}": which number is given as "{name}" for {panel.rows[row][0]}?'
    return _Question(text, ways_to_write(cell, name), target.page.row_box(target.index, row))


def _marked(target: _Target, rng: np.random.Generator) -> _Question:
    text = f'In the panel "{target.panel.heading}": which {target.noun} is marked with a dot?'
    return _about_row(target, text, target.panel.marked)


def _row(target: _Target, rng: np.random.Generator) -> _Question:
    row = int(rng.integers(len(target.panel.rows)))
    text = f'In the panel "{target.panel.heading}": which {target.noun} stands in row {row + 1} from the top?'
    return _about_row(target, text, row)


def _largest(target: _Target, rng: np.random.Generator) -> _Question:
    panel = target.panel
    numbers = [number_in(row[1]) for row in panel.rows]
    largest = max(numbers)
    answers = tuple(row[0] for row, number in zip(panel.rows, numbers, strict=True) if number == largest)
    text = f'In the panel "{panel.heading}": which {target.noun} has the largest number as "{panel.columns[0]}"?'
    # The overview shows the longest bar, and a crop its name; a table has to be read as a whole.
    if panel.chart == "bars" and len(answers) == 1:
        return _Question(text, answers, target.page.row_box(target.index, numbers.index(largest)))
    return _Question(text, answers, target.page.rows_box(target.index))


def _heading(target: _Target, rng: np.random.Generator) -> _Question:
    text = f"What is the heading of the {target.panel.colour} panel?"
    return _Question(text, (target.panel.heading,), target.page.heading_box(target.index))


def _about_row(target: _Target, text: str, row: int) -> _Question:
    return _Question(text, (target.panel.rows[row][0],), target.page.row_box(target.index, row))


def ways_to_write(cell: str, column: str) -> tuple[str, ...]:
    """The printed number, with and without its commas and the unit in the column's brackets."""
    numbers = dict.fromkeys([cell, cell.replace(",", "")])
    _, bracket, rest = column.partition("(")
    units = [f"{number} {rest.removesuffix(')')}" for number in numbers] if bracket else []
    return (*numbers, *units)


_QUESTIONS: dict[str, Callable[[_Target, np.random.Generator], _Question]] = {
    VALUE: _value,
    MARKED: _marked,
    ROW: _row,
    LARGEST: _largest,
    HEADING: _heading,
}
KINDS = tuple(_QUESTIONS)


def draw_page(rng: np.random.Generator, tables: tuple[Table, ...]) -> Page:
    """A page with one panel for each of `tables`."""
    colours = rng.permutation(list(COLOURS))
    panels = tuple(_draw_panel(rng, table, str(colour)) for table, colour in zip(tables, colours, strict=False))
    paper, ink = int(rng.integers(225, 256)), int(rng.integers(0, 60))
    if rng.random() < 0.3:
        paper, ink = 255 - paper, 255 - ink
    return Page(str(rng.choice(TITLES)), panels, paper, ink, int(rng.integers(TYPE_SIZES[0], TYPE_SIZES[1] + 1)))


def _draw_panel(rng: np.random.Generator, table: Table, colour: str) -> Panel:
    count = int(rng.integers(MIN_ROWS, min(MAX_ROWS, len(table.rows)) + 1))
    chart: Chart = "bars" if rng.random() < 0.5 else "table"
    width = len(table.columns)
    chosen = sorted(int(column) for column in rng.permutation(width)[:TABLE_COLUMNS]) if chart == "table" else [0]
    rows = tuple(
        (table.rows[int(row)][0], *(table.rows[int(row)][1 + column] for column in chosen))
        for row in rng.permutation(len(table.rows))[:count]
    )
    columns = tuple(table.columns[column] for column in chosen)
    return Panel(table.title, columns, rows, table.source, chart, colour, int(rng.integers(count)))


def _compose(kind: str, task_id: str, split: Split, rng: np.random.Generator) -> Task:
    available = tables_of(split)
    tables = tuple(available[int(index)] for index in rng.permutation(len(available))[: COLUMNS * LINES])
    page = draw_page(rng, tables)
    index = int(rng.integers(len(tables)))
    question = _QUESTIONS[kind](_Target(page, index, tables[index].noun), rng)
    return Task(
        task_id=task_id,
        question=question.text,
        answers=question.answers,
        sources=(PageSource(page),),
        grader="anls",
        evidence=(Evidence(0, question.evidence),),
        category=kind,
        needs_looking=kind != HEADING,
    )


INFOGRAPHICS = SampleSet(
    name="infographics",
    benchmark="InfographicsVQA",
    material="real tables, drawn as charts",
    # A page is shown at an eighth of its side: a digit of the small type is 1.3 px high, a capital of a heading 7 px.
    budgets=view_budgets((16_384, 57_344), (50_176, 262_144), (16_384, 57_344), (50_176, 262_144), factor=28),
    kinds={kind: functools.partial(_compose, kind) for kind in KINDS},
    default_kinds=KINDS,
)
"""`sample:infographics`."""
