"""Calls as JSON objects between two marks.

Depends on the protocol of call syntaxes; independent of dialects and operations.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixel_env.dialects.call_syntax import Call, body_of, described_tools, text_around
from pixel_env.failures import Failure, FailureCode


@dataclass(frozen=True, slots=True)
class JsonCalls:
    """A call is a JSON object between `opening` and `closing`.

    By default {"name", "arguments"} (Qwen-Agent's Nous format). `arguments_key`: another key of the arguments, such as
    "parameters". `bare`: the object is the arguments alone, of the operation of this name: `<grounding>{"bbox_2d": ...}
    </grounding>`. `break_lines`: the object stands on a line of its own.
    """

    opening: str = "<tool_call>"
    closing: str = "</tool_call>"
    arguments_key: str = "arguments"
    bare: str | None = None
    break_lines: bool = False

    @property
    def markers(self) -> tuple[str, ...]:
        """Both marks."""
        return (self.opening, self.closing)

    @property
    def exact_grid(self) -> bool:
        """False: any number can be written."""
        return False

    def parse(self, text: str, names: Sequence[str], *, is_unfinished: bool) -> Call | Failure:
        """Failures: two_calls, cut_off, broken_json, bad_arguments."""
        body = body_of(text, self.opening, self.closing)
        if isinstance(body, Failure):
            return body
        try:
            call = json.loads(body)
        except (ValueError, RecursionError):
            return Failure(FailureCode.BROKEN_JSON, f"The call is not valid JSON; write {self._form('...')}.")
        if self.bare is not None:
            return Call(self.bare, call)
        if not isinstance(call, dict) or not isinstance(call.get("name"), str):
            expected = f'a call is an object with the keys "name" and "{self.arguments_key}"'
            return Failure(FailureCode.BAD_ARGUMENTS, f"The call cannot be read: {expected}.")
        return Call(call["name"], call.get(self.arguments_key))

    def write(self, call: Call) -> str:
        """One line, unless `break_lines`. Raises ValueError for another operation than `bare`."""
        if self.bare not in (None, call.name):
            raise ValueError(f"cannot {call.name.replace('_', ' ')}")
        written = call.arguments if self.bare else {"name": call.name, self.arguments_key: call.arguments}
        end = "\n" if self.break_lines else ""
        return self.opening + end + json.dumps(written) + end + self.closing

    def can_say(self, name: str) -> bool:
        """Whether an operation of this name can be called: any, or the one that is called without its name."""
        return self.bare in (None, name)

    def tool_text(self, schemas: Sequence[Mapping[str, Any]]) -> str:
        """The schemas, one a line, and the form of a call (Nous format)."""
        if self.bare is not None:
            form = f"A call is the function's arguments as JSON:\n{self.opening}\n<arguments as JSON>\n{self.closing}"
        else:
            example = f'{{"name": <function-name>, "{self.arguments_key}": <arguments as JSON>}}'
            form = (
                "A call is a JSON object with the function's name and arguments:\n"
                f"{self.opening}\n{example}\n{self.closing}"
            )
        return described_tools(schemas, form)

    def without_call(self, text: str) -> str:
        """The text before the opening mark and after the closing one."""
        return text_around(text, self.opening, self.closing)

    def _form(self, value: str) -> str:
        named = f'{{"name": {value}, "{self.arguments_key}": {{{value}}}}}'
        return f"{self.opening}{f'{{{value}}}' if self.bare else named}{self.closing}"
