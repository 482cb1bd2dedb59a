"""The protocol of chat formats: texts and images as token ids, and back.

Depends on prompts and images; independent of model libraries.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from pixel_env.episode import Prompt


class ChatFormat(Protocol):
    """Texts and images as token ids. `chat.Chat` follows a processor's template; `PlainChat` needs none.

    `video_entry`: the frames of a video are one entry of the opening prompt, not images. `opens`: what the format
    itself writes at the beginning of each generated turn, such as "<think>\\n". `fragment`: a piece of an assistant's
    turn, without its end. Where the images of a message stand: `episode.message_parts`.
    """

    end_id: int
    pad_id: int
    image_id: int
    banned_ids: frozenset[int]
    video_entry: bool

    def call_opening_ids(self) -> frozenset[int]: ...
    @property
    def opens(self) -> str: ...
    def open(self, prompt: Prompt, images: Sequence[np.ndarray], *, video_frames: int = 0) -> tuple[int, ...]: ...
    def reply(self, text: str, images: Sequence[np.ndarray], *, ended: bool) -> tuple[int, ...]: ...
    def encode(self, text: str) -> tuple[int, ...]: ...
    def fragment(self, text: str) -> tuple[int, ...]: ...
    def decode(self, ids: Sequence[int]) -> str: ...
    def count_tokens(self, text: str, sizes: Sequence[tuple[int, int]], *, video_frames: int = 0) -> int: ...
