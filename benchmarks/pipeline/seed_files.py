"""One small file for each measured seed of a study, so that a second start does not measure the seed again.

Depends on files, keys and JSON; independent of what is measured.
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
    """The path of the figures of a seed."""
    return results / f"seed-{seed}.json"


def write_row(results: Path, seed: int, row: Mapping[str, object]) -> None:
    """Writes the figures of a finished seed, whole or not at all. `row` has the member "key"."""
    results.mkdir(parents=True, exist_ok=True)
    write_whole(file_of(results, seed), json.dumps(row, indent=2, allow_nan=False) + "\n")


def read_row(results: Path, seed: int, key: str, parse: Callable[[dict[str, Any]], Row]) -> Row | None:
    """A seed's figures, read by `parse`; None if there are none with this key, or if the file is broken."""
    path = file_of(results, seed)
    if not path.exists():
        return None
    try:
        row: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        measured_with, parsed = row["key"], parse(row)
    except (ValueError, KeyError, TypeError):  # truncated, or not written by a study
        print(f"seed {seed}: {path} is broken, so the seed is measured again", file=sys.stderr)
        return None
    if measured_with != key:
        print(f"seed {seed}: {path} has other settings, so the seed is measured again", file=sys.stderr)
        return None
    return parsed


def keep_apart(results: str, folder_of_measured: str, *, quick: bool, first_seed: int) -> None:
    """Raises ConfigError if quick figures, or those of other seeds, would overwrite the published ones."""
    if Path(results).resolve() != Path(folder_of_measured).resolve():
        return
    if quick:
        raise ConfigError(
            f"--quick with --results {results}: that folder is for figures of full trainings, and a quick run gives "
            "meaningless ones. Give another folder: --results FOLDER."
        )
    if first_seed:
        raise ConfigError(
            f"--first_seed {first_seed} with --results {results}: the page in that folder reports the seeds from 0 on. "
            "Give another folder: --results FOLDER."
        )


def as_json(value: Any) -> Any:
    """A dataclass of figures as a JSON object; numbers that are not finite become null."""
    return finite(asdict(value))


def finite(value: Any) -> Any:
    """The value with null for every number that is not finite, also inside of dictionaries."""
    if isinstance(value, dict):
        return {key: finite(member) for key, member in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
