"""The kinds of argument that ship: images, frames, regions, points, choices and amounts.

Depends on boxes and conventions; independent of operations, dialects and call syntaxes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pixel_env.boxes import FULL, Box, PaddedBox, read_box
from pixel_env.failures import Failure, FailureCode, no_such_image
from pixel_env.operations.arguments import Argument, BoxMap, Drawing, is_number, number_typed, whole
from pixel_env.operations.coordinates import FRACTION_STEPS, Convention


@dataclass(frozen=True, slots=True)
class ImageNumber(Argument):
    """The number of an image: the task's images first, then those of every observation, in order."""

    key: str = "target_image"

    @property
    def expected(self) -> str:
        return "a whole number"

    def is_well_formed(self, value: object) -> bool:
        return whole(value) is not None

    def adapted(self, value: object, convention: Convention) -> object:
        """The number of the image that is called `value`, if the dialect names images."""
        names = convention.image_names
        if names is None or not isinstance(value, str):
            return value
        number = names.number_of(value, convention.first_index)
        return value if number is None else number + convention.first_index

    def read(self, value: Any, convention: Convention, image: int) -> int:
        return whole_number(value) - convention.first_index

    def write(self, value: int, convention: Convention, image: int) -> int | str:
        names = convention.image_names
        return value + convention.first_index if names is None else names.name_of(value, convention.first_index)

    def schema(self, convention: Convention) -> dict[str, Any]:
        first, names = convention.first_index, convention.image_names
        if names is not None:
            listed = f"{names.name_of(0, first)} (the first one given), {names.name_of(1, first)}, ..."
            return {"type": "string", "description": f"Name of the image: {listed}"}
        return {"type": "integer", "description": f"Number of the image, from {first} (the first one given)."}

    def draw(self, drawing: Drawing) -> int | None:
        return int(drawing.rng.integers(drawing.images)) if drawing.images > 1 else 0

    def shown(self, value: int) -> str:
        return f"image {value + 1}"


@dataclass(frozen=True, slots=True)
class FrameNumbers(Argument):
    """Numbers of frames of the video, in any order."""

    key: str = "target_frames"
    words: ClassVar[int | None] = None
    typed_as: ClassVar[str] = "N N ..."

    @property
    def expected(self) -> str:
        return "a list of whole numbers"

    def is_well_formed(self, value: object) -> bool:
        return isinstance(value, list) and all(whole(item) is not None for item in value)

    def read(self, value: Any, convention: Convention, image: int) -> tuple[int, ...]:
        return tuple(whole_number(item) - convention.first_index for item in value)

    def write(self, value: tuple[int, ...], convention: Convention, image: int) -> list[int]:
        return [frame + convention.first_index for frame in value]

    def schema(self, convention: Convention) -> dict[str, Any]:
        return {
            "type": "array",
            "items": {"type": "integer"},
            "description": f"Frame numbers from {convention.first_index}, at most {convention.max_frames}.",
        }

    def draw(self, drawing: Drawing) -> tuple[int, ...] | None:
        if drawing.frames == 0:
            return None
        count = int(drawing.rng.integers(1, min(4, drawing.frames) + 1))
        return tuple(sorted(drawing.rng.choice(drawing.frames, count, replace=False).tolist()))

    def to_row(self, value: tuple[int, ...]) -> list[int]:
        return list(value)

    def from_row(self, row: Sequence[int]) -> tuple[int, ...]:
        return tuple(row)

    def typed(self, words: Sequence[str], first_index: int) -> list[float]:
        return [number_typed(word) for word in words]

    def shown(self, value: tuple[int, ...]) -> str:
        return f"frames {' '.join(str(frame + 1) for frame in value)}"


@dataclass(frozen=True, slots=True)
class Region(Argument):
    """A box, in the dialect's unit of coordinates."""

    key: str = "bbox_2d"
    words: ClassVar[int | None] = 4
    typed_as: ClassVar[str] = "X0 Y0 X1 Y1"

    @property
    def expected(self) -> str:
        return "a list of 4 numbers"

    def is_well_formed(self, value: object) -> bool:
        return isinstance(value, list) and all(is_number(item) for item in value)

    def read(self, value: Any, convention: Convention, image: int) -> Box | Failure:
        fractions, edges = _as_fractions(value, convention, image), convention.edges
        if isinstance(fractions, Failure):
            return fractions
        box = read_box(fractions, edges.overhang, padding=edges.padding if edges.pads_first else None)
        if isinstance(box, Box):
            return box
        return FULL if edges.whole_image_on_failure else _explained(box, convention)

    def write(self, value: Box, convention: Convention, image: int) -> list[float]:
        width, height = _scale_for_writing(convention, image)
        steps = FRACTION_STEPS if convention.coordinates.written == "fraction" else 1
        most = convention.coordinates.most
        x0, x1 = _rounded_edges(value.x0 * width * steps, value.x1 * width * steps, round(most * width * steps))
        y0, y1 = _rounded_edges(value.y0 * height * steps, value.y1 * height * steps, round(most * height * steps))
        edges = (x0, y0, x1, y1)
        return list(edges) if steps == 1 else [edge / steps for edge in edges]

    def schema(self, convention: Convention) -> dict[str, Any]:
        return {
            "type": "array",
            "items": {"type": "number"},
            "description": f"x0, y0, x1, y1 of the region. {convention.coordinates.described()}",
        }

    def draw(self, drawing: Drawing) -> Box:
        # Corners in eighths, at least a quarter apart: legal in fractions, in pixels of 512 and on a grid of 16.
        x0, y0 = drawing.rng.integers(0, 6, size=2) / 8
        return Box(float(x0), float(y0), float(x0 + 0.25), float(y0 + 0.25))

    def to_row(self, value: Box) -> list[float] | dict[str, list[float]]:
        return {"padded": list(value.corners)} if value.is_padded else list(value.corners)

    def from_row(self, row: Sequence[float] | dict[str, list[float]]) -> Box:
        return PaddedBox(*row["padded"]) if isinstance(row, dict) else Box(*row)

    def mapped(self, value: Box, box_map: BoxMap) -> Box:
        return box_map(value)

    def typed(self, words: Sequence[str], first_index: int) -> list[float]:
        return [number_typed(word) for word in words]

    def shown(self, value: Box) -> str:
        return f"[{', '.join(f'{corner:.3f}' for corner in value.corners)}]"


@dataclass(frozen=True, slots=True)
class Point(Argument):
    """A point (x, y), in the dialect's unit of coordinates; inside the library fractions of the image."""

    key: str = "point_2d"
    words: ClassVar[int | None] = 2
    typed_as: ClassVar[str] = "X Y"

    @property
    def expected(self) -> str:
        return "a list of 2 numbers"

    def is_well_formed(self, value: object) -> bool:
        return isinstance(value, list) and len(value) == 2 and all(is_number(item) for item in value)

    def read(self, value: Any, convention: Convention, image: int) -> tuple[float, float] | Failure:
        fractions = _as_fractions(value, convention, image)
        if isinstance(fractions, Failure):
            return fractions
        overhang = convention.edges.overhang if convention.edges.window_is_clipped else 0.0
        if not all(-overhang <= fraction <= 1.0 + overhang and math.isfinite(fraction) for fraction in fractions):
            return _explained(Failure(FailureCode.BOX_OUTSIDE, "The point lies outside of the image."), convention)
        return fractions[0], fractions[1]

    def write(self, value: tuple[float, float], convention: Convention, image: int) -> list[float]:
        width, height = _scale_for_writing(convention, image)
        x, y = value[0] * width, value[1] * height
        if convention.coordinates.written == "fraction":
            most = convention.coordinates.most
            return [min(round(x, 4), most), min(round(y, 4), most)]
        return [round(x), round(y)]

    def schema(self, convention: Convention) -> dict[str, Any]:
        return {
            "type": "array",
            "items": {"type": "number"},
            "description": f"x, y of the point. {convention.coordinates.described()}",
        }

    def draw(self, drawing: Drawing) -> tuple[float, float]:
        x, y = drawing.rng.integers(0, 9, size=2) / 8
        return float(x), float(y)

    def to_row(self, value: tuple[float, float]) -> list[float]:
        return list(value)

    def from_row(self, row: Sequence[float]) -> tuple[float, float]:
        return row[0], row[1]

    def mapped(self, value: tuple[float, float], box_map: BoxMap) -> tuple[float, float]:
        x, y = min(max(value[0], _HALF), 1 - _HALF), min(max(value[1], _HALF), 1 - _HALF)
        moved = box_map(Box(x - _HALF, y - _HALF, x + _HALF, y + _HALF))
        return (moved.x0 + moved.x1) / 2, (moved.y0 + moved.y1) / 2

    def typed(self, words: Sequence[str], first_index: int) -> list[float]:
        return [number_typed(word) for word in words]

    def shown(self, value: tuple[float, float]) -> str:
        return f"({value[0]:.3f}, {value[1]:.3f})"


_HALF = 5e-4  # of the box that stands for a point when it is mapped


@dataclass(frozen=True, slots=True)
class Choice(Argument):
    """One of a few values, numbers or texts; `description` is what the model reads."""

    values: tuple[int | str, ...]
    description: str
    key: str

    @property
    def expected(self) -> str:
        return f"one of {', '.join(map(str, self.values))}"

    def is_well_formed(self, value: object) -> bool:
        return not isinstance(value, bool) and value in self.values

    def read(self, value: Any, convention: Convention, image: int) -> int | str:
        return self.values[self.values.index(value)]  # 90.0 is 90

    def write(self, value: int | str, convention: Convention, image: int) -> int | str:
        return value

    def schema(self, convention: Convention) -> dict[str, Any]:
        kind = "integer" if all(isinstance(value, int) for value in self.values) else "string"
        return {"type": kind, "enum": list(self.values), "description": self.description}

    def draw(self, drawing: Drawing) -> int | str:
        return self.values[int(drawing.rng.integers(len(self.values)))]

    def typed(self, words: Sequence[str], first_index: int) -> int | str:
        [word] = words
        return next((value for value in self.values if str(value) == word), word)

    def shown(self, value: int | str) -> str:
        return f"{self.key} {value}"


@dataclass(frozen=True, slots=True)
class Amount(Argument):
    """A number from `low` to `high`, both included; `description` is what the model reads."""

    low: float
    high: float
    description: str
    key: str

    @property
    def expected(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"

    def is_well_formed(self, value: object) -> bool:
        # Compared as it is: a whole number beyond all floats has no float.
        return is_number(value) and self.low <= value <= self.high

    def read(self, value: Any, convention: Convention, image: int) -> float:
        return float(value)

    def write(self, value: float, convention: Convention, image: int) -> float:
        return value

    def schema(self, convention: Convention) -> dict[str, Any]:
        return {"type": "number", "minimum": self.low, "maximum": self.high, "description": self.description}

    def draw(self, drawing: Drawing) -> float:
        return round(float(drawing.rng.uniform(self.low, self.high)), 2)

    def shown(self, value: float) -> str:
        return f"{self.key} {value:g}"


def whole_number(value: object) -> int:
    number = whole(value)
    assert number is not None, "checked by is_well_formed"
    return number


def _as_fractions(values: Sequence[float], convention: Convention, image: int) -> list[float] | Failure:
    scale = convention.scale_of(image, convention.coordinates.unit_of(values))
    if scale is None:
        return no_such_image(convention.images, convention.first_index)
    try:
        return [float(value) / scale[index % 2] for index, value in enumerate(values)]
    except OverflowError:
        return [math.inf] * len(values)


def _explained(failure: Failure, convention: Convention) -> Failure:
    """`failure` with the unit of coordinates, for the model."""
    return Failure(failure.code, f"{failure.message} {convention.coordinates.described()}")


def _scale_for_writing(convention: Convention, image: int) -> tuple[float, float]:
    scale = convention.scale_of(image)
    if scale is None:
        raise IndexError(f"image {image} has no known size; give the sizes of all images so far")
    return scale


def _rounded_edges(low: float, high: float, end: int) -> tuple[int, int]:
    """Both edges as whole numbers in 0..end, at least 1 apart."""
    start = min(round(low), end - 1)
    return start, min(end, max(start + 1, round(high)))
