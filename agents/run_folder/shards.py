"""Shards: the parts of a job that several machines do, each in a folder below the whole one's.

Knows numbers, folders and their configurations. Knows nothing of what is done.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from agents.run_folder.configuration import FILE_NAME, changed_names, fields_of, read_configuration
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
    places = _places(whole, file_name)
    if places:
        _check(places, whole, read_configuration(whole), own)
    return places


def refuse_other_shards(whole: Path, file_name: str, parts: Sequence[Any], own: Collection[str] = ()) -> None:
    """Raises ConfigError as `shards_in` does, for a folder whose configuration, `parts`, is not written yet."""
    _check(_places(whole, file_name), whole, fields_of(parts), own)


def _places(whole: Path, file_name: str) -> list[Path]:
    return sorted(whole.glob(f"shard-*/{file_name}"))


def _check(places: Sequence[Path], whole: Path, fields: Mapping[str, Any], own: Collection[str]) -> None:
    for shard in (place.parent for place in places):
        changed = [name for name in changed_names(fields, _configuration(shard)) if name not in own]
        if changed:
            raise ConfigError(
                f"The shard in {shard} was made with another configuration: {', '.join(changed)} differ from those of "
                f"{whole}. Give the flags that the shards were made with, remove the shard, or give another folder."
            )


def _configuration(shard: Path) -> dict[str, Any]:
    try:
        return read_configuration(shard)
    except FileNotFoundError as error:
        raise ConfigError(
            f"The shard in {shard} has no {FILE_NAME}, so nobody knows how it was made. Put the file back, or remove "
            "the shard."
        ) from error
