"""The only file that knows a chat template: texts and pictures -> token ids, and back.

The wording between texts (headers, end tokens, picture marks) is read off the processor's own template once, by
rendering a conversation of known texts, and checked on a second one. From then on ids are glued: nothing that was
sampled is ever rendered or tokenised again. Knows nothing of environments, engines or rewards.
"""

import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoProcessor

from agents.feature_cache import FeatureCache, Features
from pixel_env.dialects import Dialect
from pixel_env.errors import ConfigError
from pixel_env.types import Prompt

Size = tuple[int, int]


class Chat:
    """One processor's chat format, speaking one dialect. Implements `rollout.ChatFormat`. Thread-safe."""

    def __init__(self, processor: Any, dialect: Dialect) -> None:
        self.processor = processor
        self.dialect = dialect
        self._tokenizer = processor.tokenizer
        self._features = FeatureCache()
        self._lock = threading.Lock()  # fast tokenizers raise "Already borrowed" when threads share one
        self._frame = read_frame(_renderer(processor), images_first=dialect.images_first)
        self.image_id: int = processor.image_token_id
        self.pad_id: int = self._tokenizer.pad_token_id
        after_turn = self._ids(self._frame.assistant_to_user)
        self.end_id: int = after_turn[0]
        structural = {token.content: id for id, token in self._tokenizer.added_tokens_decoder.items() if token.special}
        self.banned_ids = frozenset(structural.values()) - {self.end_id}
        if self.image_id not in self.banned_ids or self.end_id not in structural.values():
            raise ConfigError(
                f"the tokenizer of {_name_of(processor)} does not mark {processor.image_token!r} and the token that "
                "ends a turn as special; pictures and turns could not be told from text. Use the model's own tokenizer."
            )
        # A text that spells a structural token is cut inside of it, so that it stays text.
        self._spelled = re.compile("|".join(f"(?<={re.escape(n[0])})(?={re.escape(n[1:])})" for n in structural))

    @classmethod
    def from_pretrained(cls, folder: str | Path, dialect: Dialect) -> "Chat":
        """The chat format of a checkpoint folder."""
        return cls(AutoProcessor.from_pretrained(folder), dialect)

    # -------------------------------------------------------------------------------------------- texts and ids

    def open(self, prompt: Prompt, images: Sequence[np.ndarray]) -> tuple[int, ...]:
        """The conversation up to and including the assistant's header, one placeholder per picture token."""
        frame = self._frame
        before, after = frame.user_turn(len(images))
        if prompt.system:
            ids = self._glued(frame.head, prompt.system, frame.system_to_user + before, prompt.question, after)
        else:
            ids = self._glued(frame.bare_head + before, prompt.question, after)
        return self._expanded(ids, [_size_of(image) for image in images])

    def reply(self, text: str, images: Sequence[np.ndarray], *, ended: bool) -> tuple[int, ...]:
        """What follows the assistant's sampled ids: their end if they lack it, `text` as a user turn, a new header."""
        return self._reply(text, [_size_of(image) for image in images])[1 if ended else 0 :]

    def encode(self, text: str) -> tuple[int, ...]:
        """An assistant's turn, end token included."""
        return (*self._glued("", text), self.end_id)

    def decode(self, ids: Sequence[int]) -> str:
        """An assistant's ids as text, verbatim, without the end token."""
        kept = ids[:-1] if ids and ids[-1] == self.end_id else ids
        with self._lock:
            return self._tokenizer.decode(list(kept), skip_special_tokens=False, clean_up_tokenization_spaces=False)

    def call_opening_ids(self) -> frozenset[int]:
        """The token that opens a call: a policy that must not call bans it."""
        opening = self.dialect.calls.opening
        ids = self._ids(opening)
        if len(ids) != 1:
            raise ConfigError(
                f"the tokenizer of {_name_of(self.processor)} writes {opening!r} with {len(ids)} tokens, so calls "
                "cannot be banned by one. Use a dialect whose opening is one token, or add that token."
            )
        return frozenset(ids)

    def count_tokens(self, text: str, sizes: Sequence[Size]) -> int:
        """Tokens that a turn with `text` and pictures of these (width, height) takes, its header and end included."""
        return len(self._reply(text, sizes))

    def _reply(self, text: str, sizes: Sequence[Size]) -> tuple[int, ...]:
        before, after = self._frame.user_turn(len(sizes))
        return self._expanded(self._glued(self._frame.assistant_to_user + before, text, after), sizes)

    def _glued(self, *pieces: str) -> list[int]:
        """Ids of frame, text, frame, text, ...: one span, so that tokens join across borders as in a rendering."""
        spans = [""]
        for place, piece in enumerate(pieces):
            first, *others = self._spelled.split(piece) if place % 2 else [piece]
            spans[-1] += first
            spans += others
        return [id for span in spans for id in self._ids(span)]

    def _ids(self, text: str) -> list[int]:
        with self._lock:
            return self._tokenizer.encode(text, add_special_tokens=False)

    def _expanded(self, ids: Sequence[int], sizes: Sequence[Size]) -> tuple[int, ...]:
        counts = iter([self.picture_tokens(*size) for size in sizes])
        return tuple(kept for id in ids for kept in ((id,) * next(counts) if id == self.image_id else (id,)))

    # ------------------------------------------------------------------------------------------------- pictures

    @property
    def picture_factor(self) -> int:
        """Sides of pictures are multiples of it; its square is one token."""
        factor: int = self.processor.image_processor.patch_size * self.processor.image_processor.merge_size
        return factor

    def picture_tokens(self, width: int, height: int) -> int:
        """Tokens of a picture shown at `width` x `height`."""
        factor = self.picture_factor
        if width % factor or height % factor:
            raise ConfigError(
                f"a picture is shown at {width}x{height}, but {_name_of(self.processor)} reads multiples of {factor}. "
                f"Set the pixel budgets' factor to {factor}."
            )
        return (width // factor) * (height // factor)

    def features(self, images: Sequence[np.ndarray]) -> dict[str, torch.Tensor]:
        """`pixel_values` and `image_grid_thw` of pictures that already have their shown size; {} for none."""
        if not images:
            return {}
        found = self._features.of(images, self._processed)
        return {
            "pixel_values": torch.cat([one.patches for one in found]),
            "image_grid_thw": torch.stack([one.grid for one in found]),
        }

    def _processed(self, images: list[np.ndarray]) -> list[Features]:
        batch = self.processor.image_processor(
            images=images, do_resize=False, return_tensors="pt", input_data_format="channels_last"
        )
        patches = batch["pixel_values"].split(batch["image_grid_thw"].prod(-1).tolist())
        # Copies: a part of a batch would keep all of it in memory.
        return [Features(part.clone(), grid) for part, grid in zip(patches, batch["image_grid_thw"], strict=True)]

    def mm_token_type_ids(self, ids: torch.Tensor) -> torch.Tensor:
        """1 where `ids` hold a picture's placeholder, else 0: what the model's position ids are made from."""
        return (ids == self.image_id).to(torch.int)


def _size_of(image: np.ndarray) -> Size:
    return image.shape[1], image.shape[0]


def _name_of(processor: Any) -> str:
    return str(processor.tokenizer.name_or_path or type(processor).__name__)


# -------------------------------------------------------------------------------------------------- the template

Message = Mapping[str, Any]
Render = Callable[[Sequence[Message]], str]


@dataclass(frozen=True, slots=True)
class Frame:
    """The strings that a template writes around texts. `bare_head`: before the question if there is no system text."""

    head: str
    system_to_user: str
    bare_head: str
    user_to_assistant: str
    assistant_to_user: str
    picture: str
    images_first: bool

    def user_turn(self, pictures: int) -> tuple[str, str]:
        """What stands before and after the text of a user turn with that many pictures."""
        marks = self.picture * pictures
        return (marks, self.user_to_assistant) if self.images_first else ("", marks + self.user_to_assistant)


def read_frame(render: Render, *, images_first: bool) -> Frame:
    """The frame of the template behind `render`. Raises ConfigError for one whose turns depend on later ones."""
    try:
        one, three = _user("ONE", 0, images_first), _user("THREE", 0, images_first)
        whole = render([_system("SYS"), one, _assistant("TWO"), three])
        head, system_to_user, user_to_assistant, assistant_to_user, tail = re.split("SYS|ONE|TWO|THREE", whole)
        bare_head, bare_tail = render([one]).split("ONE")
        with_picture = render([_user("ONE", 1, images_first)])
        picture = with_picture.removeprefix(bare_head).removesuffix(bare_tail).replace("ONE", "")
    except ValueError as error:
        raise _unusable("it drops or repeats a text") from error
    frame = Frame(head, system_to_user, bare_head, user_to_assistant, assistant_to_user, picture, images_first)
    if not user_to_assistant == tail == bare_tail or not picture or not assistant_to_user:
        raise _unusable("what it writes around a turn depends on later turns")
    _check(frame, render)
    return frame


def _check(frame: Frame, render: Render) -> None:
    """The frame, glued, must say what the template says of a conversation with pictures in two turns."""
    (before, after), (before_second, after_second) = frame.user_turn(2), frame.user_turn(1)
    glued = (
        f"{frame.head}Be brief.{frame.system_to_user}{before}What is it?{after}"
        f"Let me look.{frame.assistant_to_user}{before_second}Closer:{after_second}"
    )
    images_first = frame.images_first
    messages = [_system("Be brief."), _user("What is it?", 2, images_first), _assistant("Let me look.")]
    if glued != render([*messages, _user("Closer:", 1, images_first)]):
        raise _unusable("a conversation of two turns is not the first turn plus the second")


def _unusable(reason: str) -> ConfigError:
    return ConfigError(
        f"the processor's chat template cannot be glued turn by turn: {reason}. "
        "Set processor.chat_template to one that writes every turn the same way, whatever follows."
    )


def _renderer(processor: Any) -> Render:
    return lambda messages: processor.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True)


def _system(text: str) -> Message:
    return {"role": "system", "content": [{"type": "text", "text": text}]}


def _assistant(text: str) -> Message:
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def _user(text: str, pictures: int, images_first: bool) -> Message:
    marks: Iterable[Mapping[str, str]] = [{"type": "image"}] * pictures
    words = {"type": "text", "text": text}
    return {"role": "user", "content": [*marks, words] if images_first else [words, *marks]}
