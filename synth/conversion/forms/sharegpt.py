"""LLaMA-Factory's ShareGPT: `conversations` of `from` and `value`, with `images` and `videos`.

    {"conversations": [{"from": "human", "value": "<image>What ...?"}, {"from": "gpt", "value": "..."}, ...],
     "images": ["images/1.jpg"], "videos": []}

`<image>` and `<video>` stand where the next image or video goes; a video is a list of frames. Read, too: the tags
`role` and `content` with `user` and `assistant` in the column `messages` ("OpenAI format"), a column `system`, and the
roles `observation` and `function_call`. Source: data/README.md, data/mllm_demo.json and src/llamafactory/data/
converter.py of hiyouga/LLaMA-Factory. Depends on conversations; independent of files.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agents.traces.trace import Trace
from pixel_env.errors import TaskError
from pixel_env.tasks.files.row import shortened
from synth.conversion.conversations import Conversation, Images, Message
from synth.conversion.forms.form import Row, RowForm, image_in, note_in, with_note

IMAGE, VIDEO = "<image>", "<video>"
_MARKS = re.compile(f"({IMAGE}|{VIDEO})")
_TAGS = {"system": "system", "user": "human", "assistant": "gpt"}
ROLES = {
    "system": "system",
    "human": "user",
    "user": "user",
    "observation": "user",
    "tool": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "function_call": "assistant",
    "function": "assistant",
}
"""The role that a tag of LLaMA-Factory's examples stands for."""


def marked_text(message: Message) -> str:
    """The message as one text with a mark for each image or video. Raises TaskError for a text that holds a mark."""
    texts = []
    for part in message.parts:
        match part:
            case str(text) if _MARKS.search(text):
                raise TaskError(f"a text holds {IMAGE} or {VIDEO}, which this form takes for an image; reword it")
            case str(text):
                texts.append(text)
            case Images(_, is_video=True):
                texts.append(VIDEO)
            case Images(files):
                texts.append(IMAGE * len(files))
    return "".join(texts)


def media_of(conversation: Conversation) -> tuple[list[Any], list[list[Any]]]:
    """The images, and the frames of each video, in the order of their marks."""
    parts = [part for message in conversation.messages for part in message.images]
    images = [item for part in parts if not part.is_video for item in part.files]
    return images, [list(part.files) for part in parts if part.is_video]


def _rows_of(trace: Trace, conversation: Conversation) -> list[Row]:
    images, videos = media_of(conversation)
    messages = [{"from": _TAGS[one.role], "value": marked_text(one)} for one in conversation.messages]
    row = {"id": conversation.name, "conversations": messages, "images": images, "videos": videos}
    return [with_note(row, conversation)]


def parted(messages: Any, images: Any, videos: Any) -> tuple[Message, ...]:
    """Messages of tags and texts with marks, as conversations have them. Raises TaskError."""
    try:
        items = [image_in(item) for item in images or ()]
        films = [Images(tuple(map(image_in, film)), is_video=True) for film in videos or ()]
        marks = {IMAGE: iter([Images((item,)) for item in items]), VIDEO: iter(films)}
        texts = [_tagged(message) for message in messages]
        for mark, there, column in ((IMAGE, len(items), "images"), (VIDEO, len(films), "videos")):
            if (wanted := sum(text.count(mark) for _, text in texts)) != there:
                raise TaskError(f"{column!r} has {there} entries and the texts have {wanted} {mark}; wanted: as many")
        return tuple(Message(role, tuple(_parts(text, marks))) for role, text in texts)
    except (KeyError, TypeError, AttributeError) as error:
        raise TaskError(f"not ShareGPT's conversations ({type(error).__name__}: {error})") from error


def _tagged(message: Mapping[str, Any]) -> tuple[str, str]:
    role, text = (message["from"], message["value"]) if "from" in message else (message["role"], message["content"])
    if role not in ROLES:
        raise TaskError(f"a message is from {shortened(role)}; wanted: one of {', '.join(ROLES)}")
    if not isinstance(text, str):
        raise TypeError(f"a message is {shortened(text)}, wanted a text")
    return ROLES[role], text


def _parts(text: str, marks: Mapping[str, Iterator[Images]]) -> Iterator[str | Images]:
    for part in _MARKS.split(text):
        if part in marks:
            yield next(marks[part])
        elif part:
            yield part


def conversation_of(row: Mapping[str, Any]) -> Conversation:
    """The conversation of a row in either of the two namings. Raises TaskError."""
    messages = row["conversations"] if "conversations" in row else row["messages"]
    parts = parted(messages, row.get("images"), row.get("videos"))
    if (system := row.get("system")) and parts and parts[0].role != "system":
        parts = (Message("system", (str(system),)), *parts)
    return Conversation(str(row.get("id") or row.get("qid") or ""), parts, note_in(row))


def recognises(values: Mapping[str, Any], file_name: str) -> bool:
    """Whether the row has `conversations`, or `messages` of plain texts with marks."""
    if isinstance(values.get("conversations"), list):
        return True
    messages = values.get("messages")
    contents = [one.get("content") for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    texts = [content for content in contents if isinstance(content, str)]
    return len(texts) == len(contents) and any(map(_MARKS.search, texts))


SHAREGPT = RowForm(
    name="sharegpt",
    about="conversations, images and videos for LLaMA-Factory",
    source="hiyouga/LLaMA-Factory, data/README.md and src/llamafactory/data/converter.py",
    is_verified=True,
    recognises=recognises,
    rows_of=_rows_of,
    conversation_of=conversation_of,
    lost=("which turns are not trained (LLaMA-Factory trains all, or with mask_history the last)", "kinds", "evidence"),
    images="images",
)
