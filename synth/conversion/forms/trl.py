"""TRL's `messages` with `images`.

    {"messages": [{"role": "user", "content": [{"type": "text", "text": "..."}, {"type": "image"}], "train": false}],
     "images": ["images/1.jpg"]}

`train` is ours: TRL trains every assistant message unless the chat template reads this key. Frames of a video are
images. Source: TRL's `prepare_multimodal_messages` (trl/data_utils.py). Depends on conversations; independent of files.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agents.traces.trace import Trace
from pixel_env.errors import TaskError
from synth.conversion.conversations import Conversation, Images, Message
from synth.conversion.encoded_images import HeldImage
from synth.conversion.forms.form import Row, RowForm, image_in, images_of, note_in, with_note


def trl_row(conversation: Conversation, trace: Trace | None = None) -> Row:
    """A row for TRL's SFTTrainer; load `images` with `datasets.Image`. With its trace, messages have `train`."""
    turns = iter(() if trace is None else trace.turns)
    messages = [
        {**message_row(message), **({} if trace is None else {"train": _is_trained(message, turns)})}
        for message in conversation.messages
    ]
    row = {"id": conversation.name, "messages": messages, "images": images_of(conversation)}
    return with_note(row, conversation)


def _is_trained(message: Message, turns: Iterator[Any]) -> bool:
    # Arrow needs the key in every message; a message that is not the model's is never trained.
    return message.role == "assistant" and next(turns).train


def message_row(message: Message) -> Row:
    """The message as role and blocks, images as placeholders."""
    return {"role": message.role, "content": [item for part in message.parts for item in _blocks(part)]}


def _blocks(part: str | Images) -> list[Row]:
    if isinstance(part, str):
        return [{"type": "text", "text": part}]
    return [{"type": "image"} for _ in part.files]


def of_trl(row: Mapping[str, Any]) -> Conversation:
    """The conversation of a row with `messages` and, if there are any, `images`. Frames of a video are read as images.

    As in TRL, all images come before the first question if that is a plain text.
    """
    return Conversation(str(row.get("id") or ""), messages_in(row["messages"], row.get("images")), note_in(row))


def messages_in(given: Any, images: Any) -> tuple[Message, ...]:
    """The messages with their images. Raises TaskError for another number of placeholders than images."""
    try:
        items = tuple(map(image_in, images or ()))
        contents = _contents(given, len(items))
        placeholders = sum(block["type"] == "image" for content in contents for block in content)
        if placeholders != len(items):
            raise TaskError(
                f"'images' has {len(items)} entries and 'messages' has {placeholders} image blocks "
                '({"type": "image"}); the numbers must be equal'
            )
        files = iter(items)
        return tuple(
            Message(message["role"], tuple(_of_block(block, files) for block in content), _train_in(message))
            for message, content in zip(given, contents, strict=True)
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise TaskError(f"not TRL's messages ({type(error).__name__}: {error})") from error


def _train_in(message: Mapping[str, Any]) -> bool | None:
    train = message.get("train")
    return train if isinstance(train, bool) else None


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


def _of_block(block: Mapping[str, Any], files: Iterator[str | HeldImage]) -> str | Images:
    return Images((next(files),)) if block["type"] == "image" else str(block["text"])


def _recognises(values: Mapping[str, Any], file_name: str) -> bool:
    return "messages" in values


def _rows_of(trace: Trace, conversation: Conversation) -> list[Row]:
    return [trl_row(conversation, trace)]


TRL = RowForm(
    name="trl",
    about="messages and images for TRL's SFTTrainer",
    source="huggingface/trl, trl/data_utils.py, prepare_multimodal_messages",
    is_verified=True,
    recognises=_recognises,
    rows_of=_rows_of,
    conversation_of=of_trl,
    lost=(
        "which turns are not trained, unless the chat template reads the key 'train'",
        "that frames are a video",
        "kinds",
        "evidence",
    ),
    images="images",
)
