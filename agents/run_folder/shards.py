"""Shards: the parts of a job that several machines do, each in a folder below the whole one's.

Depends on numbers and paths; independent of what is done.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pixel_env.errors import ConfigError

Item = TypeVar("Item")

_SHARD = re.compile(r"([1-9]\d*)/([1-9]\d*)")


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `number` (from 1) of `count`: every `count`-th item, so that the parts are alike."""

    number: int
    count: int

    def of(self, items: Sequence[Item]) -> tuple[Item, ...]:
        """Its items, in their order."""
        return tuple(items[place] for place in range(self.number - 1, len(items), self.count))

    def folder_in(self, whole: Path) -> Path:
        """Where the shard's files are."""
        return whole / f"shard-{self.number}-of-{self.count}"


def shard_named(text: str) -> Shard:
    """The shard that "2/8" stands for. Raises ConfigError."""
    found = _SHARD.fullmatch(text)
    if found is None or int(found[1]) > int(found[2]):
        raise ConfigError(f"--shard is a part and the number of parts, such as 1/8 to 8/8, got {text!r}")
    return Shard(int(found[1]), int(found[2]))
