"""The shards of an evaluation: their rows as those of the whole.

Knows rows; `agents/shards.py` knows where they are. A shard is an evaluation of its own in a folder below the whole
one's; the same command without `--shard` takes over what the shards there have finished, and plays only what none has.
"""

from pathlib import Path

from agents.shards import shards_in
from benchmarks.records import ROWS, Key
from pixel_env.store import TrajectoryStore, read
from pixel_env.types import Stop

_OWN = ("shard", "output_dir")


def take_over(folder: Path, store: TrajectoryStore, done: set[Key]) -> None:
    """Appends the finished rows of the shards below `folder` that `done` lacks, and adds their keys to it.

    Raises ConfigError for a shard that was made with another configuration.
    """
    for place in shards_in(folder, ROWS, own=_OWN):
        for row in read(place):
            key = (row["policy"], row["task_id"], row["sample"])
            if row["stop"] != Stop.FAILED and key not in done:
                store.append(row)
                done.add(key)
