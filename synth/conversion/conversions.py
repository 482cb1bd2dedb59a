r"""Rows of other formats to conversations and back: the released `message_list`, and TRL's `messages` with `images`.

    {"qid": "...", "message_list": [{"role": "user", "content": [{"text": "..."}, {"image": "images/1.jpg"}]}, ...]}
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "..."}, {"type": "image"}]}, ...],
     "images": ["images/1.jpg"]}

Paths are relative to the file. Where a row has the bytes of an image instead (`{"bytes": ..., "path": ...}`, as
`datasets` writes parquet), the bytes are used. A video is one entry of a `message_list`; for TRL its frames are images.
Our rows have one more column, `trace`, a JSON text from which the same trace is restored; other readers ignore it.

Source of the first format: the loader of TIGER-AI-Lab/Pixel-Reasoner (`instruction_tuning/`) and a public script that
reads TIGER-Lab/PixelReasoner-SFT-Data; the card and the rows of that data set were not available, so details are
unverified. Source of the second: TRL's `prepare_multimodal_messages`. Depends on conversations and rows; independent of
files.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixel_env.errors import TaskError
from synth.conversion.conversations import Conversation, Images, Message
from synth.conversion.encoded_images import EncodedImage

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RowFormat:
    """A format: `column` identifies its rows; `row_of` writes one, `conversation_of` reads one or raises TaskError."""

    name: str
    column: str
    row_of: Callable[[Conversation], Row]
    conversation_of: Callable[[Mapping[str, Any]], Conversation]


def message_list_row(conversation: Conversation) -> Row:
    """A row of the released format."""
    messages = [
        {"role": message.role, "content": [item for part in message.parts for item in _items(part)]}
        for message in conversation.messages
    ]
    return {"qid": conversation.name, "message_list": messages, **_note(conversation)}


def _items(part: str | Images) -> list[Row]:
    match part:
        case str(text):
            return [{"text": text}]
        case Images(files, is_video=True):
            return [{"video": list(files)}]
        case Images(files):
            return [{"image": name} for name in files]


def of_message_list(row: Mapping[str, Any]) -> Conversation:
    """The conversation of a row of the released format; keys of a content entry that are null count as absent."""
    try:
        messages = tuple(
            Message(message["role"], tuple(_part(item) for item in message["content"]))
            for message in row["message_list"]
        )
        return Conversation(str(row.get("qid") or ""), messages, row.get("trace") or "")
    except (KeyError, TypeError, AttributeError) as error:
        raise TaskError(f"not a message_list ({type(error).__name__}: {error})") from error


def _part(item: Mapping[str, Any]) -> str | Images:
    if (text := item.get("text")) is not None:
        return str(text)
    if (video := item.get("video")) is not None:
        return Images((video,) if isinstance(video, str) else tuple(map(_image, video)), is_video=True)
    if (image := item.get("image")) is not None:
        return Images((_image(image),))
    raise KeyError("text, image or video")


def _image(value: Any) -> str | EncodedImage:
    if isinstance(value, str):
        return value
    data, path = value.get("bytes"), value.get("path")
    if isinstance(data, bytes):
        return EncodedImage(data)
    if data is None and isinstance(path, str):
        return path
    raise TypeError("an image is a path, or an object with 'bytes' or 'path'")


def trl_row(conversation: Conversation) -> Row:
    """A row for TRL's SFTTrainer; load `images` with `datasets.Image`."""
    messages = [
        {"role": message.role, "content": [item for part in message.parts for item in _blocks(part)]}
        for message in conversation.messages
    ]
    files = [name for message in conversation.messages for part in message.images for name in part.files]
    return {"id": conversation.name, "messages": messages, "images": files, **_note(conversation)}


def _blocks(part: str | Images) -> list[Row]:
    if isinstance(part, str):
        return [{"type": "text", "text": part}]
    return [{"type": "image"} for _ in part.files]


def of_trl(row: Mapping[str, Any]) -> Conversation:
    """The conversation of a row with `messages` and, if there are any, `images`. Frames of a video are read as images.

    As in TRL, all images come before the first question if that is a plain text.
    """
    try:
        images = tuple(map(_image, row.get("images") or ()))
        contents = _contents(row["messages"], len(images))
        placeholders = sum(block["type"] == "image" for content in contents for block in content)
        if placeholders != len(images):
            raise TaskError(
                f"'images' has {len(images)} entries and 'messages' has {placeholders} image blocks "
                '({"type": "image"}); the numbers must be equal'
            )
        files = iter(images)
        messages = tuple(
            Message(message["role"], tuple(_of_block(block, files) for block in content))
            for message, content in zip(row["messages"], contents, strict=True)
        )
        return Conversation(str(row.get("id") or ""), messages, row.get("trace") or "")
    except (KeyError, TypeError, AttributeError) as error:
        raise TaskError(f"not TRL's messages ({type(error).__name__}: {error})") from error


def _contents(messages: Sequence[Mapping[str, Any]], image_count: int) -> list[Sequence[Mapping[str, Any]]]:
    """The blocks of each message."""
    contents = []
    for message in messages:
        content = message["content"]
        if isinstance(content, str):
            content = [{"type": "text", "text": content}]
            if message["role"] == "user":
                content, image_count = [{"type": "image"}] * image_count + content, 0
        contents.append(content)
    return contents


def _of_block(block: Mapping[str, Any], files: Iterator[str | EncodedImage]) -> str | Images:
    return Images((next(files),)) if block["type"] == "image" else str(block["text"])


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
