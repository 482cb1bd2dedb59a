"""What a teacher is asked, apart from how it is sent: lines of a conversation with views, as a key and as messages.

Knows views and OpenAI's chat messages. Knows nothing of plans, prompts' wording or connections.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any, Literal

from pixel_env.dialects.dialect import view_budgets
from pixel_env.media.encoding import exact_data_uri
from pixel_env.media.images import show
from pixel_env.task import VIDEO_FRAMES
from pixel_env.views import View, ViewBudgets

FACTOR = 28
_PIXELS_OF_A_TOKEN = FACTOR * FACTOR
_BYTES_OF_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Line:
    """What one side says; its pictures come first."""

    role: Literal["system", "user", "assistant"]
    text: str
    views: tuple[View, ...] = ()


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A conversation that waits for the teacher, its pictures shown within `budgets`."""

    lines: tuple[Line, ...]
    budgets: ViewBudgets

    def followed_by(self, *lines: Line) -> "Inquiry":
        """The conversation with more lines."""
        return replace(self, lines=self.lines + lines)

    def key(self, **asked: Any) -> str:
        """A name for this conversation and whatever else decides on the reply: equal keys ask the same.

        A picture is named by its content and by how it is shown, so no pixel is decoded for it; the prompts stand in
        it word for word. Where the model is reached does not matter.
        """
        lines = [(line.role, line.text, [self._name(view) for view in line.views]) for line in self.lines]
        return hashlib.sha256(json.dumps([asked, lines], sort_keys=True).encode()).hexdigest()

    def messages(self) -> list[dict[str, Any]]:
        """OpenAI's messages, pictures as data URLs. Raises MediaError for a picture that cannot be read."""
        return [{"role": line.role, "content": self._content(line)} for line in self.lines]

    @property
    def tokens(self) -> int:
        """About how many tokens the conversation has, before anybody counted."""
        texts = sum(len(line.text.encode("utf-8", "surrogatepass")) for line in self.lines)
        pixels = sum(self.budgets.of(view.kind).max_pixels for line in self.lines for view in line.views)
        return texts // _BYTES_OF_A_TOKEN + pixels // _PIXELS_OF_A_TOKEN

    def _content(self, line: Line) -> Any:
        if not line.views:
            return line.text
        urls = [exact_data_uri(show(view, self.budgets)) for view in line.views]
        pictures = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        return [*pictures, {"type": "text", "text": line.text}]

    def _name(self, view: View) -> tuple[Any, ...]:
        budget = self.budgets.of(view.kind)
        return (view.source.key, view.box.corners, budget.min_pixels, budget.max_pixels, budget.factor)


def teacher_budgets(max_pixels: int) -> ViewBudgets:
    """A picture or all frames of a video within `max_pixels`; small crops are enlarged to a quarter of it."""
    whole = max(max_pixels, _PIXELS_OF_A_TOKEN)
    frame, selected, least = whole // VIDEO_FRAMES, whole // 4, _PIXELS_OF_A_TOKEN
    return view_budgets(
        (least, whole),
        (max(least, whole // 4), whole),
        (least, max(least, frame)),
        (least, max(least, selected)),
        factor=FACTOR,
    )
