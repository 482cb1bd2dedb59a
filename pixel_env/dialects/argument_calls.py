"""Calls as a name and pairs of keys and values, as GLM-4.5 writes them natively.

    <tool_call>image_zoom_in_tool
    <arg_key>bbox_2d</arg_key>
    <arg_value>[100, 200, 300, 400]</arg_value>
    </tool_call>

Depends on the protocol of call syntaxes; independent of dialects and operations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixel_env.dialects.call_syntax import Call, body_of, described_tools, json_or_text, text_around, text_of_value
from pixel_env.failures import Failure, FailureCode

_FORM = "the function's name, <arg_key>KEY</arg_key> and <arg_value>VALUE</arg_value> for each argument"


@dataclass(frozen=True, slots=True)
class ArgumentCalls:
    """A call is a name, `<arg_key>` and `<arg_value>` for each argument; a value that is JSON is read as JSON."""

    opening: str = "<tool_call>"
    closing: str = "</tool_call>"

    @property
    def markers(self) -> tuple[str, ...]:
        """All marks of a call."""
        return (self.opening, self.closing, "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>")

    @property
    def exact_grid(self) -> bool:
        """False: any number can be written."""
        return False

    def parse(self, text: str, names: Sequence[str], *, is_unfinished: bool) -> Call | Failure:
        """Failures: two_calls, cut_off, bad_arguments."""
        body = body_of(text, self.opening, self.closing)
        if isinstance(body, Failure):
            return body
        name, mark, rest = body.partition("<arg_key>")
        arguments = _arguments_in(mark + rest)
        if not name.strip() or "<" in name or arguments is None:
            return Failure(FailureCode.BAD_ARGUMENTS, f"The call cannot be read: between the marks stand {_FORM}.")
        return Call(name.strip(), arguments)

    def write(self, call: Call) -> str:
        """Several lines, as the model's own template writes a call."""
        pairs = [
            f"<arg_key>{key}</arg_key>\n<arg_value>{text_of_value(value)}</arg_value>\n"
            for key, value in call.arguments.items()
        ]
        return f"{self.opening}{call.name}\n{''.join(pairs)}{self.closing}"

    def can_say(self, name: str) -> bool:
        """True: any name can be written."""
        return True

    def tool_text(self, schemas: Sequence[Mapping[str, Any]]) -> str:
        """The schemas, one a line, and the form of a call."""
        form = self.write(Call("function-name", {"argument-key": "value, as JSON"}))
        return described_tools(schemas, f"A call has this form:\n{form}")

    def without_call(self, text: str) -> str:
        """The text before the opening mark and after the closing one."""
        return text_around(text, self.opening, self.closing)


def _arguments_in(text: str) -> dict[str, Any] | None:
    """The arguments that `text` holds, by key; None if it holds anything else."""
    arguments: dict[str, Any] = {}
    for pair in text.split("<arg_key>")[1:]:
        key, of_key, value = pair.partition("</arg_key>")
        before, opening, value = value.partition("<arg_value>")
        value, closing, after = value.partition("</arg_value>")
        if not (of_key and opening and closing) or before.strip() or after.strip():
            return None
        arguments[key.strip()] = json_or_text(value)
    return arguments
