"""What a kind of argument defines: how it is read, written, described, stored and drawn.

Depends on boxes and conventions; independent of operations, dialects and call syntaxes. A field of an operation
declares its kind: `box: Box = argument(Region())`. The kinds that ship are in `argument_kinds.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, field
from typing import Any, ClassVar, TypeGuard

import numpy as np

from pixel_env.boxes import Box
from pixel_env.operations.coordinates import Convention

BoxMap = Callable[[Box], Box]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What random arguments are drawn from.

    `images` shown so far; `frames` of the video that were shown (0 without one); `seconds` that it lasts (0: no times).
    """

    rng: np.random.Generator
    images: int = 1
    frames: int = 0
    seconds: float = 0.0


class Argument(ABC):
    """One kind of argument. Inside the library values are typed; on the wire they are JSON.

    `key`: its name in a call, unless the dialect has another; `expected`: the wanted value, for messages; `words`: how
    many words a person types for it, None for all remaining ones; `typed_as`: their name in the usage, "" for the name
    of the field.
    """

    key: str
    words: ClassVar[int | None] = 1
    typed_as: ClassVar[str] = ""

    @property
    @abstractmethod
    def expected(self) -> str: ...

    @abstractmethod
    def is_well_formed(self, value: object) -> bool:
        """Whether the JSON `value` has the right type; `read` checks the rest."""

    def adapted(self, value: object, convention: Convention) -> object:
        """The JSON `value` without a convention of the dialect, such as an image's name; `is_well_formed` checks it."""
        return value

    @abstractmethod
    def read(self, value: Any, convention: Convention, image: int) -> Any:
        """The typed value, or a Failure; `image` is the number of the image that the call acts on."""

    @abstractmethod
    def write(self, value: Any, convention: Convention, image: int) -> Any:
        """The JSON value that `read` takes back, up to the rounding of the unit."""

    @abstractmethod
    def schema(self, convention: Convention) -> dict[str, Any]:
        """The JSON schema, description included."""

    @abstractmethod
    def draw(self, drawing: Drawing) -> Any:
        """A random legal value; None if there is none, such as a frame without a video."""

    def to_row(self, value: Any) -> Any:
        """The JSON value that a stored trajectory holds."""
        return value

    def from_row(self, row: Any) -> Any:
        """The inverse of `to_row`."""
        return row

    def mapped(self, value: Any, box_map: BoxMap) -> Any:
        """The value once the image that it lies on has changed by `box_map`."""
        return value

    def typed(self, words: Sequence[str], first_index: int) -> Any:
        """The JSON value of what a person typed, coordinates in fractions. Raises ValueError."""
        [word] = words
        return number_typed(word)

    def shown(self, value: Any) -> str:
        """The value for people; images and frames count from 1."""
        return str(value)


def argument(kind: Argument, default: Any = MISSING) -> Any:
    """A field of an operation that holds an argument of `kind`; with a `default` a call may leave it out."""
    return field(default=default, metadata={"argument": kind})


# ------------------------------------------------------------------------------------------------------- numbers


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a JSON value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def whole(value: object) -> int | None:
    """`value` as an int if it is a whole number (2 and 2.0 are), else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value  # of any size: isfinite() would overflow
    return int(value) if isinstance(value, float) and value.is_integer() else None


def number_typed(word: str) -> float:
    number = float(word)
    return int(number) if number.is_integer() else number
