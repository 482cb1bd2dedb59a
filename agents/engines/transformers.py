"""Static batches on a `transformers` model: for machines without vLLM, and for small models on a CPU.

It has its own decode loop on the model's forward pass instead of `generate`: every request has its own seed, banned
tokens and length, log-probabilities of sampled tokens are returned, and equal prompts (the rollouts of one query) are
prefilled once. Depends on the forward pass of Qwen's vision-language classes, and on `Chat` for token ids and images;
independent of trainers.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from agents.chat.chat import Chat, size_of
from agents.chat.content_id import content_ids
from agents.chat.video_positions import token_positions
from agents.engines.protocol import Request, Response
from agents.engines.queued import QueuedEngine
from agents.engines.truncation import penalised, truncated
from agents.engines.vision import distinct, shared_features


class TransformersEngine(QueuedEngine):
    """Generates whatever is queued, at most `max_batch` requests at a time.

    `model` may be one that is being trained: it is switched to evaluation while turns are generated and back.
    """

    def __init__(self, model: torch.nn.Module, chat: Chat, *, max_batch: int = 96) -> None:
        super().__init__()
        self._model = model
        self._chat = chat
        self._max_batch = max_batch

    def answers(self, requests: Sequence[Request]) -> list[Response]:
        """One turn each. Requests of similar length share a batch; the order of submission has no effect."""
        refused = [response for request in requests if (response := self._refusal(request)) is not None]
        ids_refused = {response.request_id for response in refused}
        accepted = [request for request in requests if request.request_id not in ids_refused]
        accepted.sort(key=lambda request: (len(request.prompt_ids), request.request_id))
        responses = refused
        with torch.no_grad(), _evaluating(self._model):
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

    def _generate(self, requests: Sequence[Request]) -> list[Response]:
        batch = _Batch(self._model, self._chat, requests)
        turns = live = [_Turn(request, self._chat) for request in requests]
        while True:
            for turn, id, logprob in zip(live, *batch.sample(live), strict=True):
                turn.take(id, logprob)
            going = [row for row, turn in enumerate(live) if not turn.done]
            if not going:
                return [turn.response() for turn in turns]
            if 2 * len(going) <= len(live):  # the long turns continue without the finished ones
                batch.keep(going)
                live = [live[row] for row in going]
            batch.step([turn.ids[-1] for turn in live])


class _Turn:
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


class _Batch:
    """The rows of a batch on the device: cache, mask, positions, and the logits of the next token."""

    def __init__(self, model: torch.nn.Module, chat: Chat, requests: Sequence[Request]) -> None:
        self._model = model
        self._device = next(model.parameters()).device
        firsts, row_of_request = _distinct(requests)
        ids_BT, mask_BT = _left_padded([request.prompt_ids for request in firsts], chat.pad_id)
        images, order = distinct([image for request in firsts for image in request.still_images])
        videos, video_order = distinct([frames for request in firsts for frames in request.videos])
        features = chat.features(images, videos)
        types_BT = chat.mm_token_type_ids(ids_BT)
        orders = {"image_grid_thw": order, "video_grid_thw": video_order}
        grids = {name: features[name][indices] for name, indices in orders.items() if indices}
        tokens = {"input_ids": ids_BT, "attention_mask": mask_BT, "mm_token_type_ids": types_BT}
        # Passed to every forward: otherwise the model would use the offsets that it stored for another batch.
        positions = token_positions(model, tokens | grids)
        self._mask_BT = mask_BT.to(self._device)
        self._next_B = (positions.amax(dim=(0, 2)) + 1).to(self._device)
        self._cache: Any = None
        self._logits_BV: torch.Tensor
        inputs = {"mm_token_type_ids": types_BT.to(self._device)} if features else {}
        inputs |= {name: tensor.to(self._device) for name, tensor in features.items()}
        with shared_features(model, order, video_order):
            self._forward(ids_BT.to(self._device), positions.to(self._device), **inputs)
        self._banned_BV = torch.zeros(1, self._logits_BV.shape[1], dtype=torch.bool, device=self._device)
        if len(firsts) < len(requests):
            self.keep(row_of_request)
        self._banned_BV = _banned(requests, self._logits_BV)

    def sample(self, turns: Sequence[_Turn]) -> tuple[list[int], list[float]]:
        """An id and its log-probability for each row."""
        requests = [turn.request for turn in turns]
        uniforms, temperatures = [turn.draw() for turn in turns], [request.temperature for request in requests]
        scale_B1 = torch.tensor([t or 1.0 for t in temperatures], device=self._device)[:, None]
        logits_BV = penalised(self._logits_BV.float(), requests, [turn.ids for turn in turns]) / scale_B1
        allowed_BV = truncated(logits_BV.masked_fill(self._banned_BV, -torch.inf), requests)
        logprobs_BV = allowed_BV.log_softmax(dim=-1)
        ids_B = choose(logprobs_BV, uniforms, temperatures)
        return ids_B.tolist(), logprobs_BV.gather(1, ids_B[:, None]).squeeze(1).tolist()

    def step(self, ids: Sequence[int]) -> None:
        """Read one more id in each row."""
        ids_B1 = torch.tensor(ids, device=self._device)[:, None]
        self._mask_BT = torch.cat([self._mask_BT, torch.ones_like(ids_B1)], dim=1)
        positions = self._next_B[None, :, None].expand(3, -1, -1)
        self._next_B = self._next_B + 1
        self._forward(ids_B1, positions)

    def keep(self, rows: Sequence[int]) -> None:
        """Make these rows the batch; a row may be named several times."""
        index = torch.tensor(rows, device=self._device)
        self._cache.batch_select_indices(index)
        self._mask_BT, self._next_B = self._mask_BT[index], self._next_B[index]
        self._logits_BV = self._logits_BV[index]
        if len(self._banned_BV) > 1:
            self._banned_BV = self._banned_BV[index]

    def _forward(self, ids_BT: torch.Tensor, positions: torch.Tensor, **inputs: torch.Tensor) -> None:
        outputs = self._model(
            input_ids=ids_BT,
            attention_mask=self._mask_BT,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
            **inputs,
        )
        self._cache, self._logits_BV = outputs.past_key_values, outputs.logits[:, -1]


def choose(logprobs_BV: torch.Tensor, uniforms: Sequence[float], temperatures: Sequence[float]) -> torch.Tensor:
    """The id of each row: the likeliest at temperature 0, else where the row's uniform number falls.

    `logprobs_BV` are those of each row's temperature. One number a token decides (inverse of the cumulative
    distribution), whatever the size of the vocabulary.
    """
    greedy_B = logprobs_BV.argmax(dim=-1)
    if not any(temperatures):
        return greedy_B
    temperature_B = torch.tensor(temperatures, device=logprobs_BV.device)
    uniform_B = torch.tensor(uniforms, device=logprobs_BV.device, dtype=torch.float64)
    cumulative_BV = logprobs_BV.exp().double().cumsum(dim=-1)
    total_B1 = cumulative_BV[:, -1:]
    drawn_B = torch.searchsorted(cumulative_BV, uniform_B[:, None] * total_B1, right=True).squeeze(1)
    # Rounding must not carry a draw beyond the last id that has any probability.
    drawn_B = torch.minimum(drawn_B, (cumulative_BV < total_B1).sum(dim=-1))
    return torch.where(temperature_B > 0, drawn_B, greedy_B)


def _distinct(requests: Sequence[Request]) -> tuple[list[Request], list[int]]:
    """Requests with different prompts, and for every request the index of its prompt among them."""
    index_of: dict[object, int] = {}
    firsts: list[Request] = []
    rows: list[int] = []
    for request in requests:
        key = (request.prompt_ids, tuple(content_ids(request.images)))
        if key not in index_of:
            index_of[key] = len(firsts)
            firsts.append(request)
        rows.append(index_of[key])
    return firsts, rows


def _left_padded(prompts: Sequence[Sequence[int]], pad_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask, (B, T)."""
    width = max(len(prompt) for prompt in prompts)
    ids = np.full((len(prompts), width), pad_id, dtype=np.int64)
    mask = np.zeros((len(prompts), width), dtype=np.int64)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = prompt
        mask[row, width - len(prompt) :] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask)


def _banned(requests: Sequence[Request], logits_BV: torch.Tensor) -> torch.Tensor:
    """True for ids that a row must not sample: (B, V), or (1, V) if all rows agree."""
    sets = [request.banned_ids for request in requests]
    distinct = list(dict.fromkeys(sets))
    banned = torch.zeros(len(distinct), logits_BV.shape[1], dtype=torch.bool)
    for row, ids in enumerate(distinct):
        banned[row, list(ids)] = True
    if len(distinct) > 1:
        banned = banned[[distinct.index(ids) for ids in sets]]
    return banned.to(logits_BV.device)


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
