"""A chat request to a teacher: messages with views, as a cache key and as OpenAI's messages.

Depends on views and OpenAI's chat messages; independent of plans, the wording of prompts and connections.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any, Literal

from pixel_env.dialects.dialect import view_budgets
from pixel_env.media.encoding import exact_data_uri
from pixel_env.media.showing import show
from pixel_env.task import VIDEO_FRAMES
from pixel_env.views import View, ViewBudgets

FACTOR = 28
_PIXELS_PER_TOKEN = FACTOR * FACTOR
_BYTES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message; its images come before its text."""

    role: Literal["system", "user", "assistant"]
    text: str
    views: tuple[View, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A conversation to be completed by the teacher; its images are shown within `budgets`."""

    messages: tuple[ChatMessage, ...]
    budgets: ViewBudgets

    def followed_by(self, *messages: ChatMessage) -> "ChatRequest":
        """The conversation with more messages."""
        return replace(self, messages=self.messages + messages)

    def key(self, **parameters: Any) -> str:
        """A hash of this conversation and of the `parameters` that influence the reply: model and sampling.

        An image enters by its content key and its size limits, so that no pixel is decoded; texts enter verbatim. The
        address of the endpoint does not enter.
        """
        contents = [(message.role, message.text, [self._name(v) for v in message.views]) for message in self.messages]
        return hashlib.sha256(json.dumps([parameters, contents], sort_keys=True).encode()).hexdigest()

    def openai_messages(self) -> list[dict[str, Any]]:
        """OpenAI's messages, with images as data URLs. Raises MediaError for an image that cannot be read."""
        return [{"role": message.role, "content": self._content(message)} for message in self.messages]

    @property
    def tokens(self) -> int:
        """An estimate of the number of tokens of the conversation."""
        texts = sum(len(message.text.encode("utf-8", "surrogatepass")) for message in self.messages)
        pixels = sum(self.budgets.of(view.kind).max_pixels for message in self.messages for view in message.views)
        return texts // _BYTES_PER_TOKEN + pixels // _PIXELS_PER_TOKEN

    def _content(self, message: ChatMessage) -> Any:
        if not message.views:
            return message.text
        urls = [exact_data_uri(show(view, self.budgets)) for view in message.views]
        images = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        return [*images, {"type": "text", "text": message.text}]

    def _name(self, view: View) -> tuple[Any, ...]:
        budget = self.budgets.of(view.kind)
        return (view.source.key, view.box.corners, budget.min_pixels, budget.max_pixels, budget.factor)


def teacher_budgets(max_pixels: int) -> ViewBudgets:
    """Budgets for an image, or for all frames of a video together; small crops are enlarged to a quarter of it."""
    whole = max(max_pixels, _PIXELS_PER_TOKEN)
    frame, selected, least = whole // VIDEO_FRAMES, whole // 4, _PIXELS_PER_TOKEN
    return view_budgets(
        (least, whole),
        (max(least, whole // 4), whole),
        (least, max(least, frame)),
        (least, max(least, selected)),
        factor=FACTOR,
    )
