"""Calls as integers after a marker, for models that are too small for JSON.

Depends on the protocol of call syntaxes; independent of dialects and operations.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixel_env.dialects.call_syntax import Call, two_calls
from pixel_env.failures import Failure, FailureCode


@dataclass(frozen=True, slots=True)
class IntegerCalls:
    """A call is `opening` and four integers up to the end of the turn.

    It always calls the operation `name` with the integers under `key`.
    """

    opening: str = "<crop>"
    name: str = "crop_image"
    key: str = "bbox_2d"

    @property
    def markers(self) -> tuple[str, ...]:
        """The opening marker."""
        return (self.opening,)

    @property
    def exact_grid(self) -> bool:
        """True: only whole numbers can be written."""
        return True

    def parse(self, text: str, names: Sequence[str], *, is_unfinished: bool) -> Call | Failure:
        """Failures: two_calls, cut_off, bad_arguments."""
        if text.count(self.opening) > 1:
            return two_calls()
        words = text.partition(self.opening)[2].split()
        if is_unfinished:
            return Failure(FailureCode.CUT_OFF, "The call was cut off: it must end with the turn.")
        if not all(re.fullmatch(r"-?[0-9]{1,9}", word) for word in words):
            return Failure(FailureCode.BAD_ARGUMENTS, f"The call cannot be read: {self.opening} takes 4 whole numbers.")
        return Call(self.name, {self.key: [int(word) for word in words]})

    def write(self, call: Call) -> str:
        """The marker and the numbers. Raises ValueError for other operations, and for any but the first image."""
        if call.name != self.name:
            raise ValueError(f"cannot {call.name.replace('_', ' ')}")
        if set(call.arguments) != {self.key}:
            raise ValueError("can only crop the first image")
        return " ".join([self.opening, *map(str, call.arguments[self.key])])

    def can_say(self, name: str) -> bool:
        """Whether it is the one operation of this syntax."""
        return name == self.name

    def tool_text(self, schemas: Sequence[Mapping[str, Any]]) -> str:
        """Empty: the models are trained on their call."""
        return ""

    def without_call(self, text: str) -> str:
        """The text before the marker: the call extends to the end."""
        return text.partition(self.opening)[0].strip()
