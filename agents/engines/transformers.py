"""Static batches on a `transformers` model: for machines without vLLM, and for small models on a CPU.

It has its own decode loop on the model's forward pass instead of `generate`: every request has its own seed, banned
tokens and length, log-probabilities of sampled tokens are returned, equal prompts (the rollouts of one query) are
prefilled once, and of a prompt that continues the conversation of a request of the last poll only the new tokens are.
Depends on batches of rows and on `Chat`; independent of trainers.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import numpy as np
import torch

from agents.chat.chat import Chat, size_of
from agents.engines.batch import Batch, rows_of
from agents.engines.grouped_attention import grouped_attention
from agents.engines.kept_states import Conversation, Kept, KeptStates, weights_of
from agents.engines.kv_rows import layers_of
from agents.engines.protocol import Request, Response
from agents.engines.queued import QueuedEngine

MAX_KEPT_BYTES = 2 * 2**30
"""Bytes of keys and values that are kept from one poll to the next at most, on the model's device."""

SHARE_THAT_GOES_ON = 0.75
"""Finished rows leave the batch when at most this share of it goes on; leaving costs a copy of the rest."""

_log = logging.getLogger(__name__)


class TransformersEngine(QueuedEngine):
    """Generates whatever is queued, at most `max_batch` requests at a time.

    `model` may be one that is being trained: it is switched to evaluation while turns are generated and back. The keys
    and values of a conversation are kept until the next poll, up to `max_kept_bytes` for all (0: none), and dropped
    when the model's weights or its active adapters have changed. This needs a model whose layers all attend to every
    earlier token: one with sliding windows or linear attention reads each prompt from its beginning, and a warning says
    so once.
    """

    def __init__(
        self, model: torch.nn.Module, chat: Chat, *, max_batch: int = 96, max_kept_bytes: int = MAX_KEPT_BYTES
    ) -> None:
        super().__init__()
        self._model = model
        self._chat = chat
        self._max_batch = max_batch
        self._layers, others = layers_of(model)
        if others:
            _warn_of(others)
        self._kept = KeptStates(max_kept_bytes if self._layers is not None else 0)

    def answers(self, requests: Sequence[Request]) -> list[Response]:
        """One turn each. Requests of similar length share a batch; the order of submission has no effect."""
        refused = [response for request in requests if (response := self._refusal(request)) is not None]
        ids_refused = {response.request_id for response in refused}
        accepted = [request for request in requests if request.request_id not in ids_refused]
        accepted.sort(key=lambda request: (len(request.prompt_ids), request.request_id))
        responses = refused
        with torch.no_grad(), _evaluating(self._model), grouped_attention():
            self._kept.begin_poll(weights_of(self._model) if self._kept.max_bytes else None)
            for start in range(0, len(accepted), self._max_batch):
                responses += self._generate(accepted[start : start + self._max_batch])
        return sorted(responses, key=lambda response: response.request_id)

    def _refusal(self, request: Request) -> Response | None:
        """The error response to a request that would break its batch; None for a valid one."""
        chat = self._chat
        images = sum(chat.image_tokens(*size_of(image)) for image in request.still_images)
        videos = sum(chat.video_tokens([size_of(frame) for frame in frames]) for frames in request.videos)
        placeholders, of_videos = (request.prompt_ids.count(id) for id in (chat.image_id, chat.video_id))
        if (images, videos) == (placeholders, of_videos) and request.prompt_ids and request.max_new_tokens > 0:
            return None
        error = (
            f"request {request.request_id} has {placeholders} image placeholders for {images} image tokens, "
            f"{of_videos} video placeholders for {videos} video tokens, "
            f"{len(request.prompt_ids)} prompt ids and max_new_tokens {request.max_new_tokens}"
        )
        return Response(request.request_id, (), (), ended=True, error=error)

    @property
    def kept_bytes(self) -> int:
        """Bytes that are kept now."""
        return self._kept.nbytes

    def cancel(self) -> None:
        """Empty the queue, and keep nothing."""
        super().cancel()
        self._kept.clear()

    def turn(self, request: Request) -> "Turn":
        """The state of `request` while it is generated."""
        return Turn(request, self._chat)

    def _generate(self, requests: Sequence[Request]) -> list[Response]:
        rows = rows_of(requests, self._kept)
        batch = Batch(self._model, self._chat, rows, self._layers)
        turns = live = [self.turn(request) for row in rows for request in row.requests]
        while True:
            sampled = batch.sample(
                [turn.request for turn in live], [turn.ids for turn in live], [turn.draw() for turn in live]
            )
            for turn, id, logprob in zip(live, *sampled, strict=True):
                turn.take(id, logprob)
            going = [row for row, turn in enumerate(live) if not turn.done]
            if len(going) <= SHARE_THAT_GOES_ON * len(live):  # the long turns continue without the finished ones
                self._keep(batch, live)
                if not going:
                    return [turn.response() for turn in turns]
                batch.keep(going)
                live = [live[row] for row in going]
            batch.step([turn.ids[-1] for turn in live])

    def _keep(self, batch: Batch, live: "Sequence[Turn]") -> None:
        """Keep the states of the finished turns."""
        if not self._kept.max_bytes:
            return
        for row, turn in enumerate(live):
            if turn.done:
                # The last token was sampled, but not read.
                conversation = Conversation.of(turn.request).then(turn.ids[:-1])
                self._kept.add(Kept(conversation, batch.state(row, len(turn.ids) - 1)))


class Turn:
    """One request being generated. Its random numbers are its own, so its neighbours in the batch do not matter."""

    def __init__(self, request: Request, chat: Chat) -> None:
        self.request = request
        self.ids: list[int] = []
        self.done = False
        self._chat = chat
        self._has_stopped = False
        self._logprobs: list[float] = []
        self._rng = np.random.default_rng(request.seed)

    def draw(self) -> float:
        """The next number in [0, 1)."""
        return float(self._rng.random())

    def take(self, id: int, logprob: float) -> None:
        """Append what was sampled, unless the turn is over."""
        if not self.done:
            self.ids.append(id)
            self._logprobs.append(logprob)
            self._has_stopped = id == self._chat.end_id or self._holds_a_stop()
            self.done = self._has_stopped or len(self.ids) == self.request.max_new_tokens

    def response(self) -> Response:
        """The finished turn."""
        return Response(self.request.request_id, tuple(self.ids), tuple(self._logprobs), ended=self._has_stopped)

    def _holds_a_stop(self) -> bool:
        """Whether one of the request's stop texts has just been completed."""
        if not (stop := self.request.stop):
            return False
        # A token is at least one character, or a part of one: the end of the turn is enough.
        end = self._chat.decode(self.ids[-4 * max(map(len, stop)) :])
        return any(text in end for text in stop)


@cache
def _warn_of(kinds: str) -> None:
    """Once a process: a trainer makes an engine for every generation."""
    _log.warning("The model's cache has layers of the kind %s: every turn reads its whole prompt anew.", kinds)


@contextmanager
def _evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Dropout and gradient checkpointing (which forbids a cache) off; afterwards each module as it was."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True
