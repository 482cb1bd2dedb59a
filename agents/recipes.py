"""Recipes: the YAML files that the training commands read, from a path or among those that ship.

Knows file names and TRL's parser. Knows nothing of what a field means.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trl import TrlParser

from pixel_env.errors import ConfigError, UnknownNameError

FOLDER = Path(__file__).parent / "configs"


def shipped() -> list[str]:
    """The names of the recipes that ship."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


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
        spelled[place] = str(_path(spelled[place]))
    return spelled


def _split(argument: str) -> list[str]:
    return argument.split("=", 1) if argument.startswith("--config=") else [argument]


def _path(name: str) -> Path:
    if Path(name).is_file():
        return Path(name)
    if name not in shipped():
        raise UnknownNameError.among("recipe", name, shipped(), "Give one of these, or the path of a YAML file.")
    return FOLDER / f"{name}.yaml"
