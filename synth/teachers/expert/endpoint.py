"""Requests to an OpenAI-compatible endpoint, with cache, rate limits, retries and errors that end the run.

Depends on the `openai` client, which repeats a request after 408, 409, 429, 5xx or a lost connection, with exponential
back-off and Retry-After; independent of plans and of the content of replies.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Self

import openai

from agents.engines.secret import Secret
from pixel_env.errors import ConfigError
from synth.plans.plan import Refusal
from synth.teachers.expert.api_support import ApiSupport
from synth.teachers.expert.cache import Reply, ReplyCache
from synth.teachers.expert.chat_request import ChatRequest
from synth.teachers.expert.config import ExpertConfig
from synth.teachers.expert.pacing import RateLimiter
from synth.teachers.expert.usage import Usage
from synth.teachers.expert.wire import held_seconds, reply_in

_MOVED = "Give --teacher the URL to which it redirects: redirects are not followed."
_FATAL = {
    **dict.fromkeys((300, 301, 302, 303, 307, 308), _MOVED),
    401: "Set OPENAI_API_KEY to a key of this endpoint.",
    402: "The account of this key has no credit left: add credit, or use another key.",
    403: "This key has no access to that model: choose another --model, or another key.",
    404: "Check --model and the URL in --teacher, which usually ends in /v1.",
    405: "Check the URL in --teacher, which usually ends in /v1.",
    429: "Lower --requests_per_minute, --tokens_per_minute or --concurrency, or wait until the quota is renewed.",
}
"""Status codes that concern every request, each with what to do."""

REFUSED, FAILED = "endpoint_refused", "endpoint_failed"
"""Refusal codes of a request that the endpoint rejected, and of one at which it failed."""
REMEDIES = {
    REFUSED: "A model that accepts images, fewer --teacher_max_pixels or another --temperature may help.",
    FAILED: "Check that it is running and reachable from this machine.",
}
"""What to do if all requests end with one of these codes."""

_BACKOFF_S, _LONGEST_BACKOFF_S = 0.5, 8.0
_NEVER_CONNECTED = frozenset({"ConnectError", "UnsupportedProtocol", "ProxyError"})
"""Names of errors that concern every request. By name, because the client uses httpx or httpx2, by its version."""


class Endpoint:
    """`config.model` at `config.base_url`. As a context manager it holds connections, which belong to one event loop;
    its API support and its rate limits outlive them."""

    def __init__(self, config: ExpertConfig, cache: ReplyCache, usage: Usage) -> None:
        self._config, self._cache, self._usage = config, cache, usage
        self._requests = RateLimiter(config.requests_per_minute)
        self._tokens = RateLimiter(config.tokens_per_minute)
        self._support = ApiSupport()
        self._secret = Secret.of_environment()

    async def __aenter__(self) -> Self:
        self._client = _client(self._config, self._secret, self._before_each, self._after_each)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

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
            try:
                reply = await self._read(messages, support.fields(**sampling))
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                refused, support = error, support.after(str(error))
                continue
            except openai.APIError as error:
                return self._fault(error)
            self._support = support
            return reply
        return self._fault(refused)

    async def _read(self, messages: Any, fields: dict[str, Any]) -> Reply:
        """The reply. A response that is none, from an interrupted connection or a proxy, is requested again."""
        for attempt in range(self._config.retries + 1):
            if attempt:
                await asyncio.sleep(min(_BACKOFF_S * 2.0 ** (attempt - 1), _LONGEST_BACKOFF_S))
            raw = await self._client.chat.completions.with_raw_response.create(
                model=self._config.model, messages=messages, **fields
            )
            if (reply := reply_in(raw.http_response.content)) is not None:
                return reply
        body = self._secret.kept_out_of(raw.http_response.content.decode("utf-8", "replace"))[:200]
        raise openai.APIError(f"its responses are not chat completions: {body!r}", raw.http_response.request, body=None)

    def stop(self, cause: str, remedy: str) -> ConfigError:
        """The error that ends a run."""
        return ConfigError(
            f"the endpoint {self._config.base_url} with the model {self._config.model!r} gives no usable "
            f"replies: {self._secret.kept_out_of(cause)} {remedy} All replies so far are stored in "
            f"{self._cache.path}; the same command resumes from there."
        )

    def _fault(self, error: openai.APIError) -> Refusal:
        """The refusal of one request. Raises ConfigError if the error concerns every request."""
        cause = self._secret.kept_out_of(f"{error} ({error.__cause__})" if error.__cause__ else str(error))
        status = error.status_code if isinstance(error, openai.APIStatusError) else None
        if status in _FATAL:
            raise self.stop(f"{cause}{_redirection(error)}", _FATAL[status])
        if _names_of(error.__cause__) & _NEVER_CONNECTED:
            raise self.stop(cause, REMEDIES[FAILED])
        code = REFUSED if status is not None and status < 500 else FAILED
        return Refusal(code, f"{type(error).__name__}: {cause}", is_final=False)

    async def _before_each(self, request: Any) -> None:
        await self._requests.take()  # for every request on the wire, including retries by the client

    async def _after_each(self, response: Any) -> None:
        if response.status_code in (429, 503):
            self._requests.hold(held_seconds(response.headers.get("retry-after")))


def _client(
    config: ExpertConfig,
    secret: Secret,
    before: Callable[[Any], Awaitable[None]],
    after: Callable[[Any], Awaitable[None]],
) -> openai.AsyncOpenAI:
    # A redirected POST would become a GET, or take the key elsewhere.
    http = openai.DefaultAsyncHttpxClient(
        event_hooks={"request": [before], "response": [after]}, follow_redirects=False
    )
    return openai.AsyncOpenAI(
        base_url=config.base_url,
        api_key=secret.key,
        max_retries=config.retries,
        timeout=config.timeout_s,
        http_client=http,
    )


def _names_of(error: BaseException | None) -> set[str]:
    return {base.__name__ for base in type(error).__mro__}


def _redirection(error: openai.APIError) -> str:
    location = error.response.headers.get("location") if isinstance(error, openai.APIStatusError) else None
    return f" It redirects to {location!r}." if location else ""


def _tokens_of(reply: Reply | Refusal, expected: int) -> int:
    if isinstance(reply, Refusal):
        return 0
    return reply.prompt_tokens + reply.completion_tokens or expected
