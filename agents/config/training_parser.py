"""Recipes as the training commands read them: YAML and flags through TRL's parser.

Knows TRL's parser. Knows nothing of what a field means.
"""

from collections.abc import Sequence
from typing import Any

from trl import TrlParser

from agents.config.recipes import recipe_path
from pixel_env.errors import ConfigError


def parsed(dataclasses: Sequence[type], argv: Sequence[str], command: str) -> tuple[Any, ...]:
    """One value per dataclass, from `--config` and flags (flags win). Raises ConfigError for what TRL cannot read."""
    parser = TrlParser(tuple(dataclasses), prog=f"pixel-env {command}")
    try:
        values: tuple[Any, ...] = parser.parse_args_and_config(args=_with_paths(argv))
    except ValueError as error:
        raise ConfigError(f"The configuration of pixel-env {command} cannot be used: {error}") from error
    return values


def _with_paths(argv: Sequence[str]) -> list[str]:
    """`argv` with the name after `--config` replaced by the file that it stands for."""
    spelled = [part for argument in argv for part in _split(argument)]
    places = [place + 1 for place, argument in enumerate(spelled[:-1]) if argument == "--config"]
    for place in places:
        spelled[place] = str(recipe_path(spelled[place]))
    return spelled


def _split(argument: str) -> list[str]:
    return argument.split("=", 1) if argument.startswith("--config=") else [argument]
