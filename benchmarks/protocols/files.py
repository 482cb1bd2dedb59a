"""A protocol as plain data and as a YAML file: `--protocol my.yaml`.

    # my.yaml: what differs from a row of the table
    base: mini-o3
    dialect: my_dialect.yaml
    limits: {max_turns: 6}
    truncation: {top_p: 0.9}
    samples: 4
    retries: {count: 3, temperature: 1.0}

A key is a field of `Protocol`; a value that is left out is that of `base`, or the field's own default. The name is the
file's path; a dialect that is a file is relative to the working folder, a base to the folder of this file. Depends on
the parts of a protocol; independent of the table, which the caller passes in.
"""

import dataclasses
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agents.config.yaml_file import read_settings
from agents.engines.protocol import Truncation
from benchmarks.protocols.fields import FIELDS, shown
from benchmarks.protocols.protocol import PromptText, Protocol, Published, Retries
from pixel_env.dialects.plain_values import checked_value, kind_of, plain
from pixel_env.episode import Limits
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.views import ViewBudgets

SUFFIXES = (".yaml", ".yml")
"""How the name of a protocol that is a file ends."""

_PARTS: dict[str, type[Any]] = {"limits": Limits, "truncation": Truncation, "retries": Retries}


def protocol_to_row(protocol: Protocol) -> dict[str, Any]:
    """`protocol` as JSON values, complete: `protocol_from_row` is the inverse."""
    row: dict[str, Any] = {}
    for field in dataclasses.fields(Protocol):
        value = getattr(protocol, field.name)
        if field.name == "budgets":
            row["budgets"] = None if value is None else value.to_row()
        elif field.name == "texts":
            row["texts"] = {name: plain(dataclasses.asdict(text)) for name, text in value.items()}
        elif field.name == "published":
            row["published"] = [dataclasses.asdict(one) for one in value]
        elif field.name in _PARTS and value is not None:
            row[field.name] = dataclasses.asdict(value)
        else:
            row[field.name] = plain(value)
    return row


def protocol_from_row(row: Mapping[str, Any], where: str, base: Callable[[str], Protocol]) -> Protocol:
    """The protocol that `row` describes; `where` names it in messages, `base` finds a protocol by its name.

    Raises ConfigError or UnknownNameError, with the key, for what is missing, unknown or of another type.
    """
    given = dict(row)
    known = [field.name for field in dataclasses.fields(Protocol)]
    for key in given:
        if key not in (*known, "base"):
            raise UnknownNameError.among("key of a protocol", str(key), [*known, "base"], f"It stands in {where}.")
    start = None if (name := given.pop("base", None)) is None else base(str(name))
    values = {key: _value(key, value, start, where) for key, value in given.items()}
    values.setdefault("name", where)
    if start is None:
        values = {"about": "", "limits": Limits(), **values}
        return Protocol(**values)
    return _told_apart(start, dataclasses.replace(start, **values), given)


def _told_apart(start: Protocol, protocol: Protocol, given: Mapping[str, Any]) -> Protocol:
    """`protocol`, a variant of `start`, which no longer says of its own values that others wrote them."""
    changed = [name for name in FIELDS if getattr(protocol, name) != getattr(start, name)]
    kept = {name: source for name, source in start.sources.items() if name not in changed}
    told = [f"{name}: {shown(protocol, name)}; in {start.name} {shown(start, name)}" for name in changed]
    return dataclasses.replace(
        protocol, sources=kept | dict(given.get("sources", {})), deviations=(*protocol.deviations, *told)
    )


def read_protocol(path: Path, base: Callable[[str], Protocol]) -> Protocol:
    """The protocol in a YAML file; its name is the file's path. Raises ConfigError for a file that cannot be read."""
    row = {key: setting.value for key, setting in read_settings(path).items()}
    if "name" in row:
        raise ConfigError(f"the protocol {path} has a key 'name'. Leave it out: the file's path is its name.")
    return protocol_from_row(row, str(path), lambda name: base(_beside(path, name)))


def _beside(path: Path, name: str) -> str:
    return str(path.parent / name) if name.endswith(SUFFIXES) else name


def _value(key: str, value: Any, start: Protocol | None, where: str) -> Any:
    """The value of the field `key` of a protocol, from plain data."""
    if key == "budgets":
        return None if value is None else _budgets(value, where)
    if key == "texts":
        _check_mapping(value, f"'texts' in {where}")
        return {name: _part(PromptText, text, None, f"the text {name!r} in {where}") for name, text in value.items()}
    if key == "published":
        if not isinstance(value, list):
            raise ConfigError(f"'published' in {where} is {kind_of(value)}; wanted: a list of numbers with their place")
        return tuple(_part(Published, one, None, f"'published' in {where}") for one in value)
    if key in _PARTS and not (key == "retries" and value is None):
        before = None if start is None else getattr(start, key)
        return _part(_PARTS[key], value, before, f"{key!r} in {where}")
    return checked_value(key, value, typing.get_type_hints(Protocol)[key], where)


def _budgets(value: Any, where: str) -> ViewBudgets:
    try:
        return ViewBudgets.from_row(value)
    except (TypeError, ValueError, AttributeError) as error:
        raise ConfigError(
            f"'budgets' in {where} cannot be read: {error}. Write them as `pixel-env dialect show NAME --yaml` does."
        ) from error


def _check_mapping(value: Any, what: str) -> None:
    if not isinstance(value, dict):
        raise ConfigError(f"{what} is {kind_of(value)}; wanted: keys and values")


def _part(kind: type[Any], value: Any, start: Any, where: str) -> Any:
    """A dataclass of `kind` from its fields; those that are left out are those of `start`, or the defaults."""
    _check_mapping(value, where)
    hints = typing.get_type_hints(kind)
    for name in value:
        if name not in hints:
            raise UnknownNameError.among(f"field of {kind.__name__}", str(name), hints, f"It stands in {where}.")
    given = {name: checked_value(name, one, hints[name], where) for name, one in value.items()}
    try:
        return kind(**given) if start is None else dataclasses.replace(start, **given)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{where}: {error}") from error
