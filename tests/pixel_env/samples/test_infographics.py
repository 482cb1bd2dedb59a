"""`sample:infographics`: real tables in small type that a crop shows and the overview does not."""

import re
from collections import Counter, defaultdict

import numpy as np
import pytest

from pixel_env.samples import sample_set
from pixel_env.samples.embedded_tables import number_in, tables_of
from pixel_env.samples.infographics import HEADING, LARGEST, MARKED, ROW, VALUE, ways_to_write
from pixel_env.samples.pages import (
    COLUMNS,
    HEADING_SIZE,
    LINES,
    PANEL_SIZE,
    TYPE_SIZES,
    Page,
    PageSource,
    Panel,
    cell_end,
    font,
    row_pixels,
)
from pixel_env.samples.scenes import COLOURS
from pixel_env.task import Task
from pixel_env.views import ViewKind
from tests.pixel_env.samples.reading import last_digits_of_a_page, reading_accuracy

TABLES = tables_of("train") + tables_of("test")


def test_nobody_can_read_a_number_in_the_overview_and_anybody_can_in_a_crop() -> None:
    assert reading_accuracy(last_digits_of_a_page(ViewKind.ORIGINAL), train=3000, test=800) <= 0.25
    assert reading_accuracy(last_digits_of_a_page(ViewKind.CROP), train=3000, test=800) >= 0.95


def test_the_answer_is_what_the_page_shows_at_the_evidence() -> None:
    for task in sample_set("infographics", count=200).tasks:
        page, place, panel = _asked(task)
        [evidence] = task.evidence
        boxes = [page.row_box(place, row) for row in range(len(panel.rows))]
        rows = [row for row, box in enumerate(boxes) if evidence.box.contains(box)]
        match task.category:
            case kind if kind == HEADING:
                assert task.answers == (panel.heading,) and evidence.box == page.heading_box(place)
            case kind if kind == VALUE:
                [row], name = rows, re.search(r'given as "(.*)" for (.*)\?', task.question)
                assert name is not None and panel.rows[row][0] == name[2]
                assert task.answers[0] == panel.rows[row][1 + panel.columns.index(name[1])]
            case kind if kind == MARKED:
                assert rows == [panel.marked] and task.answers == (panel.rows[panel.marked][0],)
            case kind if kind == ROW:
                assert rows == [int(task.question.split(" row ")[1].split()[0]) - 1]
                assert task.answers == (panel.rows[rows[0]][0],)
            case kind if kind == LARGEST:
                best = max(number_in(row[1]) for row in panel.rows)
                assert task.answers == tuple(row[0] for row in panel.rows if number_in(row[1]) == best)
                assert {row[0] for row in panel.rows if number_in(row[1]) == best} <= {
                    panel.rows[row][0] for row in rows
                }


def test_the_marked_row_has_a_dot_and_the_other_rows_have_none() -> None:
    for task in sample_set("infographics", count=6).tasks:
        page, place, panel = _asked(task)
        pixels = np.asarray(task.sources[0].decode().convert("L")).astype(int)
        for row in range(len(panel.rows)):
            left, top, _, bottom = row_pixels(place, row)
            dot = pixels[(top + bottom) // 2, left + 26]
            assert dot == (page.ink if row == panel.marked else page.paper)


def test_memory_does_not_tell_which_row_is_marked_or_where_a_row_stands() -> None:
    answers = defaultdict(Counter)
    for task in sample_set("infographics", count=1500, kinds=[MARKED, ROW]).tasks:
        answers[task.question][task.answers[0]] += 1
    best = sum(counter.most_common(1)[0][1] for counter in answers.values() if counter.total() >= 10)
    assert best / sum(counter.total() for counter in answers.values() if counter.total() >= 10) < 0.4


def test_a_page_has_six_panels_of_different_tables_and_colours() -> None:
    for task in sample_set("infographics", count=30).tasks:
        panels = _page(task).panels
        assert len(panels) == COLUMNS * LINES
        assert len({panel.heading for panel in panels}) == len({panel.colour for panel in panels}) == len(panels)


def test_every_number_on_a_page_stands_in_its_table_beside_its_name() -> None:
    known = {
        (table.title, row[0], name): cell
        for table in TABLES
        for row in table.rows
        for name, cell in zip(table.columns, row[1:], strict=True)
    }
    for split in ("train", "test"):
        for task in sample_set("infographics", split=split, count=30).tasks:
            for panel in _page(task).panels:
                for row in panel.rows:
                    for name, cell in zip(panel.columns, row[1:], strict=True):
                        assert known[panel.heading, row[0], name] == cell


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_is_complete_and_fits_into_a_panel(table) -> None:
    small, heading = font(TYPE_SIZES[1]), font(HEADING_SIZE)
    assert table.source and table.noun and len(table.rows) >= 5
    assert len({row[0] for row in table.rows}) == len(table.rows)
    assert all(len(row) == len(table.columns) + 1 and min(map(number_in, row[1:])) >= 0 for row in table.rows)
    assert heading.getlength(table.title) <= PANEL_SIZE[0] - 48
    assert max(small.getlength(row[0]) for row in table.rows) <= 220
    shown = min(3, len(table.columns))
    assert max(map(small.getlength, table.columns)) < cell_end(1, shown) - cell_end(0, shown)


def test_a_number_may_be_written_with_and_without_commas_and_unit() -> None:
    assert ways_to_write("8,849", "height (m)") == ("8,849", "8849", "8,849 m", "8849 m")
    assert ways_to_write("57", "saved") == ("57",)


def test_neither_panels_nor_their_rows_overlap() -> None:
    page = _page(sample_set("infographics", count=1).tasks[0])
    panels = [page.rows_box(place) for place in range(len(page.panels))]
    for place, panel in enumerate(page.panels):
        rows = [page.row_box(place, row) for row in range(len(panel.rows))]
        assert all(panels[place].contains(row) for row in rows)
        for boxes in (panels, rows):
            assert all(box.iou(other) < 1e-9 for number, box in enumerate(boxes) for other in boxes[:number])


def _page(task: Task) -> Page:
    source = task.sources[0]
    assert isinstance(source, PageSource)
    return source.page


def _asked(task: Task) -> tuple[Page, int, Panel]:
    """The page, and place and panel that the question names by heading or colour."""
    page = _page(task)
    named = re.search(r'In the panel "(.*?)"', task.question)
    if named is not None:
        [place] = [place for place, panel in enumerate(page.panels) if panel.heading == named[1]]
    else:
        [colour] = [word for word in task.question.split() if word in COLOURS]
        [place] = [place for place, panel in enumerate(page.panels) if panel.colour == colour]
    return page, place, page.panels[place]
