"""Rows in files: what is long and repeats stands once, what is empty not at all; and how two rows differ.

Knows JSON. Knows nothing of episodes.
"""

import hashlib
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import PIL

FOLDER = Path(__file__).parent / "recorded_episodes"
SHARED = "shared.json"
RECORDED_WITH = "recorded_with.json"
LONG_TEXT, LONG_PART = 40, 60
_AROUND = 100

Row = dict[str, Any]

_KEPT = {"sizes", "seed", "box", "frames", "image", "text"}


def plain(value: Any) -> Any:
    """`value` as JSON would bring it back, without what is empty (but for the parts of an action and its like)."""
    if isinstance(value, dict):
        whole = {key: plain(item) for key, item in value.items()}
        return {key: item for key, item in whole.items() if item not in (None, False, 0.0, "", []) or key in _KEPT}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return json.loads(json.dumps(value))


_REPEATED = {"action", "asked", "images", "schemas", "setting", "views"}


class Shared:
    """Long parts of rows by the beginning of their sha256; a text of several paragraphs is a list of them."""

    def __init__(self, table: dict[str, Any] | None = None) -> None:
        self.table = {} if table is None else table
        self._uses = Counter[str]()

    def shortened(self, value: Any) -> Any:
        """`value` with a mark for each long part; the parts are kept in the table."""
        match value:
            case dict():
                short = {key: self.shortened(item) for key, item in value.items()}
                return {k: self._marked(item, LONG_PART) if k in _REPEATED else item for k, item in short.items()}
            case list():
                return [self.shortened(item) for item in value]
            case str():
                assert not re.fullmatch("#[0-9a-f]{8}", value), f"{value!r} looks like a mark"
                if "\n\n" in value:
                    return self._marked({"paragraphs": self.shortened(value.split("\n\n"))}, 0)
                return self._marked(value, LONG_TEXT)
            case _:
                return value

    def _marked(self, value: Any, longest: int) -> Any:
        text = json.dumps(value)
        if len(text) <= longest:
            return value
        mark = "#" + hashlib.sha256(text.encode()).hexdigest()[:8]
        assert self.table.setdefault(mark, value) == value
        self._uses[mark] += 1
        return mark

    def with_single_parts(self, value: Any) -> Any:
        """`value`, which was shortened, with the parts that nothing else uses put back into their place."""
        match value:
            case dict():
                return {key: self.with_single_parts(item) for key, item in value.items()}
            case list():
                return [self.with_single_parts(item) for item in value]
            case str() if self._uses[value] == 1:
                return self.with_single_parts(self.table[value])
            case _:
                return value

    def lines(self) -> str:
        """The table without single parts, a line for each entry."""
        kept = {mark: self.with_single_parts(value) for mark, value in self.table.items() if self._uses[mark] > 1}
        lines = [f"{json.dumps(mark)}: {json.dumps(kept[mark])}" for mark in sorted(kept)]
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def whole(self, value: Any) -> Any:
        """The inverse of `shortened`."""
        match value:
            case {"paragraphs": parts}:
                return "\n\n".join(self.whole(parts))
            case dict():
                return {key: self.whole(item) for key, item in value.items()}
            case list():
                return [self.whole(item) for item in value]
            case str() if value in self.table:
                found = self.table[value]
                return found if isinstance(found, str) else self.whole(found)
            case _:
                return value


def recorded(file: str) -> Iterator[Row]:
    """The rows of one file of the folder."""
    shared = Shared(json.loads((FOLDER / SHARED).read_text()))
    for line in (FOLDER / file).read_text().splitlines():
        yield shared.whole(json.loads(line))


def write_files(rows: Mapping[str, Sequence[Row]]) -> None:
    """Writes each file's rows, and what they share, over what is in the folder."""
    shared = Shared()
    short = {file: [shared.shortened(plain(row)) for row in of_file] for file, of_file in rows.items()}
    FOLDER.mkdir(exist_ok=True)
    for file, of_file in short.items():
        lines = [json.dumps(shared.with_single_parts(row), separators=(",", ":")) + "\n" for row in of_file]
        (FOLDER / file).write_text("".join(lines))
    (FOLDER / SHARED).write_text(shared.lines())
    (FOLDER / RECORDED_WITH).write_text(json.dumps({"pillow": PIL.__version__}) + "\n")


def recorded_with() -> str:
    """The version of Pillow that made the recorded pictures."""
    return json.loads((FOLDER / RECORDED_WITH).read_text())["pillow"]


def without_pixels(value: Any) -> Any:
    """`value` with the sizes of pictures alone."""
    match value:
        case dict():
            return {key: without_pixels(item) for key, item in value.items()}
        case list():
            return [without_pixels(item) for item in value]
        case str():
            return re.sub("^([0-9]+x[0-9]+):[0-9a-f]{16}$", r"\1", value)
        case _:
            return value


def difference(expected: Any, found: Any, place: str = "") -> str | None:
    """The first place at which two values differ, with both; None if they are the same."""
    if isinstance(expected, dict) and isinstance(found, dict):
        pairs = [(f"{place}.{key}", expected.get(key), found.get(key)) for key in {**expected, **found}]
    elif isinstance(expected, list) and isinstance(found, list):
        both = itertools.zip_longest(expected, found)
        pairs = [(f"{place}[{at}]", *pair) for at, pair in enumerate(both)]
    elif expected == found and type(expected) is type(found):
        return None
    else:
        start = _first_difference(expected, found)
        return f"{place.lstrip('.')} was{_told(expected, start)}\nand is now{_told(found, start)}"
    return next((told for at, one, other in pairs if (told := difference(one, other, at)) is not None), None)


def _first_difference(expected: Any, found: Any) -> int:
    if not (isinstance(expected, str) and isinstance(found, str)):
        return 0
    return next((at for at, (one, other) in enumerate(zip(expected, found, strict=False)) if one != other), 0)


def _told(value: Any, start: int) -> str:
    """`value`; of a long text what stands around `start`."""
    if not isinstance(value, str) or len(value) <= 2 * _AROUND:
        return f" {value!r}"
    first = max(0, start - _AROUND)
    return f" (from character {first}) {value[first : start + _AROUND]!r}"
