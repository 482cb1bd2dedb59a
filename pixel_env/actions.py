"""The one grammar: an assistant's text -> a typed action, and back.

`parse(text, dialect, shown_sizes)` and `write(action, dialect, shown_sizes)`; `tool_schemas(dialect)` is the same
grammar as JSON schemas. A dialect's call syntax finds the call in a text, its operations read the arguments; this is
the only module that puts them together.

`shown_sizes` are (width, height) of the images so far, as the model was shown them: only dialects that count in pixels
need them.
"""

from collections.abc import Sequence

from pixel_env.dialects.call_syntax import Call
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.prompt import system_text, tool_schemas
from pixel_env.episode import Action, Answer, Malformed, Text, Unfinished
from pixel_env.failures import Failure, FailureCode
from pixel_env.grading.boxed import last_boxed
from pixel_env.operations.calls import read_call, write_call
from pixel_env.operations.coordinates import Size
from pixel_env.operations.operation import Operation

__all__ = ["parse", "system_text", "tool_schemas", "write"]


def parse(text: str, dialect: Dialect, shown_sizes: Sequence[Size] = ()) -> Action:
    """What `text`, one whole turn of the assistant, does.

    A call wins over an answer in the same turn: the call is executed, the answer is not yet one. A turn that opens a
    call but does not hold exactly one readable call is `Malformed`, and so is every call where none are offered.
    """
    if dialect.calls.opening in text:
        action = _called(text, dialect, shown_sizes)
        return Malformed(action.code, action.message) if isinstance(action, Failure) else action
    answer = _answer_in(text, dialect)
    return Text(text) if answer is None else Answer(answer)


def _called(text: str, dialect: Dialect, shown_sizes: Sequence[Size]) -> Operation | Failure:
    if not dialect.offers_calls:
        return Failure(FailureCode.UNKNOWN_OPERATION, "Nothing can be called here; answer from what is shown.")
    by_name = {dialect.name_of(operation): operation for operation in dialect.offered}
    call = dialect.calls.parse(text, list(by_name), is_unfinished=isinstance(text, Unfinished))
    if isinstance(call, Failure):
        return call
    if call.name not in by_name:
        *others, last = by_name or ["none"]
        listed = f"{', '.join(others)} and {last}" if others else last
        return Failure(FailureCode.UNKNOWN_OPERATION, f"There is no operation of that name; there are {listed}.")
    return read_call(by_name[call.name], call.arguments, dialect.convention(shown_sizes), dialect.keys, call.name)


def _answer_in(text: str, dialect: Dialect) -> str | None:
    match dialect.answer_rule:
        case "boxed":
            return last_boxed(text)
        case "marker":
            _, marker, answer = text.rpartition(dialect.answer_marker)
            # A marked answer ends with its turn: what the token limit cut is not one yet.
            return answer.strip() if marker and not isinstance(text, Unfinished) else None
        case "any":
            boxed = last_boxed(text)
            return text.strip() if boxed is None else boxed


def write(action: Action, dialect: Dialect, shown_sizes: Sequence[Size] = ()) -> str:
    """The text by which an assistant does `action`: `parse` reads it back, up to the rounding of the unit.

    A box that rounding would empty is one unit wide instead. Raises ValueError for what the dialect cannot say (an
    operation that it does not offer, frames or a second image in one of integers; any call where none are offered; an
    answer that reads as something else; `Malformed`).
    """
    match action:
        case Operation():
            return _write_call(action, dialect, shown_sizes)
        case Answer(text):
            return _write_answer(text, dialect)
        case Text(text):
            return text
        case Malformed():
            raise ValueError("a Malformed action has no text of its own")


def _write_call(operation: Operation, dialect: Dialect, shown_sizes: Sequence[Size]) -> str:
    if not dialect.offers_calls:
        raise ValueError(f"the dialect {dialect.name!r} offers no calls")
    arguments = write_call(operation, dialect.convention(shown_sizes), dialect.keys)
    name = dialect.name_of(type(operation))
    try:
        written = dialect.calls.write(Call(name, arguments))
    except ValueError as error:
        raise ValueError(f"the dialect {dialect.name!r} {error}") from error
    if type(operation) not in dialect.offered:
        raise ValueError(f"the dialect {dialect.name!r} does not offer the operation {operation.name!r}")
    return written


def _write_answer(text: str, dialect: Dialect) -> str:
    match dialect.answer_rule:
        case "marker":
            written = dialect.answer_marker + text
        case "boxed" | "any":
            written = f"\\boxed{{{text}}}"
    if parse(written, dialect) != Answer(text.strip()):
        raise ValueError(f"the dialect {dialect.name!r} cannot write the answer {text!r}: {written!r} reads otherwise")
    return written
