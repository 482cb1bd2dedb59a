"""Words for places against the box of the crop that they announce: "I crop the upper left corner".

Pure functions of a text and a box. Of several places one that fits is enough. A place fits if the centre of the box
lies on its side of the image, with some slack; so only what is plainly elsewhere is found. Depends on boxes and on what
a text announces (`announcements.py`); independent of tasks and episodes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pixel_env.boxes import Box
from synth.verification.announcements import announced

_SLACK = 0.08
"""How far beyond the middle of the image the centre of a "left" box may lie, as a share of the side."""
_OFF_CENTRE = 0.3
"""How far from the middle of the image the centre of a box in the middle may lie, as a share of the side."""
_LARGE = 0.5
"""A box with at least this share of a side is also on each side to which it nearly reaches."""
_MORE_THAN_HALF = 0.8
"""A box with more than this share of a side is no half of it."""

_ROWS = {"upper": 0, "top": 0, "lower": 2, "bottom": 2}
_COLUMNS = {"left": 0, "right": 2}
_MIDDLES = ("middle", "centre", "center", "central")
_SIDE = rf"(?:{'|'.join([*_ROWS, *_COLUMNS, *_MIDDLES])})(?:-?most)?"
_PART = r"(?:part|area|region|corner|half|third|quarter|quadrant|side|edge|end|portion|section|spot|zone|border)"
_WHOLE = r"(?:picture|image|photo(?:graph)?|frame|view|scene|page|screenshot|crop|screen|region|it|video|figure|chart)"
_PLACE = re.compile(
    rf"(?:\b(?:the|at|in|to|on|far|very)\s+|^)(?:(?:far|very|extreme)\s+)?"
    rf"({_SIDE})(?:[\s-]+({_SIDE}))?(?:[\s-]+hand)?(?:\s+({_PART}))?"
    rf"(\s+(?:of|in) (?:the |this |that |my )?(?:\w+ ){{0,2}}?{_WHOLE}\b|(?=\s*(?:[.,:;!?]|$)))?"
)
_COMPASS_SIDES = {"north": "upper", "south": "lower", "west": "left", "east": "right"}
_COMPASS = re.compile(r"\b(?:(north|south)-?(west|east)?|(west|east))(?:ern)?\b")
_HALVES = {"half": 0.55, "third": 0.45, "quarter": 0.42}
"""How far the centre of a box may lie from a side that is named with such a share."""


def misplaced(text: str, boxes: Sequence[Box]) -> str:
    """The place that a text announces, if it fits none of `boxes`, each the region on an image that it may mean."""
    named = list(_places(text))
    if named and not any(_fits(place, box) for place in named for box in boxes):
        return named[-1].words
    return ""


@dataclass(frozen=True, slots=True)
class _Place:
    words: str
    sides: tuple[str, ...]
    part: str


def _places(text: str) -> Iterator[_Place]:
    for rest in map(_with_sides, announced(text)):
        for match in _PLACE.finditer(rest):
            sides = tuple(side.removesuffix("most").removesuffix("-") for side in match.group(1, 2) if side)
            is_place = match[3] or match[4] is not None
            is_relation = re.match(r"\s+of\b", rest[match.end() :]) is not None  # "left of the door"
            if is_place and not is_relation:
                yield _Place(match.group().strip(), sides, match[3] or "")


def _with_sides(text: str) -> str:
    """The text with "upper left" for "north-west"."""
    return _COMPASS.sub(_sides, text)


def _sides(match: re.Match[str]) -> str:
    return " ".join(_COMPASS_SIDES[side] for side in match.groups() if side)


def _fits(place: _Place, box: Box) -> bool:
    rows = [_ROWS[side] for side in place.sides if side in _ROWS]
    columns = [_COLUMNS[side] for side in place.sides if side in _COLUMNS]
    is_middle = any(side in _MIDDLES for side in place.sides)
    row = rows[0] if rows else 1 if is_middle or not columns else None
    column = columns[0] if columns else 1 if is_middle or not rows else None
    if is_middle and place.part == "part" and not rows and not columns:
        row = column = 1
    return _on(row, box.y0, box.y1, place.part) and _on(column, box.x0, box.x1, place.part)


def _on(third: int | None, low: float, high: float, part: str) -> bool:
    """Whether an interval lies at the first (0), middle (1) or last (2) third of a side; None: anywhere."""
    if third is None:
        return True
    centre = (low + high) / 2
    if third == 1:
        return abs(centre - 0.5) <= _OFF_CENTRE or low <= 0.5 <= high
    if part in _HALVES and high - low > _MORE_THAN_HALF:
        return False
    from_side, nearest = (centre, low) if third == 0 else (1.0 - centre, 1.0 - high)
    return from_side <= _HALVES.get(part, 0.5 + _SLACK) or (high - low >= _LARGE and nearest <= 1.0 - _MORE_THAN_HALF)
