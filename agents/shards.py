"""Shards: the parts of a job that several machines do, each in a folder below the whole one's.

Knows numbers, folders and their configurations. Knows nothing of what is done.
"""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from agents.run_folder import FILE_NAME
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


def shards_in(whole: Path, file_name: str, own: Collection[str] = ()) -> list[Path]:
    """The files of this name in the shards of a folder, in a fixed order.

    Raises ConfigError for a shard that was made with another configuration; fields named in `own` are its own.
    """
    places = sorted(whole.glob(f"shard-*/{file_name}"))
    for place in places:
        _check_configuration(whole, place.parent, own)
    return places


def _check_configuration(whole: Path, shard: Path, own: Collection[str]) -> None:
    ours, theirs = (json.loads((place / FILE_NAME).read_text(encoding="utf-8")) for place in (whole, shard))
    changed = [name for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]
    if named := [name for name in changed if name not in own]:
        raise ConfigError(
            f"The shard in {shard} was made with another configuration: {', '.join(named)} differ from those of "
            f"{whole}. Remove the shard, or give another folder."
        )
