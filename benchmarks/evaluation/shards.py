"""The shards of an evaluation: their rows as those of the whole.

Knows rows; `agents/run_folder/shards.py` knows where they are. A shard is an evaluation of its own in a folder below
the whole one's; the same command without `--shard` takes over what the shards there have finished, and plays only what
none has.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agents.run_folder.shards import refuse_other_shards, shards_in
from benchmarks.evaluation.records import ROWS, Key, key_of, keys_of
from pixel_env.episode import Stop
from pixel_env.errors import TaskError
from pixel_env.store import TrajectoryStore, read
from pixel_env.task import TaskSet

_OWN = ("shard", "output_dir")


def refuse_others(folder: Path, parts: Sequence[Any]) -> None:
    """Raises ConfigError for a shard below `folder` that was made with another configuration than `parts`."""
    refuse_other_shards(folder, ROWS, parts, own=_OWN)


def take_over(folder: Path, store: TrajectoryStore, done: set[Key], task_set: TaskSet) -> None:
    """Appends the finished rows of the shards below `folder` that `done` lacks, and adds their keys to it.

    Raises ConfigError for a shard that was made with another configuration, and as `check_questions` does for one of
    other questions; nothing is taken over then.
    """
    shards = shards_in(folder, ROWS, own=_OWN)
    for place in shards:
        _check_questions(place, task_set)
    for place in shards:
        for row in read(place):
            key = key_of(row)
            if row["stop"] != Stop.FAILED and key not in done:
                store.append(row)
                done.add(key)


def _check_questions(place: Path, task_set: TaskSet) -> None:
    try:
        keys_of(place, task_set)
    except TaskError as error:
        raise TaskError(f"The shard in {place.parent} is of another set: {error}") from error
