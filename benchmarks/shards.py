"""The shards of an evaluation: where each lies, and their rows as those of the whole.

Knows folders and rows. A shard is an evaluation of its own in a folder below the whole one's; the same command without
`--shard` takes over what the shards there have finished, and plays only what none has.
"""

import json
from pathlib import Path

from agents.run_folder import FILE_NAME
from benchmarks.questions import Shard
from benchmarks.records import ROWS, Key
from pixel_env.errors import ConfigError
from pixel_env.store import TrajectoryStore, read
from pixel_env.types import Stop

_OWN = {"shard", "output_dir"}


def folder_of(output_dir: Path, shard: Shard) -> Path:
    """Where the shard's trajectories are."""
    return output_dir / f"shard-{shard.number}-of-{shard.count}"


def take_over(folder: Path, store: TrajectoryStore, done: set[Key]) -> None:
    """Appends the finished rows of the shards below `folder` that `done` lacks, and adds their keys to it.

    Raises ConfigError for a shard that was played with another configuration.
    """
    for place in sorted(folder.glob(f"shard-*/{ROWS}")):
        _check_configuration(folder, place.parent)
        for row in read(place):
            key = (row["policy"], row["task_id"], row["sample"])
            if row["stop"] != Stop.FAILED and key not in done:
                store.append(row)
                done.add(key)


def _check_configuration(folder: Path, shard: Path) -> None:
    whole, part = (json.loads((place / FILE_NAME).read_text(encoding="utf-8")) for place in (folder, shard))
    changed = [name for name in sorted(whole.keys() | part.keys()) if whole.get(name) != part.get(name)]
    if named := [name for name in changed if name not in _OWN]:
        raise ConfigError(
            f"The shard in {shard} was played with another configuration: {', '.join(named)} differ from those of "
            f"{folder}. Remove the shard, or give another output_dir."
        )
