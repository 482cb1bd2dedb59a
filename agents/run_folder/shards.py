"""Shards: the parts of a job for several machines, each in a folder below that of the whole job.

Depends on numbers and paths; independent of what the job does.
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
    """Part `number` (from 1) of `count`: every `count`-th item, so that the parts are similar."""

    number: int
    count: int

    def of(self, items: Sequence[Item]) -> tuple[Item, ...]:
        """Its items, in their order."""
        return tuple(items[index] for index in range(self.number - 1, len(items), self.count))

    def folder_in(self, whole: Path) -> Path:
        """The folder of the shard's files."""
        return whole / f"shard-{self.number}-of-{self.count}"


def shard_named(text: str) -> Shard:
    """The shard that "2/8" stands for. Raises ConfigError."""
    match = _SHARD.fullmatch(text)
    if match is None or int(match[1]) > int(match[2]):
        raise ConfigError(f"--shard is {text!r}; wanted: part/number of parts, such as 1/8 to 8/8")
    return Shard(int(match[1]), int(match[2]))
