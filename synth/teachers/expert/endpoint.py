"""Requests to an OpenAI-compatible endpoint, with cache, rate limits, retries and errors that end the run.

Depends on the connection to an endpoint, which repeats what may pass and bounds what is read; independent of plans and
of the content of replies.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

from agents.engines.endpoint.body import most_bytes
from agents.engines.endpoint.connection import Connection, DeadError, FailedError, RefusedError
from agents.engines.endpoint.retry_after import held_seconds
from agents.engines.secret import Secret
from pixel_env.errors import ConfigError
from synth.plans.plan import Refusal
from synth.teachers.expert.api_support import ApiSupport
from synth.teachers.expert.cache import Reply, ReplyCache
from synth.teachers.expert.chat_request import ChatRequest
from synth.teachers.expert.config import ExpertConfig
from synth.teachers.expert.pacing import RateLimiter
from synth.teachers.expert.usage import Usage
from synth.teachers.expert.wire import reply_in

_TOO_MANY = 429
_SLOWER = "Lower --requests_per_minute, --tokens_per_minute or --concurrency, or wait until the quota is renewed."

REFUSED, FAILED = "endpoint_refused", "endpoint_failed"
"""Refusal codes of a request that the endpoint rejected, and of one at which it failed."""
REMEDIES = {
    REFUSED: "A model that accepts images, fewer --teacher_max_pixels or another --temperature may help.",
    FAILED: "Check that it is running and reachable from this machine.",
}
"""What to do if all requests end with one of these codes."""


class Endpoint:
    """`config.model` at `config.base_url`. As a context manager it holds connections, which belong to one event loop;
    its API support and its rate limits outlive them.

    `secret`: its key, by default that of the environment; `support`: how it is asked at first; `flag`, `model_flag` and
    `slower`, what to do about a quota that is used up, are for messages.
    """

    def __init__(
        self,
        config: ExpertConfig,
        cache: ReplyCache,
        usage: Usage,
        *,
        secret: Secret | None = None,
        support: ApiSupport | None = None,
        flag: str = "--teacher",
        model_flag: str = "--model",
        slower: str = _SLOWER,
    ) -> None:
        self._config, self._cache, self._usage = config, cache, usage
        self._requests = RateLimiter(config.requests_per_minute)
        self._tokens = RateLimiter(config.tokens_per_minute)
        self._support = support or ApiSupport()
        self._secret = secret or Secret.of_environment()
        self._flag, self._model_flag, self._slower = flag, model_flag, slower
        self._has_answered = False

    async def __aenter__(self) -> Self:
        config = self._config
        self._connection = Connection(
            config.base_url,
            self._secret,
            retries=config.retries,
            timeout_s=config.timeout_s,
            concurrency=config.concurrency,
            flag=self._flag,
            model_flag=self._model_flag,
            has_answered=self._has_answered,
            before=self._before_each,
            after=self._after_each,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._has_answered = self._connection.has_answered
        await self._connection.close()

    async def reply_to(self, request: ChatRequest, seed: int) -> Reply | Refusal:
        """The reply, from the cache if it was given before; a Refusal if this request cannot be answered.

        Raises ConfigError if no request can be answered.
        """
        config, sampling = self._config, self._sampling(seed)
        key = await self._key(request, sampling)
        if (stored := await asyncio.to_thread(self._cache.get, key)) is not None:
            self._usage.from_cache += 1
            return stored
        expected = request.tokens + config.max_tokens
        await self._tokens.take(expected)
        reply = await self._requested(await asyncio.to_thread(request.openai_messages), sampling)
        self._tokens.give_back(expected - _tokens_of(reply, expected))
        if isinstance(reply, Refusal):
            return reply
        self._usage.add(reply)
        return await asyncio.to_thread(self._cache.put, key, reply)

    async def forget(self, request: ChatRequest, seed: int) -> None:
        """Discards the stored reply, so that the next `reply_to` sends the request again."""
        await asyncio.to_thread(self._cache.forget, await self._key(request, self._sampling(seed)))

    def _sampling(self, seed: int) -> dict[str, Any]:
        config = self._config
        return {"temperature": config.temperature, "max_tokens": config.max_tokens, "seed": seed % 2**31}

    async def _key(self, request: ChatRequest, sampling: dict[str, Any]) -> str:
        return await asyncio.to_thread(request.key, model=self._config.model, **sampling)

    async def _requested(self, messages: Any, sampling: dict[str, Any]) -> Reply | Refusal:
        support: ApiSupport | None = self._support
        while support is not None:
            body = {"model": self._config.model, "messages": messages, **support.fields(**sampling)}
            try:
                reply = await self._connection.post(
                    await asyncio.to_thread(_encoded, body), reply_in, max_bytes=most_bytes(self._config.max_tokens)
                )
            except RefusedError as error:
                refused, support = str(error), support.after(error.reason)
                continue
            except FailedError as error:
                if error.status == _TOO_MANY:
                    raise self.stop(f"{error}.", self._slower) from None
                return Refusal(FAILED, str(error), is_final=False)
            except DeadError as error:
                raise self.stop(str(error)) from None
            self._support = support
            return replace(reply, text=self._secret.kept_out_of_reply(reply.text))
        return Refusal(REFUSED, refused, is_final=False)

    def stop(self, cause: str, remedy: str = "") -> ConfigError:
        """The error that ends a run."""
        return ConfigError(
            f"the endpoint {self._config.base_url} with the model {self._config.model!r} gives no usable "
            f"replies: {f'{self._secret.kept_out_of(cause)} {remedy}'.rstrip()} All replies so far are stored in "
            f"{self._cache.path}; the same command resumes from there."
        )

    async def _before_each(self) -> None:
        await self._requests.take()  # for every request on the wire, including repeated ones

    async def _after_each(self, status: int, headers: Mapping[str, str]) -> None:
        if status in (_TOO_MANY, 503):
            self._requests.hold(held_seconds(headers.get("retry-after")))


def _encoded(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


def _tokens_of(reply: Reply | Refusal, expected: int) -> int:
    if isinstance(reply, Refusal):
        return 0
    return reply.prompt_tokens + reply.completion_tokens or expected
