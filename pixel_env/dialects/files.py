"""A dialect as plain data and as a YAML file: `--dialect my.yaml`.

    # my.yaml: what differs from a row of the table
    base: qwen3-vl
    calls: {syntax: json, opening: <zoom>, closing: </zoom>, bare: crop_image}
    coordinates: {unit: fraction}
    edges: {overhang: .inf, rounding: down}
    ignored_keys: [label]
    default_image: 0
    stop: [</zoom>]

A key is a field of `Dialect`; a value that is left out is that of `base`, or the field's own default. Depends on the
parts of a dialect; independent of the rows of the table, which the caller passes in.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from pixel_env.dialects.argument_calls import ArgumentCalls
from pixel_env.dialects.call_syntax import CallSyntax
from pixel_env.dialects.dialect import Dialect, Wording, checked_operations
from pixel_env.dialects.integer_calls import IntegerCalls
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.phrase_calls import PhraseCalls
from pixel_env.dialects.xml_calls import XmlCalls
from pixel_env.edges import Edges
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.import_callable import imported
from pixel_env.operations.coordinates import Coordinates, ImageNames
from pixel_env.views import ViewBudgets

SUFFIXES = (".yaml", ".yml")
"""How the name of a dialect that is a file ends."""

SYNTAXES: dict[str, type[Any]] = {
    "json": JsonCalls,
    "xml": XmlCalls,
    "arguments": ArgumentCalls,
    "phrases": PhraseCalls,
    "integers": IntegerCalls,
}
"""The call syntaxes that ship, by the name that a file gives. One of your own is named as 'module:Class'."""

_PARTS: dict[str, type[Any]] = {
    "coordinates": Coordinates,
    "edges": Edges,
    "image_names": ImageNames,
    "wording": Wording,
}


def dialect_to_row(dialect: Dialect) -> dict[str, Any]:
    """`dialect` as JSON values, complete: `dialect_from_row` is the inverse.

    Raises ConfigError for a call syntax that is not a dataclass.
    """
    row: dict[str, Any] = {}
    for field in dataclasses.fields(Dialect):
        value = getattr(dialect, field.name)
        if field.name == "calls":
            row["calls"] = {"syntax": _name_of(value), **_plain(dataclasses.asdict(value))}
        elif field.name == "budgets":
            row["budgets"] = value.to_row()
        else:
            row[field.name] = _plain(value if field.name not in _PARTS or value is None else dataclasses.asdict(value))
    return row


def dialect_from_row(row: Mapping[str, Any], where: str, base: Callable[[str], Dialect]) -> Dialect:
    """The dialect that `row` describes; `where` names it in messages, `base` finds a dialect by its name.

    Raises ConfigError or UnknownNameError, with the key, for what is missing, unknown or of another type.
    """
    given = dict(row)
    known = [field.name for field in dataclasses.fields(Dialect)]
    for key in given:
        if key not in (*known, "base"):
            raise UnknownNameError.among("key of a dialect", str(key), [*known, "base"], f"It stands in {where}.")
    start = None if (name := given.pop("base", None)) is None else base(str(name))
    values = {key: _value(key, value, start, where) for key, value in given.items()}
    values.setdefault("name", where)
    missing = [key for key in ("calls", "coordinates", "budgets") if start is None and key not in values]
    if missing:
        raise ConfigError(
            f"{where} has no {', '.join(missing)}. Give them, or `base: NAME` with the dialect that it is a variant of."
        )
    try:
        dialect = Dialect(**values) if start is None else dataclasses.replace(start, **values)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from error
    return checked_operations(dialect)


def read_dialect(path: Path, base: Callable[[str], Dialect]) -> Dialect:
    """The dialect in a YAML file; its name is the file's path. Raises ConfigError for a file that cannot be read."""
    try:
        row = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the dialect {path}: {error.strerror}. Give the path of a YAML file.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"the dialect {path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(row, dict):
        raise ConfigError(f"the dialect {path} holds {_kind(row)}; wanted: keys and values, such as `base: qwen3-vl`")
    if "name" in row:
        raise ConfigError(f"the dialect {path} has a key 'name'. Leave it out: the file's path is its name.")
    return dialect_from_row(row, str(path), base)


def dialect_text(dialect: Dialect) -> str:
    """`dialect` as the text of a YAML file, complete; `read_dialect` reads it back under the file's name."""
    row = {key: value for key, value in dialect_to_row(dialect).items() if key != "name"}
    return yaml.safe_dump(row, sort_keys=False, allow_unicode=True, width=100)


def _name_of(calls: CallSyntax) -> str:
    """The name of a call syntax in a file."""
    for name, syntax in SYNTAXES.items():
        if type(calls) is syntax:
            return name
    if not dataclasses.is_dataclass(calls):
        raise ConfigError(
            f"the call syntax {type(calls).__name__} is not a dataclass, so it cannot be written to a file"
        )
    return f"{type(calls).__module__}:{type(calls).__qualname__}"


def _value(key: str, value: Any, start: Dialect | None, where: str) -> Any:
    """The value of the field `key` of a dialect, from plain data."""
    if key == "calls":
        return _calls(value, where)
    if key == "budgets":
        try:
            return ViewBudgets.from_row(value)
        except (TypeError, ValueError, AttributeError) as error:
            raise ConfigError(
                f"'budgets' in {where} cannot be read: {error}. Write them as `dialect show` does."
            ) from error
    if key in _PARTS and not (key == "image_names" and value is None):
        return _part(_PARTS[key], value, None if start is None else getattr(start, key), f"{key!r} in {where}")
    return _checked(key, value, typing.get_type_hints(Dialect)[key], where)


def _calls(value: Any, where: str) -> Any:
    if not isinstance(value, dict) or "syntax" not in value:
        raise ConfigError(
            f"'calls' in {where} is {value!r}; wanted: {{syntax: NAME, ...}}, NAME of {', '.join(SYNTAXES)}"
        )
    given = dict(value)
    name = str(given.pop("syntax"))
    if name not in SYNTAXES and ":" not in name:
        advice = f"It stands in {where}. Your own is named as 'module:Class'."
        raise UnknownNameError.among("call syntax", name, SYNTAXES, advice)
    return _part(SYNTAXES.get(name) or imported(name, "call syntax"), given, None, f"'calls' in {where}")


def _part(kind: type[Any], value: Any, start: Any, where: str) -> Any:
    """A dataclass of `kind` from its fields; those that are left out are those of `start`, or the defaults."""
    if not isinstance(value, dict):
        raise ConfigError(f"{where} is {value!r}; wanted: the fields of {kind.__name__}, as keys and values")
    hints, fields = typing.get_type_hints(kind), dataclasses.fields(kind)
    names = [field.name for field in fields]
    for name in value:
        if name not in names:
            raise UnknownNameError.among(f"field of {kind.__name__}", str(name), names, f"It stands in {where}.")
    given = {name: _checked(name, one, hints[name], where) for name, one in value.items()}
    required = [field.name for field in fields if _has_no_default(field) and start is None]
    if missing := [name for name in required if name not in given]:
        raise ConfigError(f"{where} lacks {', '.join(missing)}")
    return kind(**given) if start is None else dataclasses.replace(start, **given)


def _has_no_default(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _checked(name: str, value: Any, hint: Any, where: str) -> Any:
    """`value` as the type that `hint` wants. Raises ConfigError for another type."""
    typed = _typed(value, hint)
    if typed is _WRONG:
        wanted = str(hint).replace("typing.", "").replace("collections.abc.", "")
        wanted = hint.__name__ if isinstance(hint, type) else wanted
        raise ConfigError(f"{name!r} is {value!r}, {_kind(value)}; wanted: {wanted}. It stands in {where}.")
    return typed


_WRONG = object()


def _typed(value: Any, hint: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return value if value in arguments else _WRONG
    if origin in (typing.Union, types.UnionType):
        return next((typed for one in arguments if (typed := _typed(value, one)) is not _WRONG), _WRONG)
    if hint is types.NoneType:
        return None if value is None else _WRONG
    if origin is tuple:
        return _typed_tuple(value, arguments)
    if origin is not None:  # the mappings of texts to texts
        if not isinstance(value, dict) or not all(isinstance(one, str) for pair in value.items() for one in pair):
            return _WRONG
        return dict(value)
    if hint is float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if is_number else _WRONG
    is_right = isinstance(value, hint) and (hint is bool or not isinstance(value, bool))
    return value if is_right else _WRONG


def _typed_tuple(value: Any, arguments: tuple[Any, ...]) -> Any:
    if not isinstance(value, list | tuple):
        return _WRONG
    kinds = [arguments[0]] * len(value) if arguments[1:] == (...,) else list(arguments)
    if len(kinds) != len(value):
        return _WRONG
    typed = tuple(_typed(one, kind) for one, kind in zip(value, kinds, strict=True))
    return _WRONG if _WRONG in typed else typed


def _kind(value: Any) -> str:
    names = {
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "a mapping",
    }
    return "nothing" if value is None else names.get(type(value), f"a {type(value).__name__}")


def _plain(value: Any) -> Any:
    """`value` as JSON and YAML hold it: tuples as lists, mappings as dicts."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple | list) else value
