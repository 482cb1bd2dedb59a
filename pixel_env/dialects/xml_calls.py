"""Calls as XML-like functions, as Qwen3.5 and Qwen3-Coder write them natively.

    <tool_call>
    <function=image_zoom_in_tool>
    <parameter=bbox_2d>
    [100, 200, 300, 400]
    </parameter>
    </function>
    </tool_call>

Depends on the protocol of call syntaxes; independent of dialects and operations.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixel_env.dialects.call_syntax import Call, body_of, described_tools, json_or_text, text_around, text_of_value
from pixel_env.failures import Failure, FailureCode

_FUNCTION = re.compile(r"<function=([^>\n]+)>")
_PARAMETER = re.compile(r"<parameter=([^>\n]+)>")
_FORM = "<function=NAME>, <parameter=KEY>VALUE</parameter> for each argument, </function>"


@dataclass(frozen=True, slots=True)
class XmlCalls:
    """A call is a function with parameters between `opening` and `closing`; a value that is JSON is read as JSON."""

    opening: str = "<tool_call>"
    closing: str = "</tool_call>"

    @property
    def markers(self) -> tuple[str, ...]:
        """All marks of a call."""
        return (self.opening, self.closing, "<function=", "</function>", "<parameter=", "</parameter>")

    @property
    def exact_grid(self) -> bool:
        """False: any number can be written."""
        return False

    def parse(self, text: str, names: Sequence[str], *, is_unfinished: bool) -> Call | Failure:
        """Failures: two_calls, cut_off, bad_arguments."""
        body = body_of(text, self.opening, self.closing)
        if isinstance(body, Failure):
            return body
        body = body.strip()
        function = _FUNCTION.match(body)
        arguments = None if function is None else _arguments_in(body[function.end() :].removesuffix("</function>"))
        if function is None or arguments is None:
            return Failure(FailureCode.BAD_ARGUMENTS, f"The call cannot be read: between the marks stand {_FORM}.")
        return Call(function[1].strip(), arguments)

    def write(self, call: Call) -> str:
        """Several lines, as the models' own templates write a call."""
        parameters = [
            f"<parameter={key}>\n{text_of_value(value)}\n</parameter>\n" for key, value in call.arguments.items()
        ]
        return f"{self.opening}\n<function={call.name}>\n{''.join(parameters)}</function>\n{self.closing}"

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
    *parameters, rest = (part.strip() for part in text.split("</parameter>"))
    arguments: dict[str, Any] = {}
    for part in parameters:
        if (parameter := _PARAMETER.match(part)) is None:
            return None
        arguments[parameter[1].strip()] = json_or_text(part[parameter.end() :])
    return None if rest else arguments
