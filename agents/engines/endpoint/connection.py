"""Requests to an OpenAI-compatible endpoint: repeated where that may help, bounded in bytes and in time.

A response is read up to a number of bytes and for a number of seconds in total, however slowly it arrives. Redirects
are not followed: a redirected POST would become a GET, or take the key elsewhere. What every further request would meet
as well has an error of its own, so that a run can stop at once. Depends on httpx; independent of what is asked and
replied.
"""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import NoReturn, TypeVar

from agents.engines.address import checked_address
from agents.engines.endpoint.body import ACCEPTED_ENCODING, TooLongError, UnreadableBodyError, read_body
from agents.engines.endpoint.retry_after import backoff_s, requested_wait_s
from agents.engines.secret import Secret
from pixel_env.errors import MissingExtraError

try:
    import httpx
except ModuleNotFoundError as missing:
    raise MissingExtraError.needs("a model behind an endpoint", "endpoint") from missing

T = TypeVar("T")

_MOVED = "Give {flag} the URL to which it redirects: redirects are not followed."
_WRONG_URL = "Check the URL in {flag}, which usually ends in /v1."
_UNREACHABLE = "Check that it is running and reachable from this machine."
_DEAD = {
    **dict.fromkeys((300, 301, 302, 303, 307, 308), _MOVED),
    401: "Set {key} to a key of this endpoint.",
    402: "The account of this key has no credit left: add credit, or use another key.",
    403: "This key has no access to that model: choose another {model}, or another key.",
    404: "Check {model} and the URL in {flag}, which usually ends in /v1.",
    405: _WRONG_URL,
    410: "Choose another {model}: this one is no longer served.",
}
"""Status codes that concern every request, each with what to do."""
_PASSING = frozenset({408, 409, 425, 429})
"""Status codes below 500 after which the same request may succeed."""
_CONNECT_S = 10.0
_ERROR_BYTES, _ERROR_S = 2**16, 10.0  # of the text that comes with an error
_SHOWN_CHARACTERS = 400


class DeadError(Exception):
    """No request can be served: no connection, no access, no such model or path. `remedy`: what to do about it."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause.strip().removesuffix('.')}. {remedy}")


class RefusedError(Exception):
    """The endpoint rejects this request, and may serve others. `reason`: its words, whole."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class FailedError(Exception):
    """This request got no response that could be read. `status`: of the last response, if it was an error."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


async def _nothing(*_: object) -> None:
    """The default of what is done around each attempt."""


class _PassingError(Exception):
    """What may pass; `wait_s`: as long as the endpoint asks, 0 if it does not; `is_connected`: it was reached."""

    def __init__(
        self, message: str, *, wait_s: float = 0.0, is_connected: bool = True, status: int | None = None
    ) -> None:
        super().__init__(message)
        self.wait_s, self.is_connected, self.status = wait_s, is_connected, status


class Connection:
    """Posts JSON to `url`/chat/completions with the key in `secret`, which no error contains.

    `retries`: how often a request is repeated; `timeout_s`: for one attempt and its whole response; `concurrency`: of
    requests; `flag` and `model_flag`: what gave the address and the model, for messages; `has_answered`: the endpoint
    is known to be there, so a lost connection is worth repetitions; `before`, `after`: awaited around each attempt,
    `after` with status and headers.
    Raises ConfigError for an address that is no URL or holds credentials.
    """

    def __init__(
        self,
        url: str,
        secret: Secret,
        *,
        retries: int,
        timeout_s: float,
        concurrency: int,
        flag: str = "--base_url",
        model_flag: str = "--model",
        has_answered: bool = False,
        before: Callable[[], Awaitable[None]] = _nothing,
        after: Callable[[int, Mapping[str, str]], Awaitable[None]] = _nothing,
    ) -> None:
        self._url, self._secret = checked_address(url, flag).rstrip("/"), secret
        self._named = {"flag": flag, "model": model_flag, "key": secret.variable}
        self._retries, self._timeout_s = retries, timeout_s
        self._before, self._after = before, after
        self.has_answered = has_answered
        self._http = httpx.AsyncClient(
            headers={
                "Authorization": f"Bearer {secret.key}",
                "Content-Type": "application/json",
                "Accept-Encoding": ACCEPTED_ENCODING,
            },
            follow_redirects=False,
            verify=_certificates(),
            timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, _CONNECT_S)),
            limits=httpx.Limits(max_connections=concurrency),
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def post(self, body: bytes, read: Callable[[bytes], T | None], *, max_bytes: int) -> T:
        """What `read` finds in the response to `body`; where it finds nothing (None) the request is sent again.

        Raises RefusedError if this request is rejected, FailedError if all attempts fail or the response has more than
        `max_bytes`, DeadError if no request can succeed.
        """
        for attempt in range(self._retries + 1):
            try:
                content = await self._response(body, max_bytes)
                if (found := read(content)) is not None:
                    return found
                raise _PassingError(
                    f"its responses are not chat completions (the URL in {self._named['flag']} usually ends in /v1): "
                    f"{self._shown(content)!r}"
                )
            except _PassingError as error:
                if attempt == self._retries:
                    self._give_up(error)
                await asyncio.sleep(error.wait_s or backoff_s(attempt))
        raise AssertionError("the last attempt returns or raises")

    def _give_up(self, error: _PassingError) -> NoReturn:
        if not error.is_connected:
            raise DeadError(str(error), _UNREACHABLE)
        raise FailedError(f"the endpoint failed {self._retries + 1} times: {error}", error.status)

    async def _response(self, body: bytes, max_bytes: int) -> bytes:
        """The body of one successful response."""
        try:
            return await self._sent(body, max_bytes)
        except (httpx.ConnectError, httpx.ProxyError) as error:
            if not self.has_answered:  # nothing listens there: no attempt will change it
                raise DeadError(self._words(error), _UNREACHABLE) from None
            raise _PassingError(self._words(error), is_connected=False) from None
        except httpx.ConnectTimeout as error:
            raise _PassingError(self._words(error), is_connected=False) from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise DeadError(self._words(error), _WRONG_URL.format(**self._named)) from None
        except (httpx.TransportError, UnreadableBodyError) as error:  # lost on the way, silent, or no valid HTTP
            raise _PassingError(self._words(error)) from None
        except TooLongError as error:
            raise FailedError(str(error)) from None

    async def _sent(self, body: bytes, max_bytes: int) -> bytes:
        await self._before()
        has_begun = False
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._http.stream("POST", f"{self._url}/chat/completions", content=body) as response,
            ):
                has_begun = self.has_answered = True
                await self._after(response.status_code, response.headers)
                encoding = response.headers.get("content-encoding", "")
                if response.is_success:
                    return await read_body(response.aiter_raw(), encoding, max_bytes)
                reason = b""
                with suppress(TooLongError, UnreadableBodyError, TimeoutError):
                    async with asyncio.timeout(min(self._timeout_s, _ERROR_S)):
                        reason = await read_body(response.aiter_raw(), encoding, _ERROR_BYTES)
                raise self._fault(response.status_code, reason, response.headers)
        except TimeoutError:
            if not has_begun:
                raise _PassingError(f"no response within {self._timeout_s:g} s") from None
            # The reply was under way: it would be generated, and paid for, once more.
            raise FailedError(f"the response did not end within {self._timeout_s:g} s") from None

    def _fault(self, status: int, content: bytes, headers: Mapping[str, str]) -> Exception:
        shown = " - ".join(part for part in (f"Error code: {status}", self._shown(content)) if part)
        if status in _DEAD or status < 400:
            location = headers.get("location")
            redirection = f" It redirects to {self._safe(location)!r}." if location else ""
            return DeadError(f"{shown}{redirection}", _DEAD.get(status, _WRONG_URL).format(**self._named))
        if status in _PASSING or status >= 500:
            return _PassingError(shown, wait_s=requested_wait_s(headers), status=status)
        return RefusedError(shown, _reason_in(content))

    def _words(self, error: Exception) -> str:
        return f"{type(error).__name__}: {self._safe(str(error))}"

    def _shown(self, content: bytes) -> str:
        return self._safe(_reason_in(content))

    def _safe(self, text: str) -> str:
        """`text` for a message: without the key, and not long."""
        kept = self._secret.kept_out_of(text)
        return kept if len(kept) <= _SHOWN_CHARACTERS else f"{kept[:_SHOWN_CHARACTERS]}..."


@cache
def _certificates() -> ssl.SSLContext:
    """The authorities of httpx: reading them takes a tenth of a second."""
    return httpx.create_ssl_context()


def _reason_in(content: bytes) -> str:
    """The message of an OpenAI error, or the text of any other body."""
    text = content.decode("utf-8", "replace")
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return text
    error = parsed.get("error", parsed) if isinstance(parsed, dict) else parsed
    message = error.get("message", error) if isinstance(error, dict) else error
    # Written as JSON, a lone surrogate is an escape, which every file can hold.
    return message.encode("utf-8", "replace").decode() if isinstance(message, str) else json.dumps(message)
