"""The kinds of argument that point into a video: seconds, clock times, rates and frame numbers.

Depends on numbers and conventions; independent of operations, dialects and call syntaxes.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pixel_env.operations.argument_kinds import Amount, whole_number
from pixel_env.operations.arguments import Argument, Drawing, is_number, whole
from pixel_env.operations.coordinates import Convention

_CLOCK = re.compile(r"(\d{1,6}):(\d{1,2})")


@dataclass(frozen=True, slots=True)
class Seconds(Argument):
    """A time of the video in seconds; `description` is what the model reads."""

    key: str
    description: str

    @property
    def expected(self) -> str:
        return "a time in seconds"

    def is_well_formed(self, value: object) -> bool:
        return is_number(value) and _is_finite(value)

    def read(self, value: Any, convention: Convention, image: int) -> float:
        return float(value)

    def write(self, value: float, convention: Convention, image: int) -> float:
        return value

    def schema(self, convention: Convention) -> dict[str, Any]:
        return {"type": "number", "description": self.description}

    def draw(self, drawing: Drawing) -> float | None:
        return round(float(drawing.rng.uniform(0, drawing.seconds)), 2) if drawing.seconds else None

    def shown(self, value: float) -> str:
        return f"{value:g} s"


@dataclass(frozen=True, slots=True)
class ClockTime(Argument):
    """A time of the video as "MM:SS", minutes beyond 59 included; inside the library whole seconds."""

    key: str = "time"

    @property
    def expected(self) -> str:
        return "a time as MM:SS"

    def is_well_formed(self, value: object) -> bool:
        return isinstance(value, str) and _CLOCK.fullmatch(value.strip()) is not None

    def read(self, value: Any, convention: Convention, image: int) -> int:
        found = _CLOCK.fullmatch(value.strip())
        assert found is not None, "checked by is_well_formed"
        return 60 * int(found[1]) + int(found[2])

    def write(self, value: int, convention: Convention, image: int) -> str:
        return as_clock(value)

    def schema(self, convention: Convention) -> dict[str, Any]:
        return {"type": "string", "description": "The time as MM:SS, such as 02:30."}

    def draw(self, drawing: Drawing) -> int | None:
        return int(drawing.rng.integers(math.ceil(drawing.seconds))) if drawing.seconds else None

    def typed(self, words: Sequence[str], first_index: int) -> str:
        [word] = words
        return word

    def shown(self, value: int) -> str:
        return as_clock(value)


@dataclass(frozen=True, slots=True)
class Rate(Amount):
    """A number of frames per second; None: that of the dialect's `FrameRule`."""

    low: float = 0.01
    high: float = 1000.0
    description: str = "Frames per second."
    key: str = "fps"


@dataclass(frozen=True, slots=True)
class FrameNumber(Argument):
    """The number of one frame of the video: of all frames of a file, not only of those that were shown."""

    key: str
    description: str
    typed_as: ClassVar[str] = "N"

    @property
    def expected(self) -> str:
        return "a whole number"

    def is_well_formed(self, value: object) -> bool:
        return whole(value) is not None

    def read(self, value: Any, convention: Convention, image: int) -> int:
        return whole_number(value) - convention.first_index

    def write(self, value: int, convention: Convention, image: int) -> int:
        return value + convention.first_index

    def schema(self, convention: Convention) -> dict[str, Any]:
        return {"type": "integer", "description": self.description}

    def draw(self, drawing: Drawing) -> int | None:
        return int(drawing.rng.integers(drawing.frames)) if drawing.frames else None

    def shown(self, value: int) -> str:
        return str(value + 1)


def as_clock(seconds: int) -> str:
    """Whole seconds as MM:SS."""
    return f"{seconds // 60:02d}:{seconds % 60:02d}"


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an int beyond the largest float
        return False
