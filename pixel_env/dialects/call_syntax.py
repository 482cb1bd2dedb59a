"""A call syntax: how a call is written in an assistant's text.

Depends on failures; independent of dialects and operations: a syntax turns text into a name and arguments (JSON values
under the dialect's own keys) and back. `operations/calls.py` interprets the arguments. Each syntax that ships is one
file; a dialect may hold one of your own.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pixel_env.failures import Failure, FailureCode


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it is written: the operation's name in the dialect, and the arguments by their keys in the dialect."""

    name: str
    arguments: Any = field(default_factory=dict)


class CallSyntax(Protocol):
    """How calls are written. Values of it are frozen dataclasses."""

    @property
    def opening(self) -> str:
        """The text that opens a call: a turn that holds it requests an operation."""
        ...

    @property
    def markers(self) -> tuple[str, ...]:
        """All texts with a meaning in this syntax; a teacher's text must not contain them."""
        ...

    @property
    def exact_grid(self) -> bool:
        """Whether coordinates are whole cells only, so that planned boxes must lie on the grid."""
        ...

    def parse(self, text: str, names: Sequence[str], *, is_unfinished: bool) -> Call | Failure:
        """The one call in `text`, which holds `opening`; `is_unfinished`: the turn's token limit truncated it.

        `names` are the operations that are offered, for messages. Arguments are not checked here.
        """
        ...

    def write(self, call: Call) -> str:
        """The text of `call`. Raises ValueError, with the reason alone ("can only ..."), if it cannot be written."""
        ...

    def can_say(self, name: str) -> bool:
        """Whether an operation of this name in the dialect can be called at all."""
        ...

    def tool_text(self, schemas: Sequence[Mapping[str, Any]]) -> str:
        """The part of the system text about the operations and how to call them; "" for none."""
        ...

    def without_call(self, text: str) -> str:
        """`text` without its call, if it holds one."""
        ...


def two_calls() -> Failure:
    """The failure of a turn with more than one call."""
    return Failure(FailureCode.TWO_CALLS, "Only one call per turn is allowed; nothing was executed.")


def body_of(text: str, opening: str, closing: str) -> str | Failure:
    """What stands between the marks of the one call in `text`. Failures: two_calls, cut_off."""
    if text.count(opening) > 1:
        return two_calls()
    body, mark, _ = text.partition(opening)[2].partition(closing)
    return body if mark else Failure(FailureCode.CUT_OFF, f"The call was cut off: it must end with {closing}.")


def json_or_text(written: str) -> Any:
    """A value that is written without quotes around texts: JSON where it is JSON, else the text itself, stripped."""
    text = written.strip()
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def text_of_value(value: Any) -> str:
    """The inverse of `json_or_text`: a text that would be read as JSON is quoted."""
    if isinstance(value, str) and json_or_text(value) == value:
        return value
    return json.dumps(value)


def text_around(text: str, opening: str, closing: str) -> str:
    """`text` without the first call between these marks: what stands before it and after it."""
    before, _, after = text.partition(opening)
    return f"{before} {after.partition(closing)[2]}".strip()


ONE_CALL = "You may call one function per turn to look closer."
"""What a system text says of the number of calls; `prompt.py` says it otherwise for a dialect that executes several."""


def described_tools(schemas: Sequence[Mapping[str, Any]], form: str) -> str:
    """The part of a system text about the operations: their schemas, one a line, and the `form` of a call."""
    listed = "\n".join(json.dumps(schema) for schema in schemas)
    return f"# Tools\n\n{ONE_CALL}\nThe functions, as JSON signatures:\n<tools>\n{listed}\n</tools>\n\n{form}"
