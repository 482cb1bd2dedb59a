"""A chat format that needs no tokenizer: one id per UTF-8 byte.

Depends on ids and texts; independent of model libraries.
"""

from collections.abc import Sequence

import numpy as np

from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Prompt, message_parts

_SYSTEM, _USER, _ASSISTANT, _END, _IMAGE, _PAD, _OPENING = range(256, 263)


_SHOWN = {_SYSTEM: "[system]", _USER: "[user]", _ASSISTANT: "[assistant]", _END: "[end]", _IMAGE: "", _PAD: ""}


_ROLES = {_SYSTEM: "system", _USER: "user", _ASSISTANT: "assistant"}


class PlainChat:
    """One id per UTF-8 byte, one for each structural token and one for the text that opens a call.

    A video is shown as its frames, one image each, in every dialect.
    """

    end_id = _END
    pad_id = _PAD
    image_id = _IMAGE
    banned_ids = frozenset({_SYSTEM, _USER, _ASSISTANT, _IMAGE, _PAD})
    video_entry = False
    opens = ""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._factor = dialect.budgets.original.factor

    def call_opening_ids(self) -> frozenset[int]:
        """The id that opens a call."""
        return frozenset({_OPENING})

    def open(self, prompt: Prompt, images: Sequence[np.ndarray], *, video_frames: int = 0) -> tuple[int, ...]:
        """The conversation up to and including the assistant's header."""
        system = (_SYSTEM, *self._text(prompt.system), _END) if prompt.system else ()
        return (*system, *self._user_turn(prompt.question, [(i.shape[1], i.shape[0]) for i in images]))

    def reply(self, text: str, images: Sequence[np.ndarray], *, ended: bool) -> tuple[int, ...]:
        """The end of the assistant's turn if it lacks one, `text` as a user turn, a new header."""
        turn = self._user_turn(text, [(image.shape[1], image.shape[0]) for image in images])
        return turn if ended else (_END, *turn)

    def encode(self, text: str) -> tuple[int, ...]:
        """An assistant's turn, end included."""
        return (*self._text(text), _END)

    def fragment(self, text: str) -> tuple[int, ...]:
        """Ids of a piece of an assistant's turn."""
        return tuple(self._text(text))

    def decode(self, ids: Sequence[int]) -> str:
        """`ids` as text without a final end token; structural tokens are written in brackets."""
        kept = ids[:-1] if ids and ids[-1] == _END else ids
        tokens = {**_SHOWN, _OPENING: self.dialect.calls.opening}
        return b"".join(bytes([id]) if id < 256 else tokens[id].encode() for id in kept).decode(errors="replace")

    def count_tokens(self, text: str, sizes: Sequence[tuple[int, int]], *, video_frames: int = 0) -> int:
        """Tokens of a turn with `text` and images of these (width, height)."""
        return 1 + len(self._user_turn(text, sizes))

    def turns(self, ids: Sequence[int], sizes: Sequence[tuple[int, int]]) -> list[tuple[str, list[str | None]]]:
        """The conversation as roles and pieces: texts, and None for each image; `sizes`: of the images, in order."""
        image_sizes = iter(sizes)
        turns: list[tuple[str, list[str | None]]] = []
        text: list[int] = []
        index = 0

        def close_text() -> None:
            if text:
                turns[-1][1].append(self.decode(text))
                text.clear()

        while index < len(ids):
            id = ids[index]
            index += 1
            if id in _ROLES:
                turns.append((_ROLES[id], []))
            elif id == _IMAGE:
                close_text()
                width, height = next(image_sizes)
                index += (width // self._factor) * (height // self._factor) - 1
                turns[-1][1].append(None)
            elif id == _END:
                close_text()
            else:
                text.append(id)
        close_text()
        return turns

    def _user_turn(self, text: str, sizes: Sequence[tuple[int, int]]) -> tuple[int, ...]:
        ids, left = [_USER], iter(sizes)
        for part in message_parts(text, len(sizes)):
            if part is None:
                width, height = next(left)
                ids += [_IMAGE] * ((width // self._factor) * (height // self._factor))
            else:
                ids += self._text(part)
        return (*ids, _END, _ASSISTANT)

    def _text(self, text: str) -> list[int]:
        first, *others = text.split(self.dialect.calls.opening)
        return [*first.encode(), *(id for part in others for id in (_OPENING, *part.encode()))]
