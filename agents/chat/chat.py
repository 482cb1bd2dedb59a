"""A processor's chat format: texts and images -> token ids, and back.

The strings between texts (headers, end tokens, image placeholders) are read once from the processor's own template
(`template.py`). Ids are then concatenated: what was sampled is never rendered or tokenized again. A video is shown as
its frames, one image each, or as one entry of the prompt (`video_entry.py`) where the dialect says so. Depends on
transformers' processors; independent of environments, engines and rewards.
"""

import re
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoProcessor

from agents.chat.content_id import Frames
from agents.chat.feature_cache import FeatureCache, Features
from agents.chat.template import read_frame, renderer
from agents.chat.video_entry import VideoEntry, read_video_entry
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Prompt, message_parts
from pixel_env.errors import ConfigError
from pixel_env.operations.coordinates import Size


class Chat:
    """The chat format of one processor and one dialect. Implements `agents.chat.format.ChatFormat`. Thread-safe."""

    def __init__(self, processor: Any, dialect: Dialect) -> None:
        self.processor = processor
        self.dialect = dialect
        self._tokenizer = processor.tokenizer
        self._features = FeatureCache()
        self._lock = threading.Lock()  # fast tokenizers raise "Already borrowed" when threads share one
        self._frame = read_frame(renderer(processor), interleaves=dialect.interleaves)
        self.video_entry = dialect.video_entry
        self.image_id: int = processor.image_token_id
        self.video_id: int | None = getattr(processor, "video_token_id", None)
        self.pad_id: int = self._tokenizer.pad_token_id
        after_turn = self._ids(self._frame.assistant_to_user)
        self.end_id: int = after_turn[0]
        structural = {token.content: id for id, token in self._tokenizer.added_tokens_decoder.items() if token.special}
        self.banned_ids = frozenset(structural.values()) - {self.end_id}
        if self.image_id not in self.banned_ids or self.end_id not in structural.values():
            raise ConfigError(
                f"the tokenizer of {_name_of(processor)} does not mark {processor.image_token!r} and the token that "
                "ends a turn as special, so images and turns cannot be distinguished from text. Use the model's own "
                "tokenizer."
            )
        # A text that spells a structural token is split inside it, so that it stays text.
        self._spelled = re.compile("|".join(f"(?<={re.escape(n[0])})(?={re.escape(n[1:])})" for n in structural))

    @classmethod
    def from_pretrained(cls, folder: str | Path, dialect: Dialect) -> "Chat":
        """The chat format of a checkpoint folder."""
        return cls(AutoProcessor.from_pretrained(folder, trust_remote_code=False), dialect)

    # -------------------------------------------------------------------------------------------- texts and ids

    def open(self, prompt: Prompt, images: Sequence[np.ndarray], *, video_frames: int = 0) -> tuple[int, ...]:
        """The conversation up to and including the assistant's header, one placeholder per image token.

        The first `video_frames` images are one video entry. Raises ConfigError if the processor writes no plain one.
        """
        frame, sizes = self._frame, [size_of(image) for image in images]
        first, *turn = self._user_turn(prompt.question, len(sizes), video_frames)
        if prompt.system:
            ids = self._glued(frame.head, prompt.system, frame.system_to_user + first, *turn)
        else:
            ids = self._glued(frame.bare_head + first, *turn)
        return self._expanded(ids, sizes, video_frames)

    def reply(self, text: str, images: Sequence[np.ndarray], *, ended: bool) -> tuple[int, ...]:
        """What follows the assistant's sampled ids: their end if they lack it, `text` as a user turn, a new header."""
        return self._reply(text, [size_of(image) for image in images])[1 if ended else 0 :]

    @property
    def opens(self) -> str:
        """What the template writes at the beginning of every generated turn, such as "<think>\\n"; "" for nothing."""
        return self._frame.opens

    def encode(self, text: str) -> tuple[int, ...]:
        """An assistant's turn, end token included, without what the template itself opens every turn with.

        A turn without a thought closes the one that the template opens, at once: otherwise it would all be a thought.
        """
        said, closing = text.removeprefix(self.opens), self.dialect.thought_closing
        if closing and closing.replace("</", "<", 1) in self.opens and closing not in self.opens + said:
            said = f"\n{closing}\n\n{said}"
        return (*self.fragment(said), self.end_id)

    def fragment(self, text: str) -> tuple[int, ...]:
        """Ids of a piece of an assistant's turn."""
        return tuple(self._glued("", text))

    def decode(self, ids: Sequence[int]) -> str:
        """An assistant's ids as text, verbatim, without the end token."""
        kept = ids[:-1] if ids and ids[-1] == self.end_id else ids
        with self._lock:
            return self._tokenizer.decode(list(kept), skip_special_tokens=False, clean_up_tokenization_spaces=False)

    def call_opening_ids(self) -> frozenset[int]:
        """The token that opens a call: banning it forbids calls. Raises ConfigError if it is not one token."""
        opening = self.dialect.calls.opening
        ids = self._ids(opening)
        if len(ids) != 1:
            raise ConfigError(
                f"the tokenizer of {_name_of(self.processor)} encodes {opening!r} as {len(ids)} tokens; calls can be "
                "banned, as the policy no_zoom does, only if it is one token. Leave that policy out (--policies "
                "learned_zoom), use a dialect whose calls open with one token, or add that token."
            )
        return frozenset(ids)

    def count_tokens(self, text: str, sizes: Sequence[Size], *, video_frames: int = 0) -> int:
        """Tokens of a turn with `text` and images of these (width, height), its header and end included."""
        return len(self._reply(text, sizes, video_frames))

    def _reply(self, text: str, sizes: Sequence[Size], video_frames: int = 0) -> tuple[int, ...]:
        first, *turn = self._user_turn(text, len(sizes), video_frames)
        return self._expanded(self._glued(self._frame.assistant_to_user + first, *turn), sizes, video_frames)

    def _user_turn(self, text: str, images: int, video_frames: int) -> list[str]:
        mark = self._video.mark if video_frames else ""
        return self._frame.user_turn(message_parts(text, images), video_frames, mark)

    def _glued(self, *pieces: str) -> list[int]:
        """Ids of frame, text, frame, ...: encoded as one span, so that tokens merge as in a rendering."""
        spans = [""]
        for index, piece in enumerate(pieces):
            first, *others = self._spelled.split(piece) if index % 2 else [piece]
            spans[-1] += first
            spans += others
        return [id for span in spans for id in self._ids(span)]

    def _ids(self, text: str) -> list[int]:
        with self._lock:
            return self._tokenizer.encode(text, add_special_tokens=False)

    def _expanded(self, ids: Sequence[int], sizes: Sequence[Size], video_frames: int = 0) -> tuple[int, ...]:
        counts = {self.image_id: iter([self.image_tokens(*size) for size in sizes[video_frames:]])}
        if video_frames:
            counts[self._video.token_id] = iter([self.video_tokens(sizes[:video_frames])])
        return tuple(kept for id in ids for kept in ((id,) * next(counts[id]) if id in counts else (id,)))

    # ------------------------------------------------------------------------------------------------- images

    @property
    def image_factor(self) -> int:
        """Sides of images are multiples of it, in pixels; a square of that side is one token."""
        factor: int = self.processor.image_processor.patch_size * self.processor.image_processor.merge_size
        return factor

    def image_tokens(self, width: int, height: int) -> int:
        """Tokens of an image shown at `width` x `height` pixels. Raises ConfigError if a side is no multiple."""
        factor = self.image_factor
        if width % factor or height % factor:
            raise ConfigError(
                f"an image is shown at {width}x{height}, but {_name_of(self.processor)} reads multiples of {factor}. "
                f"Set the pixel budgets' factor to {factor}: `pixel-env dialect check` writes the lines for a "
                "dialect's file."
            )
        return (width // factor) * (height // factor)

    def video_tokens(self, sizes: Sequence[Size]) -> int:
        """Tokens of a video entry whose frames are shown at these (width, height). Raises TaskError if they differ."""
        return self._video.steps(sizes) * self.image_tokens(*sizes[0])

    @cached_property
    def holds_videos(self) -> bool:
        """Whether a conversation may contain a video entry: the dialect and the processor support it."""
        try:
            return self.video_entry and self._video is not None
        except ConfigError:
            return False

    @property
    def frames_per_step(self) -> int:
        """Frames of a video entry in one temporal patch. Raises ConfigError if the processor writes no plain entry."""
        return self._video.step

    def features(self, images: Sequence[np.ndarray], videos: Sequence[Frames] = ()) -> dict[str, torch.Tensor]:
        """The model's inputs for images and videos that already have their shown size; {} for none.

        `pixel_values` and `image_grid_thw` of the images, `pixel_values_videos` and `video_grid_thw` of the videos.
        """
        features: dict[str, torch.Tensor] = {}
        if images:
            processed = self._features.of(images, self._processed)
            features["pixel_values"] = torch.cat([one.patches for one in processed])
            features["image_grid_thw"] = torch.stack([one.grid for one in processed])
        if videos:
            processed = self._features.of(videos, self._video.processed)
            features["pixel_values_videos"] = torch.cat([one.patches for one in processed])
            features["video_grid_thw"] = torch.stack([one.grid for one in processed])
        return features

    @cached_property
    def _video(self) -> VideoEntry:
        with self._lock:
            return read_video_entry(self.processor, self._frame, self.image_factor)

    def _processed(self, images: list[np.ndarray]) -> list[Features]:
        # Copies: shown images are shared and read-only, of which torch warns.
        writable = [np.array(image) for image in images]
        batch = self.processor.image_processor(
            images=writable, do_resize=False, return_tensors="pt", input_data_format="channels_last"
        )
        patches = batch["pixel_values"].split(batch["image_grid_thw"].prod(-1).tolist())
        # Copies: a view into the batch would keep the whole batch in memory.
        return [Features(part.clone(), grid) for part, grid in zip(patches, batch["image_grid_thw"], strict=True)]

    def mm_token_type_ids(self, ids: torch.Tensor) -> torch.Tensor:
        """1 where `ids` contain an image's placeholder, 2 for a video's, else 0: position ids are computed from it."""
        types = (ids == self.image_id).to(torch.int)
        return types if self.video_id is None else types + 2 * (ids == self.video_id).to(torch.int)


def size_of(image: np.ndarray) -> Size:
    """Width and height."""
    return image.shape[1], image.shape[0]


def _name_of(processor: Any) -> str:
    return str(processor.tokenizer.name_or_path or type(processor).__name__)
