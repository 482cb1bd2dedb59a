"""One small file for each measured seed of a study, which a second start does not measure again.

Knows files, keys and JSON. Knows nothing of what is measured.
"""

import json
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from agents.run_folder.configuration import write_whole
from pixel_env.errors import ConfigError

Row = TypeVar("Row")


def file_of(results: Path, seed: int) -> Path:
    """Where the figures of a seed are."""
    return results / f"seed-{seed}.json"


def write_row(results: Path, seed: int, row: Mapping[str, object]) -> None:
    """Writes the figures of a finished seed, whole or not at all. `row` has the member "key"."""
    results.mkdir(parents=True, exist_ok=True)
    write_whole(file_of(results, seed), json.dumps(row, indent=2, allow_nan=False) + "\n")


def read_row(results: Path, seed: int, key: str, parse: Callable[[dict[str, Any]], Row]) -> Row | None:
    """What `parse` makes of a seed's figures, or None if there are none with this key, or none that can be read."""
    path = file_of(results, seed)
    if not path.exists():
        return None
    try:
        row: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        measured_with, parsed = row["key"], parse(row)
    except (ValueError, KeyError, TypeError):  # cut, or no figures of ours
        print(f"seed {seed}: {path} is broken and is measured again", file=sys.stderr)
        return None
    if measured_with != key:
        print(f"seed {seed}: {path} was measured with other settings and is measured again", file=sys.stderr)
        return None
    return parsed


def keep_apart(results: str, folder_of_measured: str, *, quick: bool, first_seed: int) -> None:
    """Raises ConfigError if quick figures, or those of other seeds, would go where the measured ones are."""
    if Path(results).resolve() != Path(folder_of_measured).resolve():
        return
    if quick:
        raise ConfigError(
            f"--quick with --results {results}: that folder is for figures of whole trainings, and quick ones teach "
            "nothing. Give another folder: --results FOLDER."
        )
    if first_seed:
        raise ConfigError(
            f"--first_seed {first_seed} with --results {results}: the page there tells of the seeds from 0 on. Give "
            "another folder: --results FOLDER."
        )


def as_json(value: Any) -> Any:
    """Dataclasses of figures as JSON objects; what is not a number becomes null."""
    return finite(asdict(value))


def finite(value: Any) -> Any:
    """The value, dictionaries member by member, with null for every number that is not finite."""
    if isinstance(value, dict):
        return {key: finite(member) for key, member in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
