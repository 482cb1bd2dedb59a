"""Values of flags and keys: a word of the command line or a value of a YAML file as the type that its field declares.

Depends on type annotations; independent of argparse, of files and of what a field means.
"""

import difflib
import json
import math
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any


@dataclass(frozen=True, slots=True)
class Bounds:
    """The smallest and the largest number that a field takes, both included unless `above`; None for no bound.

    Stands in the field's annotation: `max_turns: Annotated[int, Bounds(least=1)]`. No field takes nan or infinity.
    """

    least: float | None = None
    most: float | None = None
    above: bool = False
    """`least` itself is not taken."""

    def __str__(self) -> str:
        least = "" if self.least is None else f"{'above' if self.above else 'at least'} {self.least:g}"
        most = "" if self.most is None else f"at most {self.most:g}"
        return " and ".join(filter(None, (least, most)))

    def hold(self, number: float) -> bool:
        """Whether `number` is finite and within the bounds."""
        if not math.isfinite(number) or (self.above and number == self.least):
            return False
        return (self.least is None or number >= self.least) and (self.most is None or number <= self.most)


@dataclass(frozen=True, slots=True)
class NameOf:
    """Stands in the annotation of a field whose value is a name: `find` raises UnknownNameError for an unknown one."""

    find: Callable[[str], object]


AtLeastOne = Annotated[int, Bounds(least=1)]
AtLeastZero = Annotated[int, Bounds(least=0)]
NotNegative = Annotated[float, Bounds(least=0)]
Positive = Annotated[float, Bounds(least=0, above=True)]
Share = Annotated[float, Bounds(least=0, most=1)]
Port = Annotated[int, Bounds(least=1, most=65535)]

UNBOUNDED = Bounds()
_LARGEST = 2**63 - 1
"""No sequence is longer, and no random generator of the libraries that we use takes a larger seed."""


def without_none(kind: Any) -> tuple[Any, bool]:
    """The type without `| None`, and whether it had it."""
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        members = tuple(member for member in typing.get_args(kind) if member is not type(None))
        return (members[0] if len(members) == 1 else typing.Union[members]), len(members) < len(typing.get_args(kind))  # noqa: UP007
    return kind, False


def bare(kind: Any) -> Any:
    """The type without `| None` and without what `Annotated` adds to it."""
    inner = without_none(kind)[0]
    return typing.get_args(inner)[0] if typing.get_origin(inner) is Annotated else inner


def read_value(value: object, kind: Any) -> Any:
    """`value`, a word or what YAML made of it, as a `kind`. Raises ValueError, whose message says what is wanted.

    Kinds: bool, int, float, str, Path, Literal, mappings, tuples of one of these, any of them or None, and Annotated
    with Bounds or NameOf. Raises UnknownNameError for an unknown name.
    """
    inner, optional = without_none(kind)
    if value is None and optional:
        return None
    limits = typing.get_args(inner)[1:] if typing.get_origin(inner) is Annotated else ()
    inner = bare(kind)
    if typing.get_origin(inner) is tuple:
        if not isinstance(value, list | tuple):
            raise ValueError("a list")
        return tuple(read_value(item, typing.get_args(inner)[0]) for item in value)
    if typing.get_origin(inner) is typing.Literal:
        return _choice(value, typing.get_args(inner))
    if inner is bool:
        return _bool(value)
    if inner in (int, float):
        return _number(value, inner, next((limit for limit in limits if isinstance(limit, Bounds)), UNBOUNDED))
    if _is_mapping(inner):
        return _mapping(value)
    if value is None or isinstance(value, bool | list | dict):
        raise ValueError("a text; put it in quotes")
    for name in (limit for limit in limits if isinstance(limit, NameOf)):
        name.find(str(value))
    return inner(str(value))


def _is_mapping(kind: Any) -> bool:
    return dict in {typing.get_origin(member) or member for member in (kind, *typing.get_args(kind))}


def _mapping(value: object) -> object:
    try:
        mapping = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        mapping = None
    if not isinstance(mapping, dict):
        raise ValueError("a mapping, in YAML or as JSON")
    return mapping


def _bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    known = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}
    if isinstance(value, str) and value.lower() in known:
        return known[value.lower()]
    raise ValueError("true or false")


def _number(value: object, kind: type[int] | type[float], bounds: Bounds) -> float:
    wanted = ", ".join(filter(None, ("a whole number" if kind is int else "a number", str(bounds))))
    try:
        # Not bool, which is an int to Python, and no fraction for a whole number. YAML reads 3e-4 as a text.
        number = kind(value) if isinstance(value, str | int | kind) and not isinstance(value, bool) else None
        if isinstance(number, int) and abs(number) > _LARGEST:
            wanted += f", at most {_LARGEST}"
        elif number is not None and bounds.hold(number):
            return number
    except (ValueError, OverflowError):
        pass
    raise ValueError(wanted)


def _choice(value: object, choices: tuple[Any, ...]) -> Any:
    if value in choices and not isinstance(value, bool):
        return value
    close = difflib.get_close_matches(str(value), [str(choice) for choice in choices], n=1)
    hint = f". Did you mean {close[0]}?" if close else ""
    raise ValueError(f"{', '.join(map(str, choices[:-1]))} or {choices[-1]}{hint}")
