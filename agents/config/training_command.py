"""A training command before its libraries are loaded: its help, and the check of its flags and its recipe.

torch, transformers and TRL take seconds to import, and most mistakes are in a name. The fields that are ours are
declared in modules without these libraries; the names of TRL's fields are read from its source. Depends on YAML and the
command line; independent of torch, transformers and TRL.
"""

import argparse
import ast
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.config.arguments import add_flag, add_operations_flag, default_of, field_kinds, read_fields, refuse_key
from agents.config.names import FURTHER, with_operations
from agents.config.recipes import recipe_path, recipes_of
from agents.config.yaml_file import Setting, read_settings
from pixel_env.command_line.names import field_name, shown_name
from pixel_env.command_line.parser import CommandParser, renamed
from pixel_env.command_line.values import read_value
from pixel_env.errors import ConfigError, MissingExtraError

USAGE = "[--config RECIPE] [--NAME VALUE ...]"
ENVIRONMENT = "env"
"""The key of a recipe with environment variables, as TRL reads it."""
_MODEL = ("trl", "trainer/model_config.py", "ModelConfig")
_BASES = (("trl", "trainer/base_config.py", "_BaseConfig"), ("transformers", "training_args.py", "TrainingArguments"))


@dataclass(frozen=True, slots=True)
class Group:
    """A group of the help: dataclasses with our fields, and the flags of TRL's that belong to it."""

    title: str
    classes: tuple[type, ...] = ()
    of_trl: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An option of TRL's that has no effect here: its `plain` values are allowed, any other is refused for `reason`."""

    plain: tuple[Any, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class TrainingCommand:
    """`pixel-env NAME`. `trl_config`: module file and class of TRL's configuration, below its package."""

    name: str
    description: str
    groups: tuple[Group, ...]
    trl_config: tuple[str, str]
    refused: Mapping[str, Refusal]

    @property
    def classes(self) -> list[type]:
        """The dataclasses with fields of ours."""
        return [one for group in self.groups for one in group.classes]

    def trl_names(self) -> set[str]:
        """The names of TRL's fields, read from its source. Raises MissingExtraError without TRL."""
        sources = (("trl", *self.trl_config), *_BASES, _MODEL)
        return {name for package, file, cls in sources for name in _fields_in(package, file, cls, self.name)}


@dataclass(frozen=True, slots=True)
class Given:
    """The settings of a command line and its recipe: `own` by field; TRL's as settings of the recipe and as words.

    `all_flags`: the help of all flags was requested, TRL's included.
    """

    own: Mapping[str, Any]
    settings: Mapping[str, Setting]
    words: tuple[str, ...]
    all_flags: bool = False


def checked(argv: Sequence[str], command: TrainingCommand) -> Given:
    """The settings of `argv`, with every name and every value of our fields checked. Prints the help if requested.

    Raises UsageError for an unknown flag, UnknownNameError for an unknown recipe or name, ConfigError for a recipe that
    cannot be read.
    """
    if any(word in ("-h", "--help") for word in argv):
        command_parser(command).print_help()
        raise SystemExit(0)
    if any(word in ("--help-all", "--help_all") for word in argv):
        return Given({}, {}, (), all_flags=True)
    flags, words = _Parser(command).parse_known_args(argv)
    if words and not words[0].startswith("--"):
        _Parser(command).error(f"unexpected {words[0]!r}")
    own, recipe = vars(flags), vars(flags).pop("config", None)
    settings = {} if recipe is None else read_settings(recipe_path(recipe))
    mine, of_trl = _divided(settings, command)
    values = with_operations(
        read_fields(mine, command.classes, command.name) | own, default_of("dialect", command.classes)
    )
    return Given(values, of_trl, tuple(words))


def _divided(
    settings: Mapping[str, Setting], command: TrainingCommand
) -> tuple[dict[str, Setting], dict[str, Setting]]:
    """The settings of our fields, and those of TRL's. Raises ConfigError for a name that neither has."""
    kinds = field_kinds(command.classes)
    names = {*kinds, FURTHER}
    mine = {name: one for name, one in settings.items() if field_name(name, names, command.name) in names}
    others = {shown_name(name, command.name): one for name, one in settings.items() if name not in mine}
    known = command.trl_names() | {ENVIRONMENT} if others else set()
    for name, one in others.items():
        if name not in known:
            refuse_key(name, one, {*kinds, *known}, command.name)
    return mine, others


def command_parser(command: TrainingCommand) -> CommandParser:
    """The parser whose help shows our groups, and those flags of TRL's that most runs need."""
    parser = CommandParser(command.name, usage=USAGE, description=command.description, epilog=_epilog(command))
    text = "show every flag, including TRL's (slow: loads torch)"
    parser.add_argument("--help_all", action="store_true", help=text)
    parser.add_argument("--config", metavar="RECIPE", help="a recipe: a YAML file, or the name of one that ships")
    for group in command.groups:
        part = parser.add_argument_group(group.title)
        for name, text in group.of_trl.items():
            part.add_argument(f"--{name}", metavar="VALUE", help=text)
        for cls in group.classes:
            _add_fields(part, cls, command.name)
    return parser


def _add_fields(part: Any, cls: type, command: str) -> None:
    for name, (kind, one) in field_kinds([cls]).items():
        add_flag(part, shown_name(name, command), one, kind)
        if name == "dialect":
            add_operations_flag(part)


def _epilog(command: TrainingCommand) -> str:
    return (
        f"recipes that ship: {', '.join(recipes_of(command.name))}\n"
        "A recipe sets the same names; flags override it. It may set every field of TRL's configuration that is not "
        f"refused: pixel-env {command.name} --help_all"
    )


class _Parser(CommandParser):
    """Reads the flags of ours and leaves the others, whose names are TRL's."""

    def __init__(self, command: TrainingCommand) -> None:
        super().__init__(command.name, usage=USAGE, add_help=False, argument_default=argparse.SUPPRESS)
        self._of_trl = command.trl_names
        self.add_argument("--config")
        for cls in command.classes:
            _add_fields(self, cls, command.name)

    def spelled(self, word: str, name: str) -> str:
        if name in self.flags() or name in (names := self._of_trl()):
            return renamed(word, name)
        if name.removeprefix("no_") in names and "=" not in word:
            return f"--{name.removeprefix('no_')}=false"
        self.refuse_unknown(name, [*self.flags(), *names])


# ------------------------------------------------------------------------------------------------------- TRL's source


def _fields_in(package: str, file: str, cls: str, command: str) -> list[str]:
    """The annotated names in the body of the class: its own fields."""
    spec = importlib.util.find_spec(package)  # of a top-level package: runs nothing of it
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError.needs(f"pixel-env {command} (package {package!r})", "train")
    tree = ast.parse((Path(spec.submodule_search_locations[0]) / file).read_text(encoding="utf-8"))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == cls)
    return [
        node.target.id
        for node in body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and not _is_class_variable(node)
    ]


def _is_class_variable(node: ast.AnnAssign) -> bool:
    return "ClassVar" in ast.unparse(node.annotation)


# ------------------------------------------------------------------------------------------------------------- checks


def check_refused(args: Any, refused: Mapping[str, Refusal]) -> None:
    """Raises ConfigError for the first option of `args` that would have no effect."""
    for name, refusal in refused.items():
        value = getattr(args, name)
        if value not in refusal.plain:
            raise ConfigError(f"{name} is {value!r}; wanted: {refusal.plain[0]!r}. {refusal.reason}")


def check_fields(config: Any, classes: Sequence[type]) -> None:
    """Raises ConfigError for a field of `classes` whose value in `config` is not of its type or within its bounds."""
    for name, (kind, one) in field_kinds(classes).items():
        value = getattr(config, name)
        if value == one.default:
            continue
        try:
            read_value(value, kind)
        except ValueError as error:
            raise ConfigError(f"{name} is {value!r}; wanted: {error}") from error
