"""Flags and recipes of the training commands, read by TRL's parser.

Depends on TRL's parser and on the checks of `training_command.py`; independent of what a field means.
"""

import argparse
import os
import typing
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from transformers.hf_argparser import string_to_bool
from trl import TrlParser

from agents.config.arguments import read_setting
from agents.config.training_command import ENVIRONMENT, Given, TrainingCommand, checked, command_parser
from agents.config.trl_numbers import out_of_bounds
from agents.config.yaml_file import Setting
from pixel_env.command_line.values import bare
from pixel_env.errors import ConfigError


def parsed(classes: Sequence[type], argv: Sequence[str], command: TrainingCommand) -> tuple[Any, ...]:
    """One value per class, from `--config` and flags (flags override the file). Raises ConfigError."""
    return built(classes, checked(argv, command), command)


def built(classes: Sequence[type], given: Given, command: TrainingCommand) -> tuple[Any, ...]:
    """One value per class, from the settings that `checked` read. Raises ConfigError for values that TRL refuses."""
    parser = RecipeParser(classes, command)
    if given.all_flags:
        parser.print_all_flags()
        raise SystemExit(0)
    settings = dict(given.settings)
    _set_environment(settings.pop(ENVIRONMENT, None))
    parser.set_defaults_with_config(**parser.typed(settings), **given.own)
    try:
        # No file of flags beside the program: a run must not depend on files that happen to be there.
        values: tuple[Any, ...] = parser.parse_args_into_dataclasses(list(given.words), look_for_args_file=False)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise ConfigError(f"the configuration of pixel-env {command.name} cannot be used: {error}") from error
    return values


def _set_environment(setting: Setting | None) -> None:
    if setting is None:
        return
    if not isinstance(setting.value, Mapping):
        raise ConfigError(f"{setting.position}: {ENVIRONMENT} is {setting.value!r}; wanted: lines of 'NAME: value'")
    os.environ.update({str(name): str(value) for name, value in setting.value.items()})


class RecipeParser(TrlParser):
    """TRL's parser with our errors, and without completing abbreviated flags."""

    def __init__(self, classes: Sequence[type], command: TrainingCommand) -> None:
        super().__init__(tuple(classes), prog=f"pixel-env {command.name}", allow_abbrev=False)
        self._command = command
        for action in self._actions:
            if action.type is string_to_bool and action.nargs is None:  # --bf16 alone, as all other switches
                action.nargs, action.const = "?", True

    def typed(self, settings: Mapping[str, Setting]) -> dict[str, Any]:
        """The values of TRL's settings. Raises ConfigError for a value of the wrong type or choice."""
        kinds = {name: kind for cls in self.dataclass_types for name, kind in typing.get_type_hints(cls).items()}
        choices = {action.dest: tuple(action.choices) for action in self._actions if action.choices}
        values: dict[str, Any] = {}
        for name, setting in settings.items():
            kind = kinds[name]
            if name in choices and setting.value is not None:
                kind = typing.Literal[choices[name]]
            is_checked = bare(kind) in (int, float, bool) or typing.get_origin(bare(kind)) is typing.Literal
            values[name] = read_setting(name, setting, kind) if is_checked else setting.value
        return values

    def error(self, message: str) -> NoReturn:
        command_parser(self._command).error(message)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse's. Raises UsageError for a number out of its field's bounds, or a word that no flag takes."""
        values, rest = super().parse_known_args(args, namespace)
        if (wrong := out_of_bounds(vars(values))) is not None:
            self.error(wrong)
        if rest:
            self.error(f"unexpected {' '.join(map(repr, rest))}")
        return values, rest

    def print_all_flags(self) -> None:
        """Prints our help, then every further flag of TRL's."""
        shown = command_parser(self._command)
        shown.print_help()
        ours = {*self._command.refused, *(action.dest for action in shown._actions)}
        for action in self._actions:
            if action.dest in ours or action.dest == "help":
                action.help = argparse.SUPPRESS
            action.option_strings = action.option_strings[:1]
        self.usage, self.description = argparse.SUPPRESS, None
        print(f"\nTRL's own flags\n{self.format_help()}")
