"""The conventions of a call: the unit of coordinates, the numbers and names of images, the sizes that were shown.

Depends on numbers and edge rules; independent of operations and of how a call is written.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pixel_env.boxes import OVERHANG, Size
from pixel_env.edges import Edges
from pixel_env.errors import ConfigError, UnknownNameError

FRACTION_STEPS = 10_000
"""Fractions are written with four decimals."""

_MOST_CELLS = 1_000_000

Unit = Literal["fraction", "pixel", "source_pixel", "grid", "guessed"]


@dataclass(frozen=True, slots=True)
class Coordinates:
    """The unit of coordinates.

    `fraction`: of the image's sides, 0 to 1. `pixel`: of the image as shown. `source_pixel`: of the image before it was
    shrunk to what is shown, which a model cannot see: for tools that cut the original, as published. `grid`: `cells`
    cells along each side. `guessed`: fractions if every number is at most 1 (plus the tolerated overhang), else
    `otherwise`; with `one_is_a_pixel` a number of exactly 1 makes all of them pixels, as the test `all(n < 1)` of
    verl-tool and of the released Pixel Reasoner does: a fraction box that touches the border becomes a corner of the
    image. No dialect of our own guesses.
    """

    unit: Unit
    cells: int = 1
    otherwise: Literal["pixel", "source_pixel"] = "pixel"
    one_is_a_pixel: bool = False

    def __post_init__(self) -> None:
        if self.unit not in get_args(Unit):
            raise UnknownNameError.among("unit of coordinates", str(self.unit), get_args(Unit))
        if self.otherwise not in ("pixel", "source_pixel"):
            raise UnknownNameError.among("unit of pixels", str(self.otherwise), ("pixel", "source_pixel"))
        if not 1 <= self.cells <= _MOST_CELLS:
            given = self.cells if self.cells < 1 else f"more than {_MOST_CELLS}"
            raise ConfigError(f"a grid of coordinates has {given} cells; give 1 to {_MOST_CELLS}, such as 1000")

    @property
    def written(self) -> Unit:
        """The unit in which calls are written: that of a guess is fractions."""
        return "fraction" if self.unit == "guessed" else self.unit

    @property
    def needs_sizes(self) -> bool:
        """Whether a call can be written or read only with the sizes of the images."""
        return self.unit in ("pixel", "source_pixel", "guessed")

    @property
    def most(self) -> float:
        """The largest fraction that is written: 1, unless a number of 1 would be read as a pixel."""
        return 1.0 - 1.0 / FRACTION_STEPS if self.unit == "guessed" and self.one_is_a_pixel else 1.0

    def unit_of(self, values: Sequence[float]) -> Unit:
        """The unit of these numbers of one call."""
        if self.unit != "guessed":
            return self.unit
        is_fraction = all(value < 1 if self.one_is_a_pixel else value <= 1 + OVERHANG for value in values)
        return "fraction" if is_fraction else self.otherwise

    def described(self) -> str:
        """One sentence for the model."""
        match self.unit:
            case "fraction" | "guessed":
                return "Coordinates are fractions from 0 to 1."
            case "pixel":
                return "Coordinates are pixels of the image as shown."
            case "source_pixel":
                return "Coordinates are pixels of the original image."
            case "grid":
                return f"Coordinates run from 0 to {self.cells}."


@dataclass(frozen=True, slots=True)
class ImageNames:
    """Names for images instead of numbers: `first` of the first image, `later` with `{number}` for all others.

    Example: `ImageNames("observation_{number}", "original_image")` with `first_index` 0 reads "original_image" and
    "observation_0" as the first image, and "observation_1" as the second. Raises ConfigError without `{number}`.
    """

    later: str
    first: str | None = None

    def __post_init__(self) -> None:
        if self.later.count("{number}") != 1:
            raise ConfigError(
                f"the name of an image is {self.later!r}; it must hold {{number}} once, as 'img_{{number}}'"
            )

    def name_of(self, image: int, first_index: int) -> str:
        """The name of image number `image` (from 0)."""
        return self.first if image == 0 and self.first is not None else self._named(image + first_index)

    def number_of(self, name: str, first_index: int) -> int | None:
        """The number (from 0) of the image that is called `name`; None if no image is called so."""
        if name == self.first:
            return 0
        before, after = self.later.split("{number}")
        match = re.fullmatch(f"{re.escape(before)}([0-9]{{1,9}}){re.escape(after)}", name)
        return None if match is None else int(match[1]) - first_index

    def _named(self, number: int) -> str:
        return self.later.replace("{number}", str(number))


@dataclass(frozen=True, slots=True)
class Convention:
    """What reading or writing a call needs of a dialect and of the episode; `Dialect` documents its fields.

    `shown_sizes`: (width, height) of the images so far, as the model was shown them, and `source_sizes`: those of their
    pixels in the source; only coordinates in pixels need them.
    """

    coordinates: Coordinates
    first_index: int = 1
    max_frames: int = 8
    default_image: int | None = None
    shown_sizes: Sequence[Size] = ()
    source_sizes: Sequence[Size] = ()
    image_names: ImageNames | None = None
    digits_as_text: bool = False
    edges: Edges = Edges()  # noqa: RUF009  # frozen

    @property
    def images(self) -> int:
        """How many images there are so far, as far as is known."""
        return max(len(self.shown_sizes), len(self.source_sizes))

    def scale_of(self, image: int, unit: Unit | None = None) -> tuple[float, float] | None:
        """The whole width and height of image number `image`, in `unit` or in the unit of written calls.

        None if that image does not exist.
        """
        match unit or self.coordinates.written:
            case "fraction" | "guessed":
                return 1.0, 1.0
            case "grid":
                return float(self.coordinates.cells), float(self.coordinates.cells)
            case "pixel":
                sizes = self.shown_sizes
            case "source_pixel":
                sizes = self.source_sizes
        if not 0 <= image < len(sizes):
            return None
        width, height = sizes[image]
        return float(width), float(height)
