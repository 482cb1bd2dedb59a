"""A command's configuration: a dataclass, filled from flags and an optional YAML file.

Depends on dataclasses, the command line and YAML; independent of what the fields mean. Commands that train use TRL's
parser (`training_parser.py`); this one needs no training library, so that `--help` answers at once.
"""

import dataclasses
import shlex
import typing
from argparse import SUPPRESS
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, overload

from agents.config.names import FURTHER, FURTHER_HELP, OperationName, takes_operations, with_operations
from agents.config.yaml_file import Setting, read_settings
from pixel_env.command_line.names import field_name, shown_name, suggestion
from pixel_env.command_line.parser import CommandParser, value
from pixel_env.command_line.values import bare, read_value
from pixel_env.errors import ConfigError

Config = TypeVar("Config")
Other = TypeVar("Other")

USAGE = "[--config FILE] [--NAME VALUE ...]"
_METAVARS = {int: "N", float: "X"}


@overload
def parse(
    argv: list[str], config_class: type[Config], command: str, *, usage: str = USAGE, epilog: str = ""
) -> Config: ...
@overload
def parse(
    argv: list[str],
    config_class: tuple[type[Config], type[Other]],
    command: str,
    *,
    usage: str = USAGE,
    epilog: str = "",
) -> tuple[Config, Other]: ...
def parse(
    argv: list[str], config_class: type | tuple[type, ...], command: str, *, usage: str = USAGE, epilog: str = ""
) -> Any:
    """`config_class` from `argv`: defaults, then the YAML file of `--config`, then flags. Raises ConfigError.

    A field declares its type, its default, `metadata={"help": ...}` and, for a number, its bounds ("least", "most").
    For two classes with different field names it returns both; the first one's docstring describes the command.
    `usage` and `epilog` are shown in its help.
    """
    classes = config_class if isinstance(config_class, tuple) else (config_class,)
    flags = vars(_parser(classes, command, usage, epilog).parse_args(argv)).items()
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in flags}
    file = given.pop("config", None)
    values = (read_yaml(Path(file), *classes, command=command) if file is not None else {}) | given
    values = with_operations(values, default_of("dialect", classes))
    parts = tuple(_filled(one, values) for one in classes)
    return parts if isinstance(config_class, tuple) else parts[0]


def default_of(name: str, classes: Sequence[type]) -> Any:
    """The default of the field in the first of the classes that has it, else None."""
    return next((one.default for cls in classes for one in dataclasses.fields(cls) if one.name == name), None)


def _filled(config_class: type, values: Mapping[str, Any]) -> Any:
    names = [one.name for one in dataclasses.fields(config_class)]
    return config_class(**{name: values[name] for name in names if name in values})


def command_line(config: Any, command: str) -> str:
    """The command line that gives `config`: every flag that is not at its default."""
    words = ["pixel-env", command]
    for one in dataclasses.fields(config):
        set_to = getattr(config, one.name)
        if set_to != one.default:
            words += _flag_words(shown_name(one.name, command), set_to)
    return shlex.join(words)


def _flag_words(name: str, set_to: Any) -> list[str]:
    if isinstance(set_to, bool):
        return [f"--{name}" if set_to else f"--no_{name}"]
    return [f"--{name}", *(map(str, set_to) if isinstance(set_to, tuple) else [str(set_to)])]


# ---------------------------------------------------------------------------------------------------------------- YAML


def read_yaml(path: Path, *config_classes: type, command: str = "") -> dict[str, Any]:
    """The fields that the file sets, each as its field's type. Raises ConfigError with file, line, column and key."""
    return read_fields(read_settings(path), config_classes, command)


def read_fields(settings: Mapping[str, Setting], config_classes: Sequence[type], command: str) -> dict[str, Any]:
    """The settings by field, each of its field's type. Raises ConfigError for a key that is no field of the classes."""
    kinds = field_kinds(config_classes)
    values: dict[str, Any] = {}
    for name, setting in settings.items():
        target = field_name(name, kinds, command)
        if target == FURTHER and takes_operations(kinds):
            values[FURTHER] = read_setting(name, setting, tuple[OperationName, ...])
            continue
        if target not in kinds:
            refuse_key(name, setting, kinds, command)
        if target in values:
            raise ConfigError(
                f"{setting.position}: {name} and another name of this setting are both given. Keep one of them."
            )
        values[target] = read_setting(name, setting, kinds[target][0])
    return values


def field_kinds(config_classes: Sequence[type]) -> dict[str, tuple[Any, "dataclasses.Field[Any]"]]:
    """Type and declaration of every field that a user may set, by name."""
    fields: dict[str, tuple[Any, dataclasses.Field[Any]]] = {}
    for config_class in config_classes:
        kinds = typing.get_type_hints(config_class, include_extras=True)
        fields |= {one.name: (kinds[one.name], one) for one in dataclasses.fields(config_class) if one.init}
    return fields


def read_setting(name: str, setting: Setting, kind: Any) -> Any:
    """The value of the setting as its field's type. Raises ConfigError."""
    try:
        return read_value(setting.value, kind)
    except ValueError as error:
        raise ConfigError(f"{setting.position}: {name} is {setting.value!r}; wanted: {error}") from error


def refuse_key(name: str, setting: Setting, known: Iterable[str], command: str) -> typing.NoReturn:
    """Raises ConfigError for a key that is none of the `known`, with the closest one."""
    names = sorted({shown_name(one, command) for one in known})
    hint = suggestion(name, known, command) or f"Known: {', '.join(names)}."
    raise ConfigError(f"{setting.position}: there is no setting {name!r}. {hint}")


# --------------------------------------------------------------------------------------------------------------- flags


def _parser(config_classes: Sequence[type], command: str, usage: str, epilog: str) -> CommandParser:
    description = (config_classes[0].__doc__ or "").split("\n")[0]
    parser = CommandParser(command, usage=usage, description=description, epilog=epilog)
    parser.add_argument(
        "--config", metavar="FILE", default=SUPPRESS, help="YAML file with the same names; flags override the file"
    )
    for config_class in config_classes:
        for name, (kind, field) in field_kinds([config_class]).items():
            add_flag(parser, shown_name(name, command), field, kind)
            if name == "dialect":
                add_operations_flag(parser)
    return parser


def add_operations_flag(parser: Any) -> None:
    """Adds `--operations` to a parser or to a group of one."""
    kind = value(OperationName)
    parser.add_argument(f"--{FURTHER}", type=kind, nargs="*", metavar="TEXT", default=SUPPRESS, help=FURTHER_HELP)


def add_flag(parser: Any, name: str, field: "dataclasses.Field[Any]", kind: Any) -> None:
    """Adds the flag `name` for a field of the type `kind` to a parser or to a group of one."""
    inner = bare(kind)
    options: dict[str, Any] = {
        "dest": field.name,
        "default": SUPPRESS,
        "help": _help(field),
        "metavar": _METAVARS.get(inner, "TEXT"),
    }
    if inner is bool:
        options |= {"type": value(bool), "nargs": "?", "const": True, "metavar": "true|false"}
        parser.add_argument(f"--no_{name}", dest=field.name, action="store_false", default=SUPPRESS, help=SUPPRESS)
    elif typing.get_origin(inner) is tuple:
        options |= {"type": value(typing.get_args(inner)[0]), "nargs": "*"}
    else:
        options["type"] = value(kind)
        if typing.get_origin(inner) is typing.Literal:
            options["metavar"] = "|".join(map(str, typing.get_args(inner)))
    parser.add_argument(f"--{name}", **options)


def _help(field: "dataclasses.Field[Any]") -> str:
    default = field.default
    shown = " ".join(map(str, default)) if isinstance(default, tuple) else default
    hidden = default is dataclasses.MISSING or default is None or shown == ""
    text = f"{field.metadata['help']}{'' if hidden else f' (default: {shown})'}"
    return text.replace("%", "%%")
