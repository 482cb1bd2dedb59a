"""Message lists as conversations: the released `message_list`, TRL's `messages`, and OpenAI's with images in blocks.

    {"messages": [{"role": "user", "content": [{"type": "text", "text": "..."},
                                               {"type": "image_url", "image_url": {"url": "data:image/png;..."}}]},
                  {"role": "assistant", "content": null,
                   "tool_calls": [{"function": {"name": "...", "arguments": "{...}"}}]},
                  {"role": "tool", "content": [...]}, ...]}

A native tool call becomes the text by which the dialect writes it. Depends on conversations and call syntaxes;
independent of environments.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlparse

from pixel_env.dialects.call_syntax import Call, CallSyntax
from pixel_env.errors import TaskError
from pixel_env.tasks.files.row import shortened
from synth.conversion.conversations import Conversation, Images, Message
from synth.conversion.encoded_images import EncodedImage
from synth.conversion.forms.registry import form_of
from synth.conversion.forms.trl import TRL

COLUMNS = ("message_list", "messages", "conversations")
"""A file with one of these columns is one of message lists."""


def conversation_of(values: Mapping[str, Any], calls: CallSyntax) -> Conversation:
    """The conversation of a row; native tool calls are written in the syntax `calls`. Raises TaskError."""
    form = form_of(values)
    if form.conversation_of is None:
        raise TaskError(form.no_turns)
    if form is TRL and "images" not in values:
        return _of_openai(values, calls)
    return form.conversation_of(values)


def _of_openai(values: Mapping[str, Any], calls: CallSyntax) -> Conversation:
    try:
        messages = tuple(
            Message(str(message["role"]), (*_parts(message.get("content")), *_native_calls(message, calls)))
            for message in values["messages"]
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise TaskError(f"not OpenAI's messages ({type(error).__name__}: {error})") from error
    return Conversation(str(values.get("id") or values.get("qid") or ""), messages)


def _parts(content: Any) -> Iterator[str | Images]:
    if content is None:
        return
    if isinstance(content, str):
        yield content
        return
    for block in content:
        match block["type"]:
            case "text":
                yield str(block["text"])
            case "image_url":
                url = block["image_url"]
                yield Images((image_at(str(url if isinstance(url, str) else url["url"])),))
            case other:
                raise TaskError(f"a message holds a block of the type {other!r}; wanted: text or image_url")


def _native_calls(message: Mapping[str, Any], calls: CallSyntax) -> Iterator[str]:
    for call in message.get("tool_calls") or ():
        function = call["function"]
        yield _written(str(function["name"]), function["arguments"], calls)


def _written(name: str, arguments: Any, calls: CallSyntax) -> str:
    """The call's text; of arguments that are no object, the model's mistake, a text that reads as a broken call."""
    try:
        return calls.write(Call(name, json.loads(arguments) if isinstance(arguments, str) else arguments))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return f"{calls.opening}{name} {arguments}"


def image_at(url: str) -> str | EncodedImage:
    """The image of a data URI, or a path relative to the folder of the rows. Raises TaskError for an address."""
    try:
        parsed = urlparse(url)
    except ValueError as error:
        raise TaskError(f"the address of its image is none ({error})") from error
    if parsed.scheme == "data":
        header, _, data = url.partition(",")
        try:
            return EncodedImage(base64.b64decode(data, validate=True))
        except (ValueError, binascii.Error) as error:
            raise TaskError(f"its image {shortened(header)} is not base64 ({error})") from error
    if parsed.scheme in ("http", "https"):
        # Without user, password and query, in which keys may stand.
        public = f"{parsed.scheme}://{parsed.netloc.rpartition('@')[2]}{parsed.path}"
        raise TaskError(f"its image is at the address {shortened(public)}; download it and give its path")
    return unquote(parsed.path) if parsed.scheme == "file" else url
