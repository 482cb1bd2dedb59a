"""A call's arguments as an operation, and back: `read_call`, `write_call`, `schema_of`.

Depends on declared arguments and conventions; independent of the syntax that a call is written in.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pixel_env.failures import Failure, FailureCode
from pixel_env.operations.argument_kinds import ImageNumber, Region
from pixel_env.operations.arguments import is_number
from pixel_env.operations.coordinates import Convention
from pixel_env.operations.operation import Operation

BoxKeys = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Keys:
    """A dialect's own keys of arguments.

    `names`: from a field's name ("box"), or "operation.field", to the key in a call. `ignored`: keys that a call may
    have and that mean nothing here, such as `label`. `box`: four keys of the left edge, the top edge, the width and the
    height, instead of one key with a list of corners.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    box: BoxKeys | None = None

    def of(self, operation: type[Operation], name: str) -> str:
        """The key of the argument `name` in a call."""
        return self.names.get(f"{operation.name}.{name}", self.names.get(name, operation.arguments()[name].key))

    def merged(self, operation: type[Operation], given: Mapping[str, Any], convention: Convention) -> dict[str, Any]:
        """`given` without ignored keys, and with a box's four keys as one list of corners."""
        kept = {key: value for key, value in given.items() if key not in self.ignored}
        for name in self._regions(operation):
            if self.box is not None and all(key in kept for key in self.box):
                values = [kept.pop(key) for key in self.box]
                x, y, width, height = [_number(value) for value in values] if convention.digits_as_text else values
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
        return written

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


def read_call(
    operation: type[Operation], given: object, convention: Convention, keys: Keys, called: str
) -> Operation | Failure:
    """The operation that a call with the arguments `given` requests; `called`: its name in the dialect."""
    declared = operation.arguments()
    optional = _optional(operation, convention)
    names = {keys.of(operation, name): name for name in declared}
    expected = _expected(operation, keys, called, optional)
    if not isinstance(given, dict):
        return expected
    given = keys.merged(operation, given, convention)
    if unknown := [key for key in given if key not in names]:
        # Some of the four keys of a box, without the others, are no keys that the operation does not have.
        named = [key for key in unknown if key not in keys.of_boxes(operation)]
        return Failure(expected.code, f"{expected.message} It has no {_shortened(named[0])}.") if named else expected
    values = {names[key]: _adapted(declared[names[key]], value, convention) for key, value in given.items()}
    if not set(values) | set(optional) >= set(declared):
        return expected
    if any(_is_unknown_name(declared[name], value, convention) for name, value in values.items()):
        return _no_image_of_that_name(convention)
    if not all(declared[name].is_well_formed(value) for name, value in values.items()):
        return expected
    # The image first: pixel coordinates depend on its size.
    image_field = operation.image_field()
    read: dict[str, Any] = {}
    for name in sorted(values, key=lambda name: name != image_field):
        image = read.get(image_field or "", optional.get(image_field or "", 0))
        value = declared[name].read(values[name], convention, image)
        if isinstance(value, Failure):
            return value
        read[name] = value
    return operation(**(optional | read))


def write_call(operation: Operation, convention: Convention, keys: Keys) -> dict[str, Any]:
    """The arguments of a call for `operation`, by key; arguments with their default value are left out."""
    optional = _optional(type(operation), convention)
    image = operation.image_number or 0
    written = {
        keys.of(type(operation), name): kind.write(getattr(operation, name), convention, image)
        for name, kind in operation.arguments().items()
        if name not in optional or getattr(operation, name) != optional[name]
    }
    return keys.split(type(operation), written)


def schema_of(operation: type[Operation], convention: Convention, keys: Keys, called: str) -> dict[str, Any]:
    """The operation as a JSON schema (OpenAI function format)."""
    declared, optional = operation.arguments(), _optional(operation, convention)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for name, kind in declared.items():
        schema, of_argument = kind.schema(convention), [keys.of(operation, name)]
        if isinstance(kind, Region) and keys.box is not None:
            of_argument = list(keys.box)
            sides = ("left edge", "top edge", "width", "height")
            described = convention.coordinates.described()
            schemas = [{"type": "number", "description": f"The region's {side}. {described}"} for side in sides]
        else:
            schemas = [schema]
        properties |= dict(zip(of_argument, schemas, strict=True))
        required += [] if name in optional else of_argument
    parameters = {"type": "object", "properties": properties, "required": required}
    return {
        "type": "function",
        "function": {"name": called, "description": operation.description, "parameters": parameters},
    }


def _optional(operation: type[Operation], convention: Convention) -> dict[str, Any]:
    """The arguments that a call may leave out, with the values that they then have."""
    default = convention.default_image
    images = [name for name, kind in operation.arguments().items() if isinstance(kind, ImageNumber)]
    return operation.optional() | ({} if default is None else dict.fromkeys(images, default))


_DIGITS = re.compile(r"\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*")


def _adapted(kind: Any, value: object, convention: Convention) -> object:
    adapted = kind.adapted(value, convention)
    if not convention.digits_as_text or kind.is_well_formed(adapted):
        return adapted
    return [_number(item) for item in adapted] if isinstance(adapted, list) else _number(adapted)


def _number(value: Any) -> Any:
    """The number that a text of digits spells; any other value as it is."""
    if not isinstance(value, str) or len(value) > 32 or not _DIGITS.fullmatch(value):
        return value
    number = float(value)
    return int(number) if number.is_integer() else number


def _is_unknown_name(kind: Any, value: object, convention: Convention) -> bool:
    return isinstance(kind, ImageNumber) and convention.image_names is not None and isinstance(value, str)


def _no_image_of_that_name(convention: Convention) -> Failure:
    names, first = convention.image_names, convention.first_index
    assert names is not None
    listed = f"{names.name_of(0, first)}, {names.name_of(1, first)}, ..."
    return Failure(FailureCode.NO_SUCH_IMAGE, f"There is no image of that name; images are called {listed}")


def _shortened(key: object) -> str:
    text = repr(str(key))
    return text if len(text) <= 42 else f"{text[:40]}...'"


def _expected(operation: type[Operation], keys: Keys, called: str, optional: Mapping[str, Any]) -> Failure:
    parts = []
    for name, kind in operation.arguments().items():
        can_be_left_out = ", optional" if name in optional else ""
        if isinstance(kind, Region) and keys.box is not None:
            parts += [f"{key} (a number{can_be_left_out})" for key in keys.box]
        else:
            parts.append(f"{keys.of(operation, name)} ({kind.expected}{can_be_left_out})")
    listed = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts) or "no arguments"
    return Failure(FailureCode.BAD_ARGUMENTS, f"The call cannot be read: {called} takes {listed}.")
