"""The table of dialects, and how a name is resolved to a dialect.

Depends on the parts of a dialect; independent of episodes. A dialect of your own needs no row: it is a `Dialect` value
that is passed as it is, or named as 'module:NAME'.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from pixel_env.dialects.checks import checked_operations
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.files import file_in, read_dialect
from pixel_env.dialects.rows import (
    adaptive_cof,
    deepeyes,
    frame_thinker,
    glm,
    long_vt,
    mini_o3,
    qwen3_5,
    qwen3_vl_zoom,
    released,
    sensenova_mars,
    video_zoomer,
    vigorl,
    visionthink,
    vt_visualreasoner,
)
from pixel_env.dialects.rows.own import OWN
from pixel_env.dialects.rows.row import PeerRow
from pixel_env.dialects.variants import VARIANTS, has_variants
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.import_callable import imported

PEERS: dict[str, PeerRow] = {
    row.dialect.name: row
    for row in (
        released.ROW,
        mini_o3.ROW,
        deepeyes.ROW,
        deepeyes.MENDED,
        adaptive_cof.ROW,
        qwen3_vl_zoom.ROW,
        sensenova_mars.ROW,
        vt_visualreasoner.ROW,
        vigorl.ROW,
        visionthink.ROW,
        qwen3_5.ROW,
        glm.ROW,
        video_zoomer.ROW,
        frame_thinker.ROW,
        long_vt.ROW,
    )
}
"""The rows of other projects' models, with where each is written and where ours differs."""

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (*OWN, *(row.dialect for row in PEERS.values()))}
"""All rows of the table, by name."""


def dialect_named(name: str) -> Dialect:
    """The dialect called `name`.

    `name` is a row of the table, or 'module:NAME' or a YAML file for a dialect of your own; then, each after a colon,
    variants of it ("released:vcot:train-pixels"; of two prompt sets the last one counts); then, each after a plus sign,
    further operations ("default+rotate+my_operations:Grey"). Raises UnknownNameError, or ConfigError where a variant
    does not fit, an operation cannot be called, or 'module:NAME' is not a Dialect.
    """
    return _named(name, ())


def _named(name: str, reading: tuple[Path, ...]) -> Dialect:
    """The same; `reading`: the files in which the name stands as a base, the first one first."""
    if (file := file_in(name)) is not None:
        variants, *operations = file[1].split("+")
        return _derived(_in_file(file[0], reading), variants.split(":")[1:], operations, name)
    spelled, *operations = name.split("+")
    dialect, further = _row_of(spelled)
    return _derived(dialect, further, operations, name)


def _in_file(path: Path, reading: tuple[Path, ...]) -> Dialect:
    whole = Path(os.path.realpath(path))  # which, unlike Path.resolve, takes a link to itself
    if whole in reading:
        way = " -> ".join(file.name for file in (*reading, path))
        raise ConfigError(
            f"the dialect {path} is its own base: {way}. Give one of them a row of the table as its base."
        )
    return read_dialect(path, partial(_named, reading=(*reading, whole)))


def _derived(dialect: Dialect, variants: Sequence[str], operations: Sequence[str], name: str) -> Dialect:
    for variant in variants:
        if variant not in VARIANTS:
            raise UnknownNameError.among("dialect variant", variant, VARIANTS, f"The name is {name!r}.")
        if not has_variants(dialect):
            raise ConfigError(
                f"{dialect.name!r} has no variants: its answers are neither boxed nor between two marks. "
                f"Give {dialect.name!r} alone."
            )
        dialect = replace(VARIANTS[variant](dialect), name=f"{dialect.name}:{variant}")
    return with_operations(checked_operations(dialect), operations)


def parts_of_name(name: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The row (or 'module:NAME') that `name` begins with, its variants, and its further operations.

    Example: ("default", ("vcot",), ("rotate",)) for "default:vcot+rotate". Nothing is looked up.
    """
    spelled, *operations = name.split("+")
    first, *rest = spelled.split(":")
    if first not in DIALECTS and rest and rest[0] not in VARIANTS:
        first, rest = f"{first}:{rest[0]}", rest[1:]
    return first, tuple(rest), tuple(operations)


def with_operations(dialect: Dialect, names: Sequence[str]) -> Dialect:
    """`dialect` with further operations, by name or 'module:Class'. Raises UnknownNameError, ConfigError."""
    added = [name for name in dict.fromkeys(names) if name not in dialect.operations]
    if not added:
        return dialect
    name = "+".join([dialect.name, *added])
    return checked_operations(replace(dialect, name=name, operations=(*dialect.operations, *added)))


def _row_of(spelled: str) -> tuple[Dialect, list[str]]:
    """The row that `spelled` begins with, and the variants that follow."""
    first, *rest = spelled.split(":")
    if first in DIALECTS:
        return DIALECTS[first], rest
    if not rest or rest[0] in VARIANTS:
        advice = (
            f"After a colon may follow {', '.join(VARIANTS)}. Your own is named as 'module:NAME', or is a file.yaml."
        )
        raise UnknownNameError.among("dialect", first, DIALECTS, advice)
    origin = f"{first}:{rest[0]}"
    dialect = imported(origin, "dialect")
    if not isinstance(dialect, Dialect):
        raise ConfigError(f"{origin!r} is a {type(dialect).__name__}. Wanted: a pixel_env.dialects.Dialect.")
    return replace(dialect, name=origin), rest[1:]
