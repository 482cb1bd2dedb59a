"""The one grammar: an assistant's text -> typed actions, and back.

`parse(text, dialect, shown_sizes)` and `write(action, dialect, shown_sizes)`; `tool_schemas(dialect)` is the same
grammar as JSON schemas. A dialect's call syntax finds the call in a text, its operations read the arguments; this is
the only module that puts them together.

`shown_sizes` are (width, height) of the images so far, as the model was shown them, and `source_sizes` those of their
pixels in the source: only dialects that count in pixels need them (`sizes_for`).

What a turn does, whatever the dialect:

1. A thought is nothing: only what follows the last `thought_closing` ("</think>") is read.
2. A call wins over an answer in the same turn: the call is executed, the answer is not yet one.
3. With several calls, `Dialect.several_calls` decides; text around calls is ignored.
4. A turn that the token limit truncated is no answer.
"""

from collections.abc import Sequence

from pixel_env.dialects.call_syntax import Call
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.prompt import system_text, tool_schemas
from pixel_env.episode import Action, Answer, Malformed, Text, Unfinished
from pixel_env.failures import Failure, FailureCode
from pixel_env.grading.boxed import last_boxed
from pixel_env.media.sizes import native_size, shown_size
from pixel_env.operations.calls import read_call, write_call
from pixel_env.operations.coordinates import Convention, Size
from pixel_env.operations.operation import Operation
from pixel_env.views import View, ViewBudgets

__all__ = ["parse", "parse_all", "sizes_for", "system_text", "tool_schemas", "without_thought", "write"]


def parse(text: str, dialect: Dialect, shown_sizes: Sequence[Size] = (), source_sizes: Sequence[Size] = ()) -> Action:
    """What `text`, one whole turn of the assistant, does; the first of several calls where all are executed.

    A turn that opens a call but does not hold exactly one readable call is `Malformed`, unless the dialect takes
    several, and so is every call where none are offered.
    """
    return parse_all(text, dialect, shown_sizes, source_sizes)[0]


def parse_all(
    text: str, dialect: Dialect, shown_sizes: Sequence[Size] = (), source_sizes: Sequence[Size] = ()
) -> tuple[Action, ...]:
    """All that `text` does, in order: one action, or several calls where the dialect executes all of them."""
    said, is_unfinished = without_thought(text, dialect), isinstance(text, Unfinished)
    if is_unfinished and _opens_a_thought(said, dialect):
        return (Text(text),)
    if dialect.calls.opening not in said:
        answer = None if is_unfinished else _answer_in(said, dialect)
        return (Text(text) if answer is None else Answer(answer),)
    calls = _calls_in(said, dialect)
    if isinstance(calls, Malformed):
        return (calls,)
    if len(calls) == 1 and not is_unfinished and _is_answer(calls[0], dialect):
        return (Answer(_marked(calls[0], dialect) or ""),)
    convention = dialect.convention(shown_sizes, source_sizes)
    return tuple(_called(call, dialect, convention, is_unfinished=is_unfinished) for call in calls)


def without_thought(text: str, dialect: Dialect) -> str:
    """What follows the thought: `text` after the last `thought_closing`; all of it if it closes no thought."""
    return text.rpartition(dialect.thought_closing)[2] if dialect.thought_closing else text


def _opens_a_thought(text: str, dialect: Dialect) -> bool:
    """Whether `text`, in which no thought ends, begins one: "<think>" for the closing "</think>"."""
    opening = dialect.thought_closing.replace("</", "<", 1)
    return opening != dialect.thought_closing and opening in text


def _calls_in(text: str, dialect: Dialect) -> list[str] | Malformed:
    """The texts of which each is read as one call."""
    _, *openings = text.split(dialect.calls.opening)
    texts = [dialect.calls.opening + rest for rest in openings]
    match dialect.several_calls:
        case "refuse":
            return [text]
        case "first":
            return texts[:1]
        case "last":
            return texts[-1:]
        case "all":
            if len(texts) <= dialect.max_calls:
                return texts
            allowed = f"At most {dialect.max_calls} calls per turn are allowed; nothing was executed."
            return Malformed(FailureCode.TWO_CALLS, allowed)


def _is_answer(call: str, dialect: Dialect) -> bool:
    """Whether the one call of a text is the answer itself, as "<action>output answer: B</action>" is."""
    opening, marker = dialect.calls.opening, dialect.answer_marker
    return marker.startswith(opening) and call.count(opening) == 1 and marker in call


def _called(text: str, dialect: Dialect, convention: Convention, *, is_unfinished: bool) -> Action:
    action = _read(text, dialect, convention, is_unfinished=is_unfinished)
    return Malformed(action.code, action.message) if isinstance(action, Failure) else action


def _read(text: str, dialect: Dialect, convention: Convention, *, is_unfinished: bool) -> Operation | Failure:
    if not dialect.offers_calls:
        return Failure(FailureCode.UNKNOWN_OPERATION, "Nothing can be called here; answer from what is shown.")
    by_name = dialect.by_name
    call = dialect.calls.parse(text, list(by_name), is_unfinished=is_unfinished)
    if isinstance(call, Failure):
        return call
    if call.name not in by_name:
        *others, last = [dialect.name_of(operation) for operation in dialect.offered] or ["none"]
        listed = f"{', '.join(others)} and {last}" if others else last
        return Failure(FailureCode.UNKNOWN_OPERATION, f"There is no operation of that name; there are {listed}.")
    return read_call(by_name[call.name], call.arguments, convention, dialect.argument_keys, call.name)


def _answer_in(text: str, dialect: Dialect) -> str | None:
    """The answer in a finished turn without its thought; None if there is none."""
    match dialect.answer_rule:
        case "boxed":
            return last_boxed(text)
        case "marker":
            return _marked(text, dialect)
        case "any":
            marked = _marked(text, dialect) if dialect.answer_closing else last_boxed(text)
            if marked is None:
                marked = last_boxed(text)
            return text.strip() if marked is None else marked


def _marked(text: str, dialect: Dialect) -> str | None:
    """What follows the last marker, up to its closing mark, and of it what is boxed; None without a marker.

    A marker that is closed goes before one that is not.
    """
    closed, closing, _ = text.rpartition(dialect.answer_closing) if dialect.answer_closing else ("", "", "")
    _, marker, rest = (closed if dialect.answer_marker in closed else text).rpartition(dialect.answer_marker)
    if not marker:
        return None
    answer = rest.partition(closing)[0] if closing else rest
    boxed = last_boxed(answer) if dialect.answer_closing else None
    return answer.strip() if boxed is None else boxed


def write(action: Action, dialect: Dialect, shown_sizes: Sequence[Size] = (), source_sizes: Sequence[Size] = ()) -> str:
    """The text by which an assistant does `action`: `parse` reads it back, up to the rounding of the unit.

    A box that rounding would empty is one unit wide instead. Raises ValueError for what the dialect cannot say (an
    operation that it does not offer, frames or a second image in one of integers; any call where none are offered; an
    answer that reads as something else; `Malformed`).
    """
    match action:
        case Operation():
            return _write_call(action, dialect, dialect.convention(shown_sizes, source_sizes))
        case Answer(text):
            return _write_answer(text, dialect)
        case Text(text):
            return text
        case Malformed():
            raise ValueError("a Malformed action has no text of its own")


def sizes_for(dialect: Dialect, views: Sequence[View], budgets: ViewBudgets) -> tuple[list[Size], list[Size]]:
    """The sizes of `views`, as shown within `budgets` and in the source, for `parse` and `write`.

    Both are empty for a dialect whose calls do not depend on them, so that no image is decoded.
    """
    if not dialect.coordinates.needs_sizes:
        return [], []
    return [shown_size(view, budgets) for view in views], [native_size(view) for view in views]


def _write_call(operation: Operation, dialect: Dialect, convention: Convention) -> str:
    if not dialect.offers_calls:
        raise ValueError(f"the dialect {dialect.name!r} offers no calls")
    arguments = write_call(operation, convention, dialect.argument_keys)
    name = dialect.name_of(type(operation))
    try:
        written = dialect.calls.write(Call(name, arguments))
    except ValueError as error:
        raise ValueError(f"the dialect {dialect.name!r} {error}") from error
    if type(operation) not in dialect.offered:
        raise ValueError(f"the dialect {dialect.name!r} does not offer the operation {operation.name!r}")
    return written


def _write_answer(text: str, dialect: Dialect) -> str:
    if dialect.answer_rule == "marker" or (dialect.answer_rule == "any" and dialect.answer_closing):
        written = dialect.answer_marker + text + dialect.answer_closing
    else:
        written = f"\\boxed{{{text}}}"
    if parse(written, dialect) != Answer(text.strip()):
        raise ValueError(f"the dialect {dialect.name!r} cannot write the answer {text!r}: {written!r} reads otherwise")
    return written
