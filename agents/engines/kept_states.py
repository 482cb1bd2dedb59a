"""What a model has computed for conversations, kept from one poll to the next.

A conversation's next request begins with the tokens of its last one, so only what follows has to be read. Depends on
row states and on token ids; independent of how states are computed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from agents.chat.content_id import content_ids
from agents.engines.kv_rows import RowState
from agents.engines.protocol import Request

_INTEGERS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
"""Integers of so many bytes."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a state depends on: token ids, and the names of the images whose placeholders they contain, in order."""

    ids: tuple[int, ...]
    images: tuple[str, ...]

    @classmethod
    def of(cls, request: Request) -> "Conversation":
        """The prompt of `request`."""
        return cls(request.prompt_ids, tuple(content_ids(request.images)))

    def then(self, ids: Sequence[int]) -> "Conversation":
        """The conversation after these text tokens."""
        return Conversation((*self.ids, *ids), self.images)

    def continues(self, earlier: "Conversation") -> bool:
        """Whether it is `earlier` and at least one more token."""
        tokens, images = len(earlier.ids), len(earlier.images)
        return len(self.ids) > tokens and self.ids[:tokens] == earlier.ids and self.images[:images] == earlier.images


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A conversation that the model has read, and what it has computed for it."""

    conversation: Conversation
    state: RowState


class KeptStates:
    """The states of one poll, for the next one, which drops those that it does not take.

    A state is kept while all together have at most `max_bytes`, and for the weights that computed it. A conversation
    that is in every poll is read once; one that is left out of a poll is read from its beginning again.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._weights: object = None
        self._last: list[Kept] = []
        self._new: list[Kept] = []
        self.nbytes = 0

    def begin_poll(self, weights: object) -> None:
        """What was added since the last call can be taken until the next one, unless `weights` are others."""
        if weights != self._weights:
            self.clear()
        self._last, self._new, self._weights = self._new, [], weights
        self.nbytes = sum(kept.state.nbytes for kept in self._last)

    def take(self, conversation: Conversation) -> Kept | None:
        """The longest that `conversation` continues; it is kept no more."""
        found = [kept for kept in self._last if conversation.continues(kept.conversation)]
        if not found:
            return None
        longest = max(found, key=lambda kept: len(kept.conversation.ids))
        self._last.remove(longest)
        self.nbytes -= longest.state.nbytes
        return longest

    def add(self, kept: Kept) -> None:
        """Keep it, if there is room."""
        if self.nbytes + kept.state.nbytes <= self.max_bytes:
            self._new.append(kept)
            self.nbytes += kept.state.nbytes

    def clear(self) -> None:
        """Drop everything."""
        self._last, self._new, self.nbytes = [], [], 0


def weights_of(model: Any) -> object:
    """A value that differs after the weights have changed, or which of PEFT's adapters are active.

    The sum of every tensor's bits, as integers: one reading of the weights, as for one token.
    """
    # Quantized weights may be tensors of classes of their own, without bits to view: they are not trained.
    plain = [weight.data for weight in model.parameters() if type(weight.data) is torch.Tensor]
    bits = [weight.view(_INTEGERS[weight.element_size()]) for weight in plain]
    sums = [part.sum(dtype=part.dtype).to("cpu", torch.int64) for part in bits]
    adapted = [module for module in model.modules() if hasattr(module, "merged_adapters")]
    return [int(one) for one in sums], [(one.disable_adapters, tuple(one.active_adapters)) for one in adapted]
