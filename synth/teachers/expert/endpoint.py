"""An OpenAI-compatible endpoint, asked so that nothing is lost: cache, pace, repetitions, and when to stop.

Knows the `openai` client, which repeats a request that met 408, 409, 429, 5xx or a lost connection, with exponential
back-off and Retry-After. Knows nothing of plans, nor of what a reply must look like.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Self

import openai

from agents.engines.secret import Secret
from pixel_env.errors import ConfigError
from synth.plans.plan import Refusal
from synth.teachers.expert.api_styles import Manner
from synth.teachers.expert.cache import Reply, ReplyCache
from synth.teachers.expert.config import ExpertConfig
from synth.teachers.expert.inquiry import Inquiry
from synth.teachers.expert.pacing import Pace
from synth.teachers.expert.usage import Bill
from synth.teachers.expert.wire import held_seconds, reply_in

_MOVED = "Give --teacher the address to which it redirects: requests are not sent on to another one."
_FATAL = {
    **dict.fromkeys((300, 301, 302, 303, 307, 308), _MOVED),
    401: "Set OPENAI_API_KEY to a key of this endpoint.",
    402: "Its account has no credit left.",
    403: "This key may not use that model: choose another --model, or another key.",
    404: "Check --model, and the address in --teacher: it usually ends in /v1.",
    405: "Check the address in --teacher: it usually ends in /v1.",
    429: "Lower --requests_per_minute, --tokens_per_minute or --concurrency, or wait until its quota is renewed.",
}
"""What concerns every request at once, and the way out."""

REFUSED, FAILED = "endpoint_refused", "endpoint_failed"
"""Codes of a request that the endpoint would not answer, and of one that it could not."""
WAYS_OUT = {
    REFUSED: "A model that sees pictures, fewer --teacher_max_pixels or another --temperature may help.",
    FAILED: "Is it running, and reachable from here?",
}
"""Where all requests end with one of these codes."""

_BACKOFF_S, _LONGEST_BACKOFF_S = 0.5, 8.0
_NEVER_CONNECTED = frozenset({"ConnectError", "UnsupportedProtocol", "ProxyError"})
"""Errors by name: the client is built on httpx or httpx2, by its version. All others are faults of one request."""


class Endpoint:
    """`config.model` at `config.base_url`. Entered, it has connections, which belong to that event loop; what it has
    learned of the endpoint, and its pace, outlast them."""

    def __init__(self, config: ExpertConfig, cache: ReplyCache, bill: Bill) -> None:
        self._config, self._cache, self._bill = config, cache, bill
        self._requests = Pace(config.requests_per_minute)
        self._tokens = Pace(config.tokens_per_minute)
        self._manner = Manner()
        self._secret = Secret.of_environment()

    async def __aenter__(self) -> Self:
        self._client = _client(self._config, self._secret, self._before_each, self._after_each)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def reply_to(self, inquiry: Inquiry, seed: int) -> Reply | Refusal:
        """The reply, from the cache if it was ever given; a Refusal if this request cannot be answered.

        Raises ConfigError if no request can.
        """
        config, sampling = self._config, self._sampling(seed)
        key = await self._key(inquiry, sampling)
        if (kept := await asyncio.to_thread(self._cache.get, key)) is not None:
            self._bill.from_cache += 1
            return kept
        expected = inquiry.tokens + config.max_tokens
        await self._tokens.take(expected)
        reply = await self._asked(await asyncio.to_thread(inquiry.messages), sampling)
        self._tokens.give_back(expected - _tokens_of(reply, expected))
        if isinstance(reply, Refusal):
            return reply
        self._bill.pay(reply)
        return await asyncio.to_thread(self._cache.put, key, reply)

    async def forget(self, inquiry: Inquiry, seed: int) -> None:
        """Asks again when it is asked the next time, whatever was replied."""
        await asyncio.to_thread(self._cache.forget, await self._key(inquiry, self._sampling(seed)))

    def _sampling(self, seed: int) -> dict[str, Any]:
        config = self._config
        return {"temperature": config.temperature, "max_tokens": config.max_tokens, "seed": seed % 2**31}

    async def _key(self, inquiry: Inquiry, sampling: dict[str, Any]) -> str:
        return await asyncio.to_thread(inquiry.key, model=self._config.model, **sampling)

    async def _asked(self, messages: Any, sampling: dict[str, Any]) -> Reply | Refusal:
        manner: Manner | None = self._manner
        while manner is not None:
            try:
                reply = await self._read(messages, manner.fields(**sampling))
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                refused, manner = error, manner.after(str(error))
                continue
            except openai.APIError as error:
                return self._fault(error)
            self._manner = manner
            return reply
        return self._fault(refused)

    async def _read(self, messages: Any, fields: dict[str, Any]) -> Reply:
        """The reply; an answer that is none, because the connection was cut or a proxy spoke, is asked for again."""
        for attempt in range(self._config.retries + 1):
            if attempt:
                await asyncio.sleep(min(_BACKOFF_S * 2.0 ** (attempt - 1), _LONGEST_BACKOFF_S))
            raw = await self._client.chat.completions.with_raw_response.create(
                model=self._config.model, messages=messages, **fields
            )
            if (reply := reply_in(raw.http_response.content)) is not None:
                return reply
        said = self._secret.kept_out_of(raw.http_response.content.decode("utf-8", "replace"))[:200]
        raise openai.APIError(f"its answers are no chat completions: {said!r}", raw.http_response.request, body=None)

    def stop(self, cause: str, way_out: str) -> ConfigError:
        """The error that ends a run."""
        return ConfigError(
            f"the endpoint {self._config.base_url} with the model {self._config.model!r} gives no replies that can be "
            f"used: {self._secret.kept_out_of(cause)} {way_out} All replies so far are kept in {self._cache.path}; the "
            "same command goes on from there."
        )

    def _fault(self, error: openai.APIError) -> Refusal:
        """The refusal of one request, unless the error concerns them all."""
        cause = self._secret.kept_out_of(f"{error} ({error.__cause__})" if error.__cause__ else str(error))
        status = error.status_code if isinstance(error, openai.APIStatusError) else None
        if status in _FATAL:
            raise self.stop(f"{cause}{_redirection(error)}", _FATAL[status])
        if _names_of(error.__cause__) & _NEVER_CONNECTED:
            raise self.stop(cause, WAYS_OUT[FAILED])
        code = REFUSED if status is not None and status < 500 else FAILED
        return Refusal(code, f"{type(error).__name__}: {cause}", is_final=False)

    async def _before_each(self, request: Any) -> None:
        await self._requests.take()  # of every request on the wire, those that the client repeats included

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
    return {one.__name__ for one in type(error).__mro__}


def _redirection(error: openai.APIError) -> str:
    location = error.response.headers.get("location") if isinstance(error, openai.APIStatusError) else None
    return f" It redirects to {location!r}." if location else ""


def _tokens_of(reply: Reply | Refusal, expected: int) -> int:
    if isinstance(reply, Refusal):
        return 0
    return reply.prompt_tokens + reply.completion_tokens or expected
