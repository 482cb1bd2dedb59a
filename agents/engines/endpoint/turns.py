"""A native reply as the text of a turn in a dialect, and back.

The environment, the store and the viewer see ordinary turns: the thought in `<think>` tags, the text, then each call as
the dialect writes it. The text holds all that the next request needs, so nothing is remembered between requests.
Depends on call syntaxes; independent of messages and connections.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agents.engines.endpoint.reply import Reply, whole
from pixel_env.dialects.call_syntax import Call, CallSyntax
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.prompt import tool_schemas
from pixel_env.errors import ConfigError
from pixel_env.failures import Failure, FailureCode

THINK, END_OF_THOUGHT = "<think>", "</think>"


@dataclass(frozen=True, slots=True)
class SplitTurn:
    """The parts of an assistant's turn."""

    thought: str
    content: str
    calls: tuple[Call, ...]


def text_of(reply: Reply, syntax: CallSyntax) -> str:
    """The turn's text: thought, content and calls, each call on its own line."""
    is_thinking = not (reply.ended or reply.content or reply.calls)  # the token limit came before the thought's end
    thought = f"{THINK}{reply.thought}{'' if is_thinking else END_OF_THOUGHT}" if reply.thought else ""
    calls = [_written(call, syntax) for call in reply.calls]
    # Arguments may hold halves of characters, too, which a syntax that does not escape them writes as they are.
    return whole(thought + "\n".join([*([reply.content] if reply.content or not calls else []), *calls]))


def split_turn(text: str, syntax: CallSyntax, *, splits_thought: bool, reads_calls: bool) -> SplitTurn:
    """The parts of a turn: what `text_of` wrote, or a turn that was scripted in the dialect.

    `splits_thought`: False: a thought stays in the content. `reads_calls`: False: so do calls. A turn with anything
    that `syntax.write` did not write, such as a call that the model wrote as text, is content as a whole.
    """
    thought, content = _thought_and_rest(text) if splits_thought else ("", text)
    first, *segments = content.split(syntax.opening)
    calls = [_call_in(syntax.opening + segment, syntax) for segment in segments] if reads_calls else []
    read = [call for call in calls if call is not None]
    if not read or len(read) < len(calls):
        return SplitTurn(thought, content, ())
    return SplitTurn(thought, first.removesuffix("\n"), tuple(read))


def with_stop(reply: Reply, stop: Sequence[str], syntax: CallSyntax) -> Reply:
    """`reply` with the stop text that ended it, which endpoints leave out, and without what follows one.

    The server names it, or else it is the one that closes an open call.
    """
    content = reply.content
    if ends := [content.index(text) + len(text) for text in stop if text in content]:
        return replace(reply, content=content[: min(ends)], ended=True)
    if not (reply.ended and reply.may_have_stopped) or reply.calls:
        return reply
    if reply.stopped_by in stop:
        return replace(reply, content=content + str(reply.stopped_by))
    return replace(reply, content=next((content + text for text in stop if _closes(content, text, syntax)), content))


def check_read_back(dialect: Dialect) -> None:
    """Raises ConfigError if native tool calls cannot be written as turns of `dialect` and read back."""
    names = [schema["function"]["name"] for schema in tool_schemas(dialect)]
    turn = SplitTurn("Thought.", "Words.", tuple(Call(name, {"key": 1}) for name in names) * 2)
    text = text_of(Reply(turn.content, turn.calls, turn.thought), dialect.calls)
    if split_turn(text, dialect.calls, splits_thought=True, reads_calls=True) != turn:
        raise ConfigError(
            f"the dialect {dialect.name!r} cannot write native tool calls so that they are read back. Give a dialect "
            "whose calls are JSON, or --tool_calls text."
        )


def _thought_and_rest(text: str) -> tuple[str, str]:
    if not text.startswith(THINK):
        return "", text
    thought, end, rest = text.removeprefix(THINK).rpartition(END_OF_THOUGHT)
    return (thought, rest) if end else (rest, "")


def _written(call: Call, syntax: CallSyntax) -> str:
    """The call's text; of one that the syntax cannot write, a text that the grammar reports as a broken call."""
    try:
        return syntax.write(call)
    except (ValueError, TypeError, AttributeError, RecursionError):  # arguments that are no object
        return f"{syntax.opening}{call.name} {call.arguments}"


def _call_in(text: str, syntax: CallSyntax) -> Call | None:
    """The call that `text` is; None if it is something else."""
    call = syntax.parse(text, (), is_unfinished=False)
    if isinstance(call, Failure):
        return None
    try:
        return call if syntax.write(call) == text.removesuffix("\n") else None
    except ValueError:
        return None


def _closes(content: str, stop: str, syntax: CallSyntax) -> bool:
    return _is_open(content, syntax) and not _is_open(content + stop, syntax)


def _is_open(content: str, syntax: CallSyntax) -> bool:
    if syntax.opening not in content:
        return False
    call = syntax.parse(content, (), is_unfinished=False)
    return isinstance(call, Failure) and call.code is FailureCode.CUT_OFF
