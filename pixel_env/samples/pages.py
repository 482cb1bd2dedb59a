"""Pages of charts and tables: large headings that an overview shows, and small type that it does not.

A page is a set of parameters, rendered with Pillow's own font when it is shown; there is no file. This module knows the
position of each row of each panel. Depends on Pillow; independent of questions (`infographics.py`) and of the source of
the numbers (`embedded_tables.py`).
"""

import functools
import hashlib
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

from pixel_env.boxes import Box
from pixel_env.samples.embedded_tables import number_in
from pixel_env.samples.scenes import COLOURS

COLUMNS, LINES = 2, 3
"""Panels per row and per column of the page."""
PANEL_SIZE = (740, 660)
ROW_HEIGHT = 44
MAX_ROWS = 10
HEADING_SIZE = 80
TYPE_SIZES = (13, 15)
"""Smallest and largest size of the small type; a digit is 0.7 of it high."""

_GAP = 40
_TITLE_HEIGHT = 180
_TITLE_SIZE = 110
_HEADING_HEIGHT = 110
_ROWS_TOP = 156
_LABEL_LEFT = 44
_CELLS_LEFT = 270
_BAR_LENGTH = 350
_SOURCE_SIZE = 12

PAGE_SIZE = (_GAP + COLUMNS * (PANEL_SIZE[0] + _GAP), _TITLE_HEIGHT + LINES * (PANEL_SIZE[1] + _GAP))
"""Width and height in pixels."""

Chart = Literal["bars", "table"]
Pixels = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart of a page.

    `rows`: a name and the numbers, as printed, from the top; a bar chart shows only the first number. `marked`: index
    of the row with a dot before its name.
    """

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    source: str
    chart: Chart
    colour: str
    marked: int


@dataclass(frozen=True, slots=True)
class Page:
    """The parameters: `paper` and `ink` are grey levels, `type_size` is the size of the small type in pixels."""

    title: str
    panels: tuple[Panel, ...]
    paper: int
    ink: int
    type_size: int

    def heading_box(self, index: int) -> Box:
        """The box of the heading of panel `index`."""
        left, top = panel_corner(index)
        return _box((left, top, left + PANEL_SIZE[0], top + _HEADING_HEIGHT))

    def row_box(self, index: int, row: int) -> Box:
        """The box of row `row` of panel `index`."""
        return _box(row_pixels(index, row))

    def rows_box(self, index: int) -> Box:
        """The box of all rows of panel `index` and of their column titles."""
        left, top = panel_corner(index)
        bottom = row_pixels(index, len(self.panels[index].rows) - 1)[3]
        return _box((left, top + _HEADING_HEIGHT, left + PANEL_SIZE[0], bottom))


def panel_corner(index: int) -> tuple[int, int]:
    """Left and top of panel `index`; panels count from left to right, then down."""
    line, column = divmod(index, COLUMNS)
    return _GAP + column * (PANEL_SIZE[0] + _GAP), _TITLE_HEIGHT + line * (PANEL_SIZE[1] + _GAP)


def row_pixels(index: int, row: int) -> Pixels:
    """Left, top, right and bottom of row `row` of panel `index`."""
    left, top = panel_corner(index)
    row_top = top + _ROWS_TOP + row * ROW_HEIGHT
    return left, row_top, left + PANEL_SIZE[0], row_top + ROW_HEIGHT


def cell_end(column: int, columns: int) -> int:
    """How far right of a panel's left edge the numbers of a table's column end."""
    return _CELLS_LEFT + (PANEL_SIZE[0] - _CELLS_LEFT - 20) * (column + 1) // columns


def _box(pixels: Pixels) -> Box:
    width, height = PAGE_SIZE
    return Box(pixels[0] / width, pixels[1] / height, pixels[2] / width, pixels[3] / height)


@dataclass(frozen=True, slots=True)
class PageSource:
    """A page as a source of pixels."""

    page: Page

    @property
    def key(self) -> str:
        """Hash of the parameters."""
        return hashlib.sha256(repr(self.page).encode()).hexdigest()

    def decode(self) -> Image.Image:
        """The page at native resolution."""
        page = self.page
        image = Image.new("RGB", PAGE_SIZE, (page.paper,) * 3)
        pen = ImageDraw.Draw(image)
        middle = (PAGE_SIZE[0] // 2, _TITLE_HEIGHT // 2)
        pen.text(middle, page.title, fill=(page.ink,) * 3, font=font(_TITLE_SIZE), anchor="mm")
        for index, panel in enumerate(page.panels):
            _draw_panel(pen, page, index, panel)
        return image


@functools.lru_cache(maxsize=16)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font."""
    return ImageFont.load_default(size)


def _draw_panel(pen: ImageDraw.ImageDraw, page: Page, index: int, panel: Panel) -> None:
    left, top = panel_corner(index)
    width, height = PANEL_SIZE
    ink, colour = (page.ink,) * 3, COLOURS[panel.colour]
    pen.rectangle((left, top, left + width - 1, top + height - 1), outline=colour, width=4)
    pen.rectangle((left, top, left + width - 1, top + _HEADING_HEIGHT - 1), fill=colour)
    on_colour = "black" if _luminance(colour) > 130 else "white"
    pen.text((left + 24, top + _HEADING_HEIGHT // 2), panel.heading, on_colour, font(HEADING_SIZE), "lm")
    small = font(page.type_size)
    names_y = top + (_HEADING_HEIGHT + _ROWS_TOP) // 2
    shown = panel.columns[:1] if panel.chart == "bars" else panel.columns
    for column, name in enumerate(shown):
        if panel.chart == "bars":
            pen.text((left + _CELLS_LEFT, names_y), name, ink, small, "lm")
        else:
            pen.text((left + cell_end(column, len(shown)), names_y), name, ink, small, "rm")
    largest = max(number_in(row[1]) for row in panel.rows)
    for number, row in enumerate(panel.rows):
        middle = row_pixels(index, number)[1] + ROW_HEIGHT // 2
        if number == panel.marked:
            pen.ellipse((left + 20, middle - 6, left + 32, middle + 6), fill=ink)
        pen.text((left + _LABEL_LEFT, middle), row[0], ink, small, "lm")
        if panel.chart == "bars":
            end = left + _CELLS_LEFT + max(2, round(_BAR_LENGTH * number_in(row[1]) / largest))
            pen.rectangle((left + _CELLS_LEFT, middle - 12, end, middle + 12), fill=colour)
            pen.text((end + 10, middle), row[1], ink, small, "lm")
            continue
        for column, cell in enumerate(row[1:]):
            pen.text((left + cell_end(column, len(shown)), middle), cell, ink, small, "rm")
    foot = f"Source: {panel.source}"
    pen.text((left + 24, top + height - 24), foot, ink, font(_SOURCE_SIZE), "lm")


def _luminance(colour: tuple[int, int, int]) -> float:
    """Grey level of `colour` (ITU-R BT.601)."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
