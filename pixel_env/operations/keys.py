"""A dialect's own keys of arguments: other names, ignored keys, boxes of four keys, constant arguments.

Depends on declared arguments and conventions; independent of the syntax that a call is written in.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pixel_env.operations.argument_kinds import Region
from pixel_env.operations.arguments import is_number
from pixel_env.operations.coordinates import Convention
from pixel_env.operations.list_keys import list_name
from pixel_env.operations.operation import Operation

ANY_KEY = "*"
"""In ignored keys: all keys that are no argument's."""

BoxKeys = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class OperationKeys:
    """The keys of one operation's calls: `names` from each key to its field, the four of a `box`, and `constants`.

    `are_plain`: every key of a call is that of a field, so that a call is read as it is given.
    """

    names: Mapping[str, str]
    box: BoxKeys | tuple[()]
    constants: Mapping[str, str]
    are_plain: bool


@dataclass(frozen=True, slots=True)
class Keys:
    """A dialect's own keys of arguments.

    `names`: from a field's name ("box"), or "operation.field", to the key in a call. `ignored`: keys that a call may
    have and that mean nothing here, such as `label`; "*" for all that are no argument's. `box`: four keys of the left
    edge, the top edge, the width and the height, instead of one key with a list of corners; "box[0]" to "box[3]" are
    the items of one list. `constants`: arguments that mean nothing here, from "operation.key" to their text, such as
    the `action` of a tool with one action; a call without them, or with another text, is refused.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    box: BoxKeys | None = None
    constants: Mapping[str, str] = field(default_factory=dict)
    _made: dict[type[Operation], OperationKeys] = field(default_factory=dict, init=False, repr=False, compare=False)

    def of_calls(self, operation: type[Operation]) -> OperationKeys:
        """All keys of the operation's calls, made once."""
        if (made := self._made.get(operation)) is None:
            names = {self.of(operation, name): name for name in operation.arguments()}
            box, constants = self.of_boxes(operation), self.constants_of(operation)
            are_plain = not (self.ignored or box or constants or any(list_name(key) != key for key in names))
            made = self._made[operation] = OperationKeys(names, box, constants, are_plain)
        return made

    def of(self, operation: type[Operation], name: str) -> str:
        """The key of the argument `name` in a call."""
        return self.names.get(f"{operation.name}.{name}", self.names.get(name, operation.arguments()[name].key))

    def merged(self, operation: type[Operation], given: Mapping[str, Any], convention: Convention) -> dict[str, Any]:
        """`given` without ignored keys, and with a box's four keys as one list of corners."""
        constants = self.constants_of(operation)
        ignored = set(self.ignored)
        if ANY_KEY in ignored:
            known = {self.of(operation, name) for name in operation.arguments()} | set(self.box or ())
            ignored |= set(given) - known
        kept = {key: value for key, value in given.items() if key not in ignored and key not in constants}
        for name in self._regions(operation):
            if self.box is not None and all(key in kept for key in self.box):
                values = [kept.pop(key) for key in self.box]
                x, y, width, height = (
                    [number_or_text(value) for value in values] if convention.digits_as_text else values
                )
                if is_number(x) and is_number(y) and is_number(width) and is_number(height):
                    values = [x, y, _sum(x, width), _sum(y, height)]
                kept[self.of(operation, name)] = values
        return kept

    def split(self, operation: type[Operation], arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The inverse of `merged`."""
        written = dict(arguments)
        for name in self._regions(operation):
            if self.box is not None:
                x0, y0, x1, y1 = written.pop(self.of(operation, name))
                written |= dict(zip(self.box, (x0, y0, _difference(x1, x0), _difference(y1, y0)), strict=True))
        return written | self.constants_of(operation)

    def constants_of(self, operation: type[Operation]) -> dict[str, str]:
        """The constants of `operation`, by key."""
        prefix = f"{operation.name}."
        return {key.removeprefix(prefix): text for key, text in self.constants.items() if key.startswith(prefix)}

    def of_boxes(self, operation: type[Operation]) -> BoxKeys | tuple[()]:
        """The four keys of a box, if the operation has one."""
        return self.box if self.box is not None and self._regions(operation) else ()

    def _regions(self, operation: type[Operation]) -> list[str]:
        return [name for name, kind in operation.arguments().items() if isinstance(kind, Region)]


def _sum(start: float, length: float) -> float:
    try:
        return start + length
    except OverflowError:  # a whole number beyond all floats
        return math.inf


def _difference(end: float, start: float) -> float:
    return round(end - start, 4)


_DIGITS = re.compile(r"\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*")


def number_or_text(value: Any) -> Any:
    """The number that a text of digits spells; any other value as it is."""
    if not isinstance(value, str) or len(value) > 32 or not _DIGITS.fullmatch(value):
        return value
    number = float(value)
    return int(number) if number.is_integer() else number
