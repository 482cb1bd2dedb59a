"""The conversation of `PlainChat`'s ids as OpenAI's messages, with calls as text or as tool calls.

With tool calls, an assistant's turn is split into the calls that its text holds (`turns.py`), and the observation that
follows becomes tool messages; ids of calls are numbered by their position in the conversation. Depends on chat
messages; independent of connections.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

import numpy as np

from agents.chat.plain import PlainChat
from agents.engines.endpoint.support import Support
from agents.engines.endpoint.turns import split_turn
from pixel_env.dialects.call_syntax import Call
from pixel_env.media.encoding import exact_data_uri

_UNREADABLE = "unreadable"
"""The key of arguments that are no JSON object, as the server gets them back: chat templates read an object."""
_WITH_THE_FIRST = "All calls of this turn are answered together, in the result of the first one."
_IMAGES_FOLLOW = "The images are in the next message."

Pieces = Sequence[str | None]
UrlOf = Callable[[np.ndarray], str]


def messages_of(
    ids: Sequence[int],
    images: Sequence[np.ndarray],
    chat: PlainChat,
    url_of: UrlOf = exact_data_uri,
    *,
    support: Support = Support(),  # noqa: B008  # frozen
    are_calls_native: bool = False,
) -> list[dict[str, Any]]:
    """The conversation as messages, images as data URIs at their positions.

    `are_calls_native`: calls are `tool_calls` and observations after them `tool` messages; False: all is text.
    """
    urls, call_ids = (url_of(image) for image in images), _call_ids()
    messages: list[dict[str, Any]] = []
    unanswered: list[str] = []
    for role, pieces in chat.turns(ids, [(image.shape[1], image.shape[0]) for image in images]):
        if role == "user" and unanswered:
            messages += _results(pieces, urls, unanswered, shows_images_to_user=support.shows_images_to_user)
            unanswered = []
        elif role == "user":
            messages.append({"role": role, "content": _content(pieces, urls)})
        elif role == "system":
            messages.append({"role": role, "content": _text(pieces)})
        elif pieces:  # without any: the header of the turn to generate
            message = _assistant(_text(pieces), chat, support, call_ids, are_calls_native=are_calls_native)
            messages.append(message)
            unanswered = [call["id"] for call in message.get("tool_calls", ())]
    return messages


def has_tool_images(messages: Sequence[dict[str, Any]]) -> bool:
    """Whether a tool message holds an image: its content is a list of parts."""
    return any(message["role"] == "tool" and isinstance(message["content"], list) for message in messages)


def _assistant(
    text: str, chat: PlainChat, support: Support, call_ids: Iterator[str], *, are_calls_native: bool
) -> dict[str, Any]:
    splits_thought = support.reasoning_field is not None
    turn = split_turn(text, chat.dialect.calls, splits_thought=splits_thought, reads_calls=are_calls_native)
    message: dict[str, Any] = {"role": "assistant", "content": turn.content}
    if turn.thought and support.takes_reasoning and support.reasoning_field is not None:
        message[support.reasoning_field] = turn.thought
    if turn.calls:
        message["content"] = turn.content or None
        message["tool_calls"] = [
            {"id": next(call_ids), "type": "function", "function": {"name": call.name, "arguments": _arguments(call)}}
            for call in turn.calls
        ]
    return message


def _results(
    pieces: Pieces, urls: Iterator[str], call_ids: Sequence[str], *, shows_images_to_user: bool
) -> list[dict[str, Any]]:
    """The observation as one tool message for each call; every call needs one, and the first one has the result."""
    first, *others = call_ids
    closing = [{"role": "tool", "tool_call_id": id, "content": _WITH_THE_FIRST} for id in others]
    if None not in pieces or not shows_images_to_user:
        return [{"role": "tool", "tool_call_id": first, "content": _content(pieces, urls)}, *closing]
    text = _text(pieces).strip("\n")
    result = {"role": "tool", "tool_call_id": first, "content": text or _IMAGES_FOLLOW}
    shown = [piece for piece in pieces if piece is None]
    return [result, *closing, {"role": "user", "content": _content(shown, urls)}]


def _content(pieces: Pieces, urls: Iterator[str]) -> Any:
    if None not in pieces:
        return _text(pieces)
    return [
        {"type": "image_url", "image_url": {"url": next(urls)}} if piece is None else {"type": "text", "text": piece}
        for piece in pieces
    ]


def _text(pieces: Pieces) -> str:
    return "".join(piece or "" for piece in pieces)


def _arguments(call: Call) -> str:
    is_object = isinstance(call.arguments, dict)
    return json.dumps(call.arguments if is_object else {_UNREADABLE: call.arguments})


def _call_ids() -> Iterator[str]:
    """Nine letters and digits, which every server takes."""
    return (f"call{number:05d}" for number in count())
