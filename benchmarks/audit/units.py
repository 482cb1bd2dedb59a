"""`--asked`: the unit in which the model means its numbers, whatever unit the tool reads them in.

Depends on coordinates, edge rules and dialects; independent of episodes.
"""

import math
from dataclasses import replace

from pixel_env.dialects.dialect import Dialect
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.operations.coordinates import Coordinates

OWN = "dialect"
"""The unit of the run's own dialect."""
_GRID = "grid:"
_UNITS = {
    "shown": Coordinates("pixel"),
    "pixel": Coordinates("pixel"),
    "source_pixel": Coordinates("source_pixel"),
    "fraction": Coordinates("fraction"),
}


def asked_coordinates(name: str) -> Coordinates | None:
    """The unit called `name`; None for "dialect". Raises UnknownNameError or ConfigError."""
    if name == OWN:
        return None
    if name.startswith(_GRID):
        cells = name.removeprefix(_GRID)
        if not cells.isdecimal():
            raise ConfigError(f"the unit {name!r} names no grid; give the number of its cells, such as grid:1000")
        return Coordinates("grid", int(cells))
    if name not in _UNITS:
        raise UnknownNameError.among("unit of coordinates", name, [OWN, *_UNITS, "grid:1000"])
    return _UNITS[name]


def asking_dialect(dialect: Dialect, name: str) -> Dialect:
    """`dialect` as the model means it: its calls with coordinates in the unit `name`, clamped to the image.

    A dialect that guesses the unit (`Coordinates.unit` "guessed") means fractions up to and including 1.
    """
    coordinates = asked_coordinates(name) or replace(dialect.coordinates, one_is_a_pixel=False)
    edges = replace(dialect.edges, overhang=math.inf, pads_first=False, whole_image_on_failure=False)
    return replace(dialect, coordinates=coordinates, edges=edges)


def guessing(asking: Dialect) -> Dialect | None:
    """`asking` as a tool with the test `all(n < 1)` reads it: other numbers are pixels of the source, however few.

    None where the model does not mean fractions. Source: verl_tool/servers/tools/pixel_reasoner.py, and
    experience_maker.py of the released Pixel Reasoner.
    """
    if asking.coordinates.written != "fraction":
        return None
    coordinates = Coordinates("guessed", otherwise="source_pixel", one_is_a_pixel=True)
    return replace(asking, coordinates=coordinates, edges=replace(asking.edges, min_side=1, max_aspect=math.inf))


def limits_of(dialect: Dialect, name: str) -> str:
    """What an audit of the dialect in the unit `name` cannot show; "" if there is nothing to say."""
    own = dialect.coordinates
    reads_source = "source_pixel" in (own.unit, own.otherwise if own.unit == "guessed" else "")
    if name != OWN or not reads_source:
        return ""
    return (
        "the tool reads pixels of the source, which a model cannot see; --asked shown audits a model that means pixels "
        "of the image as shown"
    )
