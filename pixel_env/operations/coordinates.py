"""The conventions of a call: the unit of coordinates, the number of the first image, the sizes that were shown.

Depends on numbers; independent of operations and of how a call is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pixel_env.errors import ConfigError, UnknownNameError

Size = tuple[int, int]
"""Width and height in pixels."""

FRACTION_STEPS = 10_000
"""Fractions are written with four decimals."""


@dataclass(frozen=True, slots=True)
class Coordinates:
    """The unit of coordinates: fractions of the image, pixels of the image as shown, or cells of a grid on it."""

    unit: Literal["fraction", "pixel", "grid"]
    cells: int = 1

    def __post_init__(self) -> None:
        if self.unit not in ("fraction", "pixel", "grid"):
            raise UnknownNameError.among("unit of coordinates", str(self.unit), ("fraction", "pixel", "grid"))
        if self.cells < 1:
            raise ConfigError(f"a grid of coordinates has {self.cells} cells; give 1 or more, such as 1000")

    def scale(self, shown_size: Size) -> tuple[float, float]:
        """The whole width and the whole height in this unit, for an image shown at (width, height)."""
        match self.unit:
            case "fraction":
                return (1.0, 1.0)
            case "pixel":
                return (float(shown_size[0]), float(shown_size[1]))
            case "grid":
                return (float(self.cells), float(self.cells))

    def described(self) -> str:
        """One sentence for the model."""
        match self.unit:
            case "fraction":
                return "Coordinates are fractions from 0 to 1."
            case "pixel":
                return "Coordinates are pixels of the image as shown."
            case "grid":
                return f"Coordinates run from 0 to {self.cells}."


@dataclass(frozen=True, slots=True)
class Convention:
    """What reading or writing a call needs of a dialect and of the episode.

    `shown_sizes`: (width, height) of the images so far, as the model was shown them; only pixel coordinates need them.
    `default_image`: the image (from 0) of a call that names none; None: a call must name its image.
    """

    coordinates: Coordinates
    first_index: int = 1
    max_frames: int = 8
    default_image: int | None = None
    shown_sizes: Sequence[Size] = ()

    def scale_of(self, image: int) -> tuple[float, float] | None:
        """The whole width and height of image number `image` in this unit; None if that image does not exist."""
        if self.coordinates.unit != "pixel":
            return self.coordinates.scale((1, 1))
        return self.coordinates.scale(self.shown_sizes[image]) if 0 <= image < len(self.shown_sizes) else None
