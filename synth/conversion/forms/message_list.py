r"""The released `message_list` (TIGER-Lab/PixelReasoner-SFT-Data).

    {"qid": "...", "message_list": [{"role": "user", "content": [{"text": "..."}, {"image": "images/1.jpg"}]}, ...]}

A video is one entry. Source: the loader of TIGER-AI-Lab/Pixel-Reasoner (`instruction_tuning/`) and a public script that
reads the data set; its card and its rows were not available. Depends on conversations; independent of files.
"""

from collections.abc import Mapping
from typing import Any

from agents.traces.trace import Trace
from pixel_env.errors import TaskError
from synth.conversion.conversations import Conversation, Images, Message
from synth.conversion.forms.form import Row, RowForm, image_in, note_in, with_note


def message_list_row(conversation: Conversation) -> Row:
    """A row of the released format."""
    messages = [
        {"role": message.role, "content": [item for part in message.parts for item in _items(part)]}
        for message in conversation.messages
    ]
    return with_note({"qid": conversation.name, "message_list": messages}, conversation)


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
        return Conversation(str(row.get("qid") or ""), messages, note_in(row))
    except (KeyError, TypeError, AttributeError) as error:
        raise TaskError(f"not a message_list ({type(error).__name__}: {error})") from error


def _part(item: Mapping[str, Any]) -> str | Images:
    if (text := item.get("text")) is not None:
        return str(text)
    if (video := item.get("video")) is not None:
        return Images((video,) if isinstance(video, str) else tuple(map(image_in, video)), is_video=True)
    if (image := item.get("image")) is not None:
        return Images((image_in(image),))
    raise KeyError("text, image or video")


def _recognises(values: Mapping[str, Any], file_name: str) -> bool:
    return "message_list" in values


def _rows_of(trace: Trace, conversation: Conversation) -> list[Row]:
    return [message_list_row(conversation)]


MESSAGE_LIST = RowForm(
    name="message_list",
    about="the released warm-start data of Pixel Reasoner",
    source="TIGER-AI-Lab/Pixel-Reasoner, instruction_tuning/sft_tooltrainer.py",
    is_verified=False,
    recognises=_recognises,
    rows_of=_rows_of,
    conversation_of=of_message_list,
    lost=("which turns are not trained (the released loader trains the last two)", "kinds", "evidence"),
)
