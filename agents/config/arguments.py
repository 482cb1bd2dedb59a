"""A command's configuration: a dataclass, filled from flags and an optional YAML file.

Knows dataclasses, argparse and YAML. Knows nothing of what the fields mean. Commands that train take TRL's parser
instead; this one needs no training library, so `pixel-env demo --help` answers at once.
"""

import argparse
import dataclasses
import difflib
import shlex
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, overload

from pixel_env.errors import ConfigError

Config = TypeVar("Config")
Other = TypeVar("Other")


@overload
def parse(argv: list[str], config_class: type[Config], command: str) -> Config: ...
@overload
def parse(argv: list[str], config_class: tuple[type[Config], type[Other]], command: str) -> tuple[Config, Other]: ...
def parse(argv: list[str], config_class: type | tuple[type, ...], command: str) -> Any:
    """`config_class` from `argv`: defaults, then the YAML file of `--config`, then flags. Raises ConfigError.

    Of two classes, whose fields have different names, both come; the first one's docstring describes the command.
    """
    classes = config_class if isinstance(config_class, tuple) else (config_class,)
    flags = vars(_parser(classes, command).parse_args(argv)).items()
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in flags}
    file = given.pop("config", None)
    values = (read_yaml(Path(file), *classes) if file is not None else {}) | given
    parts = tuple(_filled(one, values) for one in classes)
    return parts if isinstance(config_class, tuple) else parts[0]


def _filled(config_class: type, values: Mapping[str, Any]) -> Any:
    names = [one.name for one in dataclasses.fields(config_class)]
    return config_class(**{name: values[name] for name in names if name in values})


def command_line(config: Any, command: str) -> str:
    """The command line that asks for `config`: every flag that is not at its default."""
    words = ["pixel-env", command]
    for one in dataclasses.fields(config):
        value = getattr(config, one.name)
        if value != one.default:
            words += _flag_words(one.name.replace("_", "-"), value)
    return shlex.join(words)


def _flag_words(name: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    return [f"--{name}", *(map(str, value) if isinstance(value, tuple) else [str(value)])]


def read_yaml(path: Path, *config_classes: type) -> dict[str, Any]:
    """The fields that the file sets, each of its field's type. Raises ConfigError, naming file and key."""
    import yaml  # a command without --config needs none

    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot read the configuration {path}: {error}") from error
    if not isinstance(rows, dict):
        raise ConfigError(f"{path} holds a {type(rows).__name__}; wanted: lines of 'name: value'")
    kinds = {name: kind for one in config_classes for name, kind in typing.get_type_hints(one).items()}
    return {name: _converted(value, _kind_named(name, kinds, path), f"{path}, {name}") for name, value in rows.items()}


def _kind_named(name: str, kinds: dict[str, Any], path: Path) -> Any:
    if name in kinds:
        return kinds[name]
    close = difflib.get_close_matches(str(name), kinds, n=1)
    hint = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(kinds)}."
    raise ConfigError(f"{path} sets {name!r}, which is no field. {hint}")


def _converted(value: Any, kind: Any, place: str) -> Any:
    inner, optional = _without_none(kind)
    if value is None and optional:
        return None
    try:
        if typing.get_origin(inner) is tuple:
            return tuple(typing.get_args(inner)[0](item) for item in value)
        if inner is bool and not isinstance(value, bool):
            raise ValueError("true or false is wanted")
        if typing.get_origin(inner) is typing.Literal:
            if value not in typing.get_args(inner):
                raise ValueError(f"one of {typing.get_args(inner)} is wanted")
            return value
        return inner(value)  # YAML reads 3e-4 as a text
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{place}: {value!r} is not of type {getattr(inner, '__name__', inner)} ({error})") from error


def _without_none(kind: Any) -> tuple[Any, bool]:
    """The type without `| None`, and whether it had it."""
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        [inner] = [member for member in typing.get_args(kind) if member is not type(None)]
        return inner, True
    return kind, False


def _parser(config_classes: Sequence[type], command: str) -> argparse.ArgumentParser:
    description = (config_classes[0].__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(
        prog=f"pixel-env {command}", description=description, argument_default=argparse.SUPPRESS, allow_abbrev=False
    )
    parser.add_argument("--config", metavar="FILE", help="YAML file with the same names; flags come before it")
    for config_class in config_classes:
        kinds = typing.get_type_hints(config_class)
        for field in dataclasses.fields(config_class):
            _add_flag(parser, field, kinds[field.name])
    return parser


def _add_flag(parser: argparse.ArgumentParser, field: "dataclasses.Field[Any]", kind: Any) -> None:
    inner, _ = _without_none(kind)
    names = [f"--{field.name}"] + ([f"--{field.name.replace('_', '-')}"] if "_" in field.name else [])
    names += field.metadata.get("aliases", ())
    shown = " ".join(map(str, field.default)) if isinstance(field.default, tuple) else field.default
    default = "" if field.default is dataclasses.MISSING else f" (default: {shown})"
    options: dict[str, Any] = {"dest": field.name, "help": f"{field.metadata['help']}{default}".replace("%", "%%")}
    if inner is bool:
        options["action"] = argparse.BooleanOptionalAction
    elif typing.get_origin(inner) is tuple:
        options |= {"type": typing.get_args(inner)[0], "nargs": "*", "metavar": field.name.upper()}
    elif typing.get_origin(inner) is typing.Literal:
        options["choices"] = typing.get_args(inner)
    else:
        options |= {"type": inner, "metavar": field.name.upper()}
    parser.add_argument(*names, **options)
