"""Any OpenAI-compatible endpoint as an engine, to play episodes with a hosted model. It returns no log-probabilities.

It uses `PlainChat`, whose ids are the bytes of the conversation, so no tokenizer is needed and messages are recovered
from ids. A video's frames are sent as images whatever the dialect declares: chat completions have no part for a video
that every server knows, and the servers that have one of their own choose its frames and sizes themselves.

Depends on chat messages and the `openai` client, which retries and backs off; independent of model libraries.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from agents.chat.plain import PlainChat
from agents.engines.choice import EngineChoice
from agents.engines.protocol import Request, Response
from agents.engines.remote import RemoteEngine
from agents.engines.secret import Secret
from agents.engines.wire import EncodedImages
from pixel_env.dialects.dialect import Dialect
from pixel_env.errors import MissingExtraError
from pixel_env.media.encoding import exact_data_uri


def load_endpoint(choice: EngineChoice, dialect: Dialect) -> "tuple[EndpointEngine, PlainChat]":
    """The loader of `--engine endpoint`."""
    assert choice.base_url is not None, "the registry declares that it needs one"
    chat = PlainChat(dialect)
    return EndpointEngine(choice.model, chat, base_url=choice.base_url, concurrency=choice.max_batch), chat


class EndpointEngine(RemoteEngine):
    """`model` at `base_url` (with its /v1); the key comes from OPENAI_API_KEY unless given, and appears in no message.

    At most `concurrency` requests are in flight; each is retried up to `retries` times on errors that may pass.
    """

    def __init__(
        self,
        model: str,
        chat: PlainChat,
        *,
        base_url: str,
        api_key: str | None = None,
        concurrency: int = 16,
        retries: int = 6,
        timeout_s: float = 600.0,
    ) -> None:
        try:
            import openai
        except ModuleNotFoundError as error:
            raise MissingExtraError.needs("a model behind an endpoint", "endpoint") from error
        self._model, self._chat = model, chat
        self._secret = Secret.of_environment() if api_key is None else Secret(api_key)
        super().__init__("endpoint", redact=self._secret.kept_out_of)
        self._images = EncodedImages()
        self._slots = asyncio.Semaphore(concurrency)
        self._client = openai.AsyncOpenAI(
            base_url=base_url, api_key=self._secret.key, max_retries=retries, timeout=timeout_s
        )

    async def answer(self, request: Request) -> Response:
        """The reply of the endpoint, as `PlainChat`'s ids."""
        if request.banned_ids - self._chat.banned_ids:
            raise ValueError("an endpoint cannot ban tokens. Leave out the policy no_zoom.")
        async with self._slots:
            answer = await self._client.chat.completions.create(
                model=self._model,
                messages=await asyncio.to_thread(self._messages, request),
                temperature=request.temperature,
                max_tokens=request.max_new_tokens,
                seed=request.seed % 2**31,
            )
        choice = answer.choices[0]
        ended = choice.finish_reason != "length"
        ids = self._chat.encode(choice.message.content or "")
        ids = ids if ended else ids[:-1]
        return Response(request.request_id, ids, (0.0,) * len(ids), ended=ended)

    def _messages(self, request: Request) -> Any:
        return messages_of(
            request.prompt_ids, request.images, self._chat, url_of=lambda image: self._images.named(image)[1]
        )


def messages_of(
    ids: Sequence[int],
    images: Sequence[np.ndarray],
    chat: PlainChat,
    url_of: Callable[[np.ndarray], str] = exact_data_uri,
) -> Any:
    """The conversation of `PlainChat`'s ids as OpenAI's messages, images as data URIs at their positions."""
    left = iter(images)
    messages: list[dict[str, Any]] = []
    for role, pieces in chat.turns(ids, [(image.shape[1], image.shape[0]) for image in images]):
        if role == "assistant" and not pieces:
            continue  # the header of the turn to generate
        if role != "user" or (len(pieces) == 1 and pieces[0] is not None):
            messages.append({"role": role, "content": "".join(piece or "" for piece in pieces)})
            continue
        parts: list[dict[str, Any]] = [
            {"type": "image_url", "image_url": {"url": url_of(next(left))}}
            if piece is None
            else {"type": "text", "text": piece}
            for piece in pieces
        ]
        messages.append({"role": role, "content": parts})
    return messages
