"""A YAML file of settings, each with the line and column where it is written.

Depends on PyYAML; independent of what a setting means.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pixel_env.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of a key, and where it is written: "config.yaml, line 3, column 8"."""

    value: Any
    position: str


def read_settings(path: Path) -> dict[str, Setting]:
    """The settings of the file by name, `-` in a name read as `_`.

    Raises ConfigError, with file, line and column, for a file that cannot be read, that holds no mapping of names to
    values, or that sets a name twice.
    """
    text = _text(path)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is None:
            raise ConfigError(f"{path} is empty (line 1, column 1); wanted: lines of 'name: value'")
        if not isinstance(root, yaml.MappingNode):
            kind = "list" if isinstance(root, yaml.SequenceNode) else "single value"
            raise ConfigError(f"{_position(path, root)}: the file holds a {kind}; wanted: lines of 'name: value'")
        _refuse_repeated(path, root)
        return _settings(path, root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"{path}{where}: this is not valid YAML: {error.problem or error.context}") from error
    except RecursionError as error:
        raise ConfigError(
            f"{path}, line 1, column 1: it is nested too deeply; wanted: lines of 'name: value'"
        ) from error


def _refuse_repeated(path: Path, root: yaml.MappingNode) -> None:
    """Raises ConfigError for a key that is set twice: PyYAML silently keeps the last one."""
    seen: dict[str, str] = {}
    for key, _ in root.value:
        position, name = _position(path, key), _name(path, key)
        if name in seen:
            raise ConfigError(f"{position}: {name} is set twice, first in {seen[name]}. Keep one of them.")
        seen[name] = position


def _settings(path: Path, root: yaml.MappingNode) -> dict[str, Setting]:
    settings: dict[str, Setting] = {}
    loader = yaml.SafeLoader("")
    loader.flatten_mapping(root)  # resolves the merge key <<; what the file sets itself comes behind what it merges
    for key, node in root.value:
        name = _name(path, key)
        try:
            settings[name] = Setting(loader.construct_object(node, deep=True), _position(path, node))
        except ValueError as error:  # an invalid date
            raise ConfigError(f"{_position(path, node)}: {name} cannot be read: {error}") from error
    return settings


def _name(path: Path, key: yaml.Node) -> str:
    if not isinstance(key, yaml.ScalarNode):
        raise ConfigError(f"{_position(path, key)}: a name is wanted before the colon")
    return str(key.value).replace("-", "_")


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}. Give a YAML file.") from error
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _line_and_column(content[: error.start].decode("utf-8"))
        raise ConfigError(
            f"{path}, line {line}, column {column}: this is not text in UTF-8. Give a YAML file."
        ) from error
    bad = next(_unprintable(text), None)
    if bad is not None:
        line, column = _line_and_column(text[:bad])
        raise ConfigError(
            f"{path}, line {line}, column {column}: YAML does not allow the character {text[bad]!r}. Remove it."
        )
    return text


def _unprintable(text: str) -> Iterator[int]:
    match = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if match is not None:
        yield match.start()


def _line_and_column(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _position(path: Path, node: yaml.Node) -> str:
    return f"{path}, line {node.start_mark.line + 1}, column {node.start_mark.column + 1}"
