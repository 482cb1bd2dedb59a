"""`--asked`: the unit in which the model means its numbers, whatever unit the tool reads them in.

Depends on coordinates and dialects; independent of episodes.
"""

from dataclasses import replace

from pixel_env.dialects.dialect import Dialect
from pixel_env.errors import ConfigError
from pixel_env.operations.coordinates import Coordinates

OWN = "dialect"
"""The unit of the run's own dialect."""
_SHOWN = "shown"
_GRID = "grid:"


def asked_coordinates(name: str) -> Coordinates | None:
    """The unit called `name`: a unit of `Coordinates`, "shown" (pixels as shown) or "grid:N"; None for "dialect".

    Raises UnknownNameError or ConfigError.
    """
    if name == OWN:
        return None
    if name == _SHOWN:
        return Coordinates("pixel")
    if name.startswith(_GRID):
        cells = name.removeprefix(_GRID)
        if not cells.isdecimal():
            raise ConfigError(f"the unit {name!r} names no grid; give the number of its cells, such as grid:1000")
        return Coordinates("grid", int(cells))
    if name == "grid":
        raise ConfigError("the unit 'grid' needs the number of its cells, such as grid:1000")
    return Coordinates(name)  # type: ignore[arg-type]  # it checks the name itself


def asking_dialect(dialect: Dialect, name: str) -> Dialect:
    """`dialect` as the model means it: its calls with coordinates in the unit `name`."""
    coordinates = asked_coordinates(name)
    return dialect if coordinates is None else replace(dialect, coordinates=coordinates)
