"""`--asked`: the unit in which the model means its numbers, whatever unit the tool reads them in.

Depends on coordinates, edge rules and dialects; independent of episodes.
"""

import math
from dataclasses import dataclass, replace

from pixel_env.dialects.dialect import Dialect
from pixel_env.edges import Edges
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


@dataclass(frozen=True, slots=True)
class Asking:
    """How the texts of a run are read once more.

    `dialect`: the run's own, with the unit `unit` that the model means and edge rules that cut what is asked for and no
    more. `guess`: the run's own with the test `all(n < 1)`, which takes all other numbers for pixels of the source;
    None where the model does not mean fractions. Source of the test: verl_tool/servers/tools/pixel_reasoner.py, and
    experience_maker.py of the released Pixel Reasoner.
    """

    unit: str
    dialect: Dialect
    guess: Dialect | None


def asking_in(unit: str, dialect: Dialect) -> Asking:
    """How the texts of a run in `dialect` are read if the model means the unit of this name.

    A dialect that guesses the unit (`Coordinates.unit` "guessed") means fractions up to and including 1.
    """
    coordinates = asked_coordinates(unit) or replace(dialect.coordinates, one_is_a_pixel=False)
    exact = Edges(overhang=math.inf, min_side=1, max_aspect=math.inf, window_pixels=dialect.edges.window_pixels)
    asked = replace(dialect, coordinates=coordinates, edges=exact)
    if coordinates.written != "fraction":
        return Asking(unit, asked, None)
    guessed = Coordinates("guessed", otherwise="source_pixel", one_is_a_pixel=True)
    edges = replace(dialect.edges, overhang=math.inf, min_side=1, max_aspect=math.inf)
    return Asking(unit, asked, replace(dialect, coordinates=guessed, edges=edges))


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
