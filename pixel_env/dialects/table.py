"""The table of dialects, and how a name is resolved to a dialect.

Depends on the parts of a dialect; independent of episodes. A dialect of your own needs no row: it is a `Dialect` value
that is passed as it is, or named as 'module:NAME'.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from pixel_env.dialects.dialect import Dialect, Wording, checked_operations, view_budgets
from pixel_env.dialects.files import file_in, read_dialect
from pixel_env.dialects.integer_calls import IntegerCalls
from pixel_env.dialects.json_calls import JsonCalls
from pixel_env.dialects.variants import VARIANTS
from pixel_env.edges import Edges
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.import_callable import imported
from pixel_env.operations.coordinates import Coordinates

_GUIDELINE = (
    "{question}\n\nThink step by step. Where a detail is too small to see, look closer with a tool. "
    "Give the final answer within \\boxed{{}}."
)
_UNIT_28 = 28 * 28  # Qwen2.5-VL: patch 14, merge 2. The multiples are those of the released code, evaluation mode.

_DEFAULT = Dialect(
    name="default",
    calls=JsonCalls(),
    coordinates=Coordinates("fraction"),
    budgets=view_budgets(
        (256 * _UNIT_28, 5120 * _UNIT_28),
        (64 * _UNIT_28, 2048 * _UNIT_28),
        (16 * _UNIT_28, 512 * _UNIT_28),
        (64 * _UNIT_28, 1024 * _UNIT_28),
        factor=28,
    ),
    wording=Wording(question=_GUIDELINE),
)

_UNIT_32 = 32 * 32  # Qwen3-VL: patch 16, merge 2.
_QWEN3_BUDGETS = view_budgets(
    (256 * _UNIT_32, 4096 * _UNIT_32),
    (64 * _UNIT_32, 2048 * _UNIT_32),
    (16 * _UNIT_32, 512 * _UNIT_32),
    (64 * _UNIT_32, 1024 * _UNIT_32),
    factor=32,
)

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        _DEFAULT,
        # Qwen2.5-VL grounds in pixels of the image as shown, Qwen3-VL in thousandths.
        Dialect(
            name="qwen2.5-vl",
            calls=JsonCalls(),
            coordinates=Coordinates("pixel"),
            budgets=_DEFAULT.budgets,
            wording=Wording(question=_GUIDELINE),
        ),
        Dialect(
            name="qwen3-vl",
            calls=JsonCalls(),
            coordinates=Coordinates("grid", 1000),
            budgets=_QWEN3_BUDGETS,
            wording=Wording(question=_GUIDELINE),
        ),
        # The released Pixel-Reasoner checkpoints (curiosity_driven_rl/.../experience_maker.py, evaluation limits).
        Dialect(
            name="released",
            calls=JsonCalls(),
            names={"crop_image": "crop_image_normalized"},
            # As its function decides. Unlike it, fractions may be exactly 1, and overhang the border by 2 %: there the
            # published test `all(n < 1)` takes them for pixels and returns a corner of the image.
            coordinates=Coordinates("guessed"),
            edges=Edges(padding=0.1, pads_first=True),
            budgets=view_budgets(
                (256 * _UNIT_28, 8000 * _UNIT_28),
                (256 * _UNIT_28, 5120 * _UNIT_28),
                (4 * _UNIT_28, 512 * _UNIT_28),
                (4 * _UNIT_28, 512 * _UNIT_28),
                factor=28,
            ),
            wording=Wording(
                observations={
                    "crop_image": "\nHere is the cropped image (Image Size: {width}x{height}):{images}",
                    "select_frames": "\nHere are the selected frames (Frame Size: {width}x{height}, "
                    "Numbered {first} to {last}):{images}",
                },
                failure="\nExecution error:\n{message}\n",
                question=_GUIDELINE,
            ),
            crops_source=False,
            answer_rule="any",
            text_continues=False,
            video_entry=True,
        ),
        # The embedded 2 M-parameter model: no tool text, a call of 6 tokens, short answers.
        Dialect(
            name="tiny",
            calls=IntegerCalls(),
            coordinates=Coordinates("grid", 16),
            budgets=view_budgets(
                (64 * 64, 64 * 64), (128 * 128, 128 * 128), (64 * 64, 64 * 64), (128 * 128, 128 * 128), factor=16
            ),
            system="",
            shows_tools=False,
            wording=Wording(observations={"crop_image": ""}, failure="{message}", expected="answer"),
            default_image=0,
            answer_rule="marker",
        ),
    )
}


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
    if path.resolve() in reading:
        way = " -> ".join(file.name for file in (*reading, path))
        raise ConfigError(
            f"the dialect {path} is its own base: {way}. Give one of them a row of the table as its base."
        )
    return read_dialect(path, partial(_named, reading=(*reading, path.resolve())))


def _derived(dialect: Dialect, variants: Sequence[str], operations: Sequence[str], name: str) -> Dialect:
    for variant in variants:
        if variant not in VARIANTS:
            raise UnknownNameError.among("dialect variant", variant, VARIANTS, f"The name is {name!r}.")
        if dialect.answer_rule == "marker":
            raise ConfigError(
                f"{dialect.name!r} has no variants: only dialects with boxed answers have them. "
                f"Give {dialect.name!r} alone."
            )
        dialect = replace(VARIANTS[variant](dialect), name=f"{dialect.name}:{variant}")
    return with_operations(checked_operations(dialect), operations)


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
