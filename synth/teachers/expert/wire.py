"""What an endpoint sends back, read: replies out of bodies, seconds out of headers.

Trusts nothing that is in them. Knows OpenAI's format of chat completions; nothing of connections.
"""

import json
import time
from email.utils import mktime_tz, parsedate_tz
from typing import Any

from synth.teachers.expert.cache import Reply

_LONGEST_HOLD_S = 120.0
_MOST_TOKENS = 10**9
_ERROR = "error"


def reply_in(body: bytes) -> Reply | None:
    """The reply in the body of a response; None if there is none, or one that a provider behind it failed at."""
    try:
        answer = json.loads(body)
        choice, usage = answer["choices"][0], answer.get("usage") or {}
        text, finish_reason = choice["message"].get("content") or "", str(choice.get("finish_reason"))
        counts = (_count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens"))
        return None if finish_reason == _ERROR else Reply(_text(text), _text(finish_reason), *counts)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def held_seconds(header: str | None, now_s: float | None = None) -> float:
    """Of a Retry-After, in seconds or as a date; of one that is neither, 0. `now_s`: of the clock, by default now."""
    try:
        seconds = float(header or 0.0)
    except ValueError:
        seconds = _seconds_until(header or "", time.time() if now_s is None else now_s)
    return min(max(0.0, seconds), _LONGEST_HOLD_S)


def _seconds_until(date: str, now_s: float) -> float:
    parsed = parsedate_tz(date)
    try:
        return 0.0 if parsed is None else mktime_tz(parsed) - now_s
    except (ValueError, OverflowError):
        return 0.0


def _count(given: Any) -> int:
    """Tokens that an endpoint counted; 0 for what is no number of tokens."""
    is_count = isinstance(given, int | float) and 0 <= given <= _MOST_TOKENS
    return int(given) if is_count else 0


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
