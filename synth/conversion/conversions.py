r"""Rows of other formats to conversations and back: the released `message_list`, and TRL's `messages` with `images`.

    {"qid": "...", "message_list": [{"role": "user", "content": [{"text": "..."}, {"image": "images/1.jpg"}]}, ...]}
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "..."}, {"type": "image"}]}, ...],
     "images": ["images/1.jpg"]}

Paths are relative to the file; where a row has a picture's bytes instead (`{"bytes": ..., "path": ...}`, as `datasets`
writes parquet) these are taken. A video is one entry of a `message_list` and its frames as images for TRL. Our rows
have one more column, `trace`, a JSON text by which they become the same trace again; readers of the formats ignore it.

Source of the first: the loader of TIGER-AI-Lab/Pixel-Reasoner (`instruction_tuning/`) and a public script that reads
TIGER-Lab/PixelReasoner-SFT-Data; the data's own card and rows were not seen, so details are unverified. Of the second:
TRL's `prepare_multimodal_messages`. Pure functions of rows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixel_env.errors import TaskError
from synth.conversion.conversations import Conversation, Message, Pictures
from synth.conversion.encoded_pictures import EncodedPicture

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RowFormat:
    """`told_by`: the column that tells it; both directions, the second raises TaskError."""

    name: str
    told_by: str
    row_of: Callable[[Conversation], Row]
    conversation_of: Callable[[Mapping[str, Any]], Conversation]


def message_list_row(conversation: Conversation) -> Row:
    """A row of the released format."""
    messages = [
        {"role": message.role, "content": [item for part in message.parts for item in _items(part)]}
        for message in conversation.messages
    ]
    return {"qid": conversation.name, "message_list": messages, **_note(conversation)}


def _items(part: str | Pictures) -> list[Row]:
    match part:
        case str(text):
            return [{"text": text}]
        case Pictures(files, is_video=True):
            return [{"video": list(files)}]
        case Pictures(files):
            return [{"image": name} for name in files]


def of_message_list(row: Mapping[str, Any]) -> Conversation:
    """The conversation of a row of the released format; keys of a content that are null count as absent."""
    try:
        messages = tuple(
            Message(message["role"], tuple(_part(item) for item in message["content"]))
            for message in row["message_list"]
        )
        return Conversation(str(row.get("qid") or ""), messages, row.get("trace") or "")
    except (KeyError, TypeError, AttributeError) as error:
        raise TaskError(f"not a message_list ({type(error).__name__}: {error})") from error


def _part(item: Mapping[str, Any]) -> str | Pictures:
    if (text := item.get("text")) is not None:
        return str(text)
    if (video := item.get("video")) is not None:
        return Pictures((video,) if isinstance(video, str) else tuple(map(_picture, video)), is_video=True)
    if (image := item.get("image")) is not None:
        return Pictures((_picture(image),))
    raise KeyError("text, image or video")


def _picture(value: Any) -> str | EncodedPicture:
    if isinstance(value, str):
        return value
    data, path = value.get("bytes"), value.get("path")
    if isinstance(data, bytes):
        return EncodedPicture(data)
    if data is None and isinstance(path, str):
        return path
    raise TypeError("a picture is a path, or an object with 'bytes' or 'path'")


def trl_row(conversation: Conversation, *, images_first: bool = True) -> Row:
    """A row for TRL's SFTTrainer; load `images` with `datasets.Image`."""
    messages = []
    for message in conversation.messages:
        parts = sorted(message.parts, key=lambda part: isinstance(part, str)) if images_first else message.parts
        messages.append({"role": message.role, "content": [item for part in parts for item in _blocks(part)]})
    files = [name for message in conversation.messages for part in message.pictures for name in part.files]
    return {"id": conversation.name, "messages": messages, "images": files, **_note(conversation)}


def _blocks(part: str | Pictures) -> list[Row]:
    if isinstance(part, str):
        return [{"type": "text", "text": part}]
    return [{"type": "image"} for _ in part.files]


def of_trl(row: Mapping[str, Any]) -> Conversation:
    """The conversation of a row with `messages` and, if it shows any, `images`; it cannot tell that they are a video's.

    As in TRL, all images stand before the first question where that is a plain text.
    """
    try:
        images = tuple(map(_picture, row.get("images") or ()))
        contents = _contents(row["messages"], len(images))
        places = sum(block["type"] == "image" for content in contents for block in content)
        if places != len(images):
            raise TaskError(
                f"'images' has {len(images)}, and 'messages' has {places} places for them "
                '({"type": "image"}); each image has one'
            )
        files = iter(images)
        messages = tuple(
            Message(message["role"], tuple(_of_block(block, files) for block in content))
            for message, content in zip(row["messages"], contents, strict=True)
        )
        return Conversation(str(row.get("id") or ""), messages, row.get("trace") or "")
    except (KeyError, TypeError, AttributeError) as error:
        raise TaskError(f"not TRL's messages ({type(error).__name__}: {error})") from error


def _contents(messages: Sequence[Mapping[str, Any]], images: int) -> list[Sequence[Mapping[str, Any]]]:
    """The blocks of each message."""
    contents = []
    for message in messages:
        content = message["content"]
        if isinstance(content, str):
            content = [{"type": "text", "text": content}]
            if message["role"] == "user":
                content, images = [{"type": "image"}] * images + content, 0
        contents.append(content)
    return contents


def _of_block(block: Mapping[str, Any], files: Iterator[str | EncodedPicture]) -> str | Pictures:
    return Pictures((next(files),)) if block["type"] == "image" else str(block["text"])


def _note(conversation: Conversation) -> Row:
    return {"trace": conversation.trace} if conversation.trace else {}


ROW_FORMATS: dict[str, RowFormat] = {
    known.name: known
    for known in (
        RowFormat("message_list", "message_list", message_list_row, of_message_list),
        RowFormat("trl", "messages", trl_row, of_trl),
    )
}
"""By the name given to `--to`."""
