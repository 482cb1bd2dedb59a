"""Calls as JSON objects between two markers.

Depends on the protocol of call syntaxes; independent of dialects and operations.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixel_env.dialects.call_syntax import Call, two_calls
from pixel_env.failures import Failure, FailureCode


@dataclass(frozen=True, slots=True)
class JsonCalls:
    """A call is a JSON object {"name", "arguments"} between `opening` and `closing` (Qwen-Agent's Nous format)."""

    opening: str = "<tool_call>"
    closing: str = "</tool_call>"

    @property
    def markers(self) -> tuple[str, ...]:
        """Both markers."""
        return (self.opening, self.closing)

    @property
    def exact_grid(self) -> bool:
        """False: any number can be written."""
        return False

    def parse(self, text: str, names: Sequence[str], *, is_unfinished: bool) -> Call | Failure:
        """Failures: two_calls, cut_off, broken_json, bad_arguments."""
        if text.count(self.opening) > 1:
            return two_calls()
        body, closing, _ = text.partition(self.opening)[2].partition(self.closing)
        if not closing:
            return Failure(FailureCode.CUT_OFF, f"The call was cut off: it must end with {self.closing}.")
        try:
            call = json.loads(body)
        except (ValueError, RecursionError):
            example = f'{self.opening}{{"name": ..., "arguments": {{...}}}}{self.closing}'
            return Failure(FailureCode.BROKEN_JSON, f"The call is not valid JSON; write {example}.")
        if not isinstance(call, dict) or not isinstance(call.get("name"), str):
            expected = 'a call is an object with the keys "name" and "arguments"'
            return Failure(FailureCode.BAD_ARGUMENTS, f"The call cannot be read: {expected}.")
        return Call(call["name"], call.get("arguments"))

    def write(self, call: Call) -> str:
        """One line."""
        return self.opening + json.dumps({"name": call.name, "arguments": call.arguments}) + self.closing

    def can_say(self, name: str) -> bool:
        """True: any name can be written."""
        return True

    def tool_text(self, schemas: Sequence[Mapping[str, Any]]) -> str:
        """The schemas, one a line, and the form of a call (Nous format)."""
        listed = "\n".join(json.dumps(schema) for schema in schemas)
        return (
            "# Tools\n\nYou may call one function per turn to look closer.\n"
            f"The functions, as JSON signatures:\n<tools>\n{listed}\n</tools>\n\n"
            "A call is a JSON object with the function's name and arguments:\n"
            f'{self.opening}\n{{"name": <function-name>, "arguments": <arguments as JSON>}}\n{self.closing}'
        )

    def without_call(self, text: str) -> str:
        """The text before the opening marker and after the closing one."""
        before, _, after = text.partition(self.opening)
        return f"{before} {after.partition(self.closing)[2]}".strip()
