"""`RowForm`: what one form of rows declares, and what most forms share.

Values only. The table of the forms that ship is in `registry.py`; one of your own is named 'module:NAME'.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agents.traces.trace import Trace
from pixel_env.tasks.files.embedded import EmbeddedImage
from synth.conversion.conversations import Conversation
from synth.conversion.encoded_images import EncodedImage, HeldImage

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RowForm:
    """A form of rows: how a trace becomes rows, and how a row becomes a conversation.

    Args:
        name: What `--to` and `--from` call it.
        about: What it is, in one line.
        source: Where the form is published.
        is_verified: Whether the source was read; False: the form follows a description alone.
        recognises: Whether a row with these values, in a file of this name, has the form.
        rows_of: The rows of a trace and its conversation, images as paths; None: the form is read only.
        conversation_of: The conversation of a row; raises TaskError for a row that has none. None: such rows hold no
            turns, and `no_turns` says what to do with them.
        lost: What other readers of the rows do not get.
        is_of_tasks: Its rows are tasks: several traces of one task become one row.
        images: The column of a list of images; a parquet file holds their bytes. "": the images stand elsewhere.
        dialect: In which rows of other projects write calls; "": that of the released warm start, unless
            `--row_dialect` is given.
        part_of: The name of the episode of which the row is a part, "" for a row that is a whole one.
        trains_last_turn: Of a part, only the last turn is trained.
        image_folders: Folders beside the file that may hold its images.
    """

    name: str
    about: str
    source: str
    is_verified: bool
    recognises: Callable[[Mapping[str, Any], str], bool]
    rows_of: Callable[[Trace, Conversation], list[Row]] | None = None
    conversation_of: Callable[[Mapping[str, Any]], Conversation] | None = None
    no_turns: str = ""
    lost: tuple[str, ...] = ()
    is_of_tasks: bool = False
    images: str = ""
    dialect: str = ""
    part_of: Callable[[Mapping[str, Any]], str] | None = None
    trains_last_turn: bool = False
    image_folders: tuple[str, ...] = ()


def image_in(value: Any) -> str | HeldImage:
    """An image of a row: a path, or an object with `bytes`, `path` or `image`. Raises TypeError for anything else."""
    if isinstance(value, str):
        return value.removeprefix("file://")
    if isinstance(value, EmbeddedImage):
        return value
    if isinstance(value, bytes):
        return EncodedImage(value)
    data, path = value.get("bytes"), value.get("path") or value.get("image")
    if isinstance(path, EmbeddedImage):
        return path
    if isinstance(data, bytes):
        return EncodedImage(data)
    if data is None and isinstance(path, str):
        return path.removeprefix("file://")
    raise TypeError("an image is a path, or an object with 'bytes' or 'path'")


def images_of(conversation: Conversation) -> list[str]:
    """The files of all images of a conversation of ours, in order; the frames of a video are images."""
    items = [item for message in conversation.messages for part in message.images for item in part.files]
    return [item for item in items if isinstance(item, str)]


def note_in(row: Mapping[str, Any]) -> str:
    """The column `trace`, from which a trace of ours is restored; "" for rows of other projects."""
    note = row.get("trace")
    return note if isinstance(note, str) else ""


def with_note(row: Row, conversation: Conversation) -> Row:
    """The row with the column `trace`."""
    return {**row, "trace": conversation.trace} if conversation.trace else row
