"""A dialect as plain data and as a YAML file: `--dialect my.yaml`.

    # my.yaml: what differs from a row of the table
    base: qwen3-vl
    calls: {syntax: json, opening: <zoom>, closing: </zoom>, bare: crop_image}
    coordinates: {unit: fraction}
    edges: {overhang: .inf, rounding: down}
    ignored_keys: [label]
    default_image: 0
    stop: [</zoom>]

A key is a field of `Dialect`; a value that is left out is that of `base`, or the field's own default. `base` is the
name of any dialect; that of a file is relative to the folder of the file in which it stands. Depends on the parts of a
dialect; independent of the rows of the table, which the caller passes in.
"""

import dataclasses
import re
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from pixel_env.dialects.argument_calls import ArgumentCalls
from pixel_env.dialects.call_syntax import CallSyntax
from pixel_env.dialects.checks import checked_operations
from pixel_env.dialects.dialect import Dialect, Wording
from pixel_env.dialects.integer_calls import IntegerCalls
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.phrase_calls import PhraseCalls
from pixel_env.dialects.plain_values import checked_value, kind_of, plain
from pixel_env.dialects.xml_calls import XmlCalls
from pixel_env.edges import Edges
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.import_callable import imported
from pixel_env.operations.coordinates import Coordinates, ImageNames
from pixel_env.operations.frame_rule import FrameRule
from pixel_env.views import ViewBudgets

SUFFIXES = (".yaml", ".yml")
"""How the name of a dialect that is a file ends."""

_FILE = re.compile(rf"(.+?(?:{'|'.join(map(re.escape, SUFFIXES))}))((?:[:+].*)?)", re.DOTALL)

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
    "frames": FrameRule,
    "image_names": ImageNames,
    "wording": Wording,
}


def file_in(name: str) -> tuple[Path, str] | None:
    """The file that a dialect's name begins with, and what follows it, such as ":notool"; None if it is no file."""
    match = _FILE.fullmatch(name)
    return None if match is None else (Path(match[1]), match[2])


def dialect_to_row(dialect: Dialect) -> dict[str, Any]:
    """`dialect` as JSON values, complete: `dialect_from_row` is the inverse.

    Raises ConfigError for a call syntax that is not a dataclass.
    """
    row: dict[str, Any] = {}
    for field in dataclasses.fields(Dialect):
        value = getattr(dialect, field.name)
        if field.name == "calls":
            row["calls"] = {"syntax": _name_of(value), **plain(dataclasses.asdict(value))}
        elif field.name == "budgets":
            row["budgets"] = value.to_row()
        else:
            row[field.name] = plain(value if field.name not in _PARTS or value is None else dataclasses.asdict(value))
    return row


def dialect_from_row(row: Mapping[str, Any], where: str, base: Callable[[str], Dialect]) -> Dialect:
    """The dialect that `row` describes; `where` names it in messages, `base` finds a dialect by its name.

    Raises ConfigError or UnknownNameError, with the key, for what is missing, unknown or of another type.
    """
    given = dict(row)
    known = [field.name for field in dataclasses.fields(Dialect)]
    for key in given:
        if key not in (*known, "base"):
            names = [*known[1:], "base"]  # without the name, which is the file's path
            raise UnknownNameError.among("key of a dialect", str(key), names, f"It stands in {where}.")
    start = None if (name := given.pop("base", None)) is None else _base(str(name), where, base)
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
    row = _row_in(path)
    if "name" in row:
        raise ConfigError(f"the dialect {path} has a key 'name'. Leave it out: the file's path is its name.")
    return dialect_from_row(row, str(path), lambda name: base(_beside(path, name)))


class _Loader(yaml.SafeLoader):
    """PyYAML's, which silently keeps the last of two values of one key; here that is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(problem="a key is not a text", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"{key.value} is set twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _row_in(path: Path) -> dict[Any, Any]:
    try:
        row = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except OSError as error:
        raise ConfigError(f"cannot read the dialect {path}: {error.strerror}. Give the path of a YAML file.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"the dialect {path} is not text in UTF-8. Save it as UTF-8.") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}," if mark else ""
        raise ConfigError(f"the dialect {path}{where} is not valid YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a control sign, an invalid date, deep nesting
        raise ConfigError(f"the dialect {path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(row, dict):
        raise ConfigError(f"the dialect {path} holds {kind_of(row)}; wanted: keys and values, such as `base: qwen3-vl`")
    return row


def _beside(path: Path, name: str) -> str:
    """The name of a base as it stands in the file `path`: one that is a file is relative to its folder."""
    return name if file_in(name) is None else str(path.parent / name)


def _base(name: str, where: str, base: Callable[[str], Dialect]) -> Dialect:
    try:
        return base(name)
    except UnknownNameError as error:
        raise UnknownNameError(f"The base of {where} is unknown: {error}") from error


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
        return _budgets(value, start, where)
    if key in _PARTS and not (key == "image_names" and value is None):
        return _part(_PARTS[key], value, None if start is None else getattr(start, key), f"{key!r} in {where}")
    return checked_value(key, value, typing.get_type_hints(Dialect)[key], where)


def _budgets(value: Any, start: Dialect | None, where: str) -> ViewBudgets:
    """Pixel budgets; kinds of views, numbers of a kind, and colours that are left out are those of `start`."""
    try:
        given = dict({} if start is None else start.budgets.to_row())
        for kind, budget in value.items():
            is_whole = budget is None or kind == "colors"
            given[kind] = budget if is_whole else {**(given.get(kind) or {}), **budget}
        return ViewBudgets.from_row(given)
    except (TypeError, ValueError, AttributeError) as error:
        raise ConfigError(
            f"'budgets' in {where} cannot be read: {error}. Write them as `pixel-env dialect show NAME --yaml` does."
        ) from error


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
    return _part(SYNTAXES[name] if name in SYNTAXES else _own_syntax(name), given, None, f"'calls' in {where}")


def _own_syntax(name: str) -> type[Any]:
    syntax = imported(name, "call syntax")
    verbs = ("parse", "write", "can_say", "tool_text", "without_call")
    if not isinstance(syntax, type) or not dataclasses.is_dataclass(syntax):
        raise ConfigError(f"The call syntax {name!r} is no dataclass. Put @dataclass(frozen=True) above a class.")
    if missing := [verb for verb in verbs if not hasattr(syntax, verb)]:
        raise ConfigError(f"The call syntax {name!r} has no {', '.join(missing)}. Give it all of CallSyntax.")
    return syntax


def _part(kind: type[Any], value: Any, start: Any, where: str) -> Any:
    """A dataclass of `kind` from its fields; those that are left out are those of `start`, or the defaults."""
    if not isinstance(value, dict):
        raise ConfigError(f"{where} is {value!r}; wanted: the fields of {kind.__name__}, as keys and values")
    hints, fields = typing.get_type_hints(kind), dataclasses.fields(kind)
    names = [field.name for field in fields]
    for name in value:
        if name not in names:
            raise UnknownNameError.among(f"field of {kind.__name__}", str(name), names, f"It stands in {where}.")
    given = {name: checked_value(name, one, hints[name], where) for name, one in value.items()}
    required = [field.name for field in fields if _has_no_default(field) and start is None]
    if missing := [name for name in required if name not in given]:
        raise ConfigError(f"{where} lacks {', '.join(missing)}")
    return kind(**given) if start is None else dataclasses.replace(start, **given)


def _has_no_default(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
