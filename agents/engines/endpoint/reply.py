"""Reading of a chat completion: the text, the thought and the calls of one turn. Nothing in it is trusted.

Depends on OpenAI's format of chat completions and the deviations of servers that speak it; independent of connections
and dialects.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pixel_env.dialects.call_syntax import Call

ReasoningField = Literal["reasoning_content", "reasoning"]
REASONING_FIELDS: tuple[ReasoningField, ...] = ("reasoning_content", "reasoning")
"""Where servers with a reasoning parser put a thought; vLLM has used both names."""

_TRUNCATED = frozenset({"length", "max_tokens", "model_length"})
_WITHHELD = "content_filter"
_FAILED = "error"


class WithheldError(Exception):
    """The endpoint's content filter held the reply back: what arrived is not what the model wrote."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One turn as an endpoint returns it.

    Args:
        content: The text, "" for none.
        calls: Native tool calls in order; arguments that are not JSON are their text.
        thought: The reasoning that the server separated from the text, and `thought_field`, the field it came in.
        ended: False if the token limit truncated the turn.
        stopped_by: The text of `stop` that ended the turn, if the server names it (vLLM's `stop_reason`).
        may_have_stopped: The turn ended by itself or at a text of `stop`.
    """

    content: str
    calls: tuple[Call, ...] = ()
    thought: str = ""
    thought_field: ReasoningField | None = None
    ended: bool = True
    stopped_by: str | None = None
    may_have_stopped: bool = True


def reply_in(body: bytes) -> Reply | None:
    """The reply in the body of a response; None if there is none, or if the provider behind the endpoint failed.

    Raises WithheldError.
    """
    try:
        choice = json.loads(body)["choices"][0]
        message, finish_reason = choice["message"], choice.get("finish_reason")
        if finish_reason == _FAILED:
            return None
        if finish_reason == _WITHHELD:
            raise WithheldError("the endpoint's content filter withheld the reply (finish_reason content_filter)")
        field = next((name for name in REASONING_FIELDS if isinstance(message.get(name), str) and message[name]), None)
        content, inline_thought = texts_in(message.get("content"))
        stop_reason = choice.get("stop_reason")
        return Reply(
            content=whole(content or texts_in(message.get("refusal"))[0]),
            calls=tuple(_calls_in(message)),
            thought=whole(inline_thought if field is None else message[field]),
            thought_field=field,
            ended=finish_reason not in _TRUNCATED,
            stopped_by=stop_reason if isinstance(stop_reason, str) else None,
            may_have_stopped=finish_reason in ("stop", None),
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def texts_in(content: Any) -> tuple[str, str]:
    """The text and the thought of a message's content: a string, nothing, or a list of parts."""
    if content is None:
        return "", ""
    if isinstance(content, str):
        return content, ""
    texts: list[str] = []
    thoughts: list[str] = []
    for part in content:
        if isinstance(part, str):
            texts.append(part)
        elif part.get("type") == "thinking":  # Mistral's reasoning models
            thoughts.append(texts_in(part.get("thinking"))[0])
        else:
            text = part.get("text", part.get("refusal", ""))
            texts.append(text if isinstance(text, str) else "")
    return "".join(texts), "".join(thoughts)


def _calls_in(message: Mapping[str, Any]) -> list[Call]:
    # A call of another type has no function: it calls nothing that was declared.
    calls = [call.get("function") or {} for call in message.get("tool_calls") or ()]
    if message.get("function_call"):  # the field before `tool_calls`, which some servers still send
        calls.append(message["function_call"])
    return [Call(whole(str(call.get("name") or "")), _arguments_of(call.get("arguments"))) for call in calls]


def _arguments_of(given: Any) -> Any:
    """The arguments as JSON values; a text that is no JSON stays the text. Some servers send the object itself."""
    if not isinstance(given, str):
        return {} if given is None else given
    if not given.strip():
        return {}
    try:
        return json.loads(given)
    except (ValueError, RecursionError):
        return whole(given)


def whole(text: str) -> str:
    """`text` with halves of surrogate pairs joined, and replaced where the other half is missing: UTF-8 has none."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
