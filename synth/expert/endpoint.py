"""An OpenAI-compatible endpoint, asked so that nothing is lost: cache, pace, repetitions, and when to stop.

Knows the `openai` client, which repeats a request that met 408, 409, 429, 5xx or a lost connection, with exponential
back-off and Retry-After. Knows nothing of plans, nor of what a reply must look like.
"""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import Any, Self

import openai

from pixel_env.errors import ConfigError
from synth.expert.bill import Bill
from synth.expert.cache import Reply, ReplyCache
from synth.expert.config import ExpertConfig
from synth.expert.inquiry import Inquiry
from synth.expert.manner import Manner
from synth.expert.pace import Pace
from synth.plans import Refusal

_FATAL = {
    401: "Set OPENAI_API_KEY to a key of this endpoint.",
    402: "Its account has no credit left.",
    403: "This key may not use that model: choose another model, or another key.",
    404: "Check the model's name, and base_url: it usually ends in /v1.",
    429: "Lower requests_per_minute, tokens_per_minute or concurrency, or wait until its quota is renewed.",
}
"""What concerns every request at once, and the way out."""

REFUSED, FAILED = "endpoint_refused", "endpoint_failed"
"""Codes of a request that the endpoint would not answer, and of one that it could not."""
WAYS_OUT = {
    REFUSED: "A model that sees pictures, fewer max_pixels or another temperature may help.",
    FAILED: "Is it running, and reachable from here?",
}
"""Where all requests end with one of these codes."""

_LONGEST_HOLD_S = 120.0
_BACKOFF_S, _LONGEST_BACKOFF_S = 0.5, 8.0


class Endpoint:
    """`config.model` at `config.base_url`. Entered, it has connections, which belong to that event loop; what it has
    learned of the endpoint, and its pace, outlast them."""

    def __init__(self, config: ExpertConfig, cache: ReplyCache, bill: Bill) -> None:
        self._config, self._cache, self._bill = config, cache, bill
        self._requests = Pace(config.requests_per_minute)
        self._tokens = Pace(config.tokens_per_minute)
        self._manner = Manner()

    async def __aenter__(self) -> Self:
        self._client = _client(self._config, self._before_each, self._after_each)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def reply_to(self, inquiry: Inquiry, seed: int) -> Reply | Refusal:
        """The reply, from the cache if it was ever given; a Refusal if this request cannot be answered.

        Raises ConfigError if no request can.
        """
        config, seed = self._config, seed % 2**31
        sampling = {"temperature": config.temperature, "max_tokens": config.max_tokens, "seed": seed}
        key = await asyncio.to_thread(inquiry.key, model=config.model, **sampling)
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
            if (reply := _reply_in(raw.http_response.content)) is not None:
                return reply
        raise openai.APIError("its answers are not chat completions", raw.http_response.request, body=None)

    def stop(self, cause: str, way_out: str) -> ConfigError:
        """The error that ends a run."""
        return ConfigError(
            f"the endpoint {self._config.base_url} with the model {self._config.model!r} gives no replies: {cause} "
            f"{way_out} All replies so far are kept in {self._cache.path}; the same command goes on from there."
        )

    def _fault(self, error: openai.APIError) -> Refusal:
        """The refusal of one request, unless the error concerns them all."""
        status = getattr(error, "status_code", None)
        cause = f"{error} ({error.__cause__})" if error.__cause__ else str(error)
        if status in _FATAL:
            raise self.stop(cause, _FATAL[status])
        if isinstance(error, openai.APIConnectionError) and not isinstance(error, openai.APITimeoutError):
            raise self.stop(cause, WAYS_OUT[FAILED])
        code = REFUSED if status is not None and status < 500 else FAILED
        return Refusal(code, f"{type(error).__name__}: {cause}", is_final=False)

    async def _before_each(self, request: Any) -> None:
        await self._requests.take()  # of every request on the wire, those that the client repeats included

    async def _after_each(self, response: Any) -> None:
        if response.status_code in (429, 503):
            self._requests.hold(_seconds(response.headers.get("retry-after")))


def _client(
    config: ExpertConfig, before: Callable[[Any], Awaitable[None]], after: Callable[[Any], Awaitable[None]]
) -> openai.AsyncOpenAI:
    # A server of one's own takes any key, the client does not go without one.
    key = os.environ.get("OPENAI_API_KEY") or "none"
    http = openai.DefaultAsyncHttpxClient(event_hooks={"request": [before], "response": [after]})
    return openai.AsyncOpenAI(
        base_url=config.base_url, api_key=key, max_retries=config.retries, timeout=config.timeout_s, http_client=http
    )


def _reply_in(body: bytes) -> Reply | None:
    """The reply in the body of a response, None if there is none."""
    try:
        answer = json.loads(body)
        choice, usage = answer["choices"][0], answer.get("usage") or {}
        text = choice["message"].get("content") or ""
        counts = (int(usage.get(name) or 0) for name in ("prompt_tokens", "completion_tokens"))
        return Reply(text.encode("utf-8", "replace").decode(), str(choice.get("finish_reason")), *counts)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _tokens_of(reply: Reply | Refusal, expected: int) -> int:
    if isinstance(reply, Refusal):
        return 0
    return reply.prompt_tokens + reply.completion_tokens or expected


def _seconds(header: str | None) -> float:
    """Of a Retry-After in seconds; a date, which the client alone heeds, counts as none."""
    try:
        return min(max(0.0, float(header or 0.0)), _LONGEST_HOLD_S)
    except ValueError:
        return 0.0
