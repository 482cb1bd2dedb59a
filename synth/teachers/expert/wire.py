"""Reading of an endpoint's responses: replies from bodies, seconds from headers. Nothing in them is trusted.

Depends on OpenAI's format of chat completions; independent of connections.
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
    """The reply in the body of a response; None if there is none, or if the provider reports an error."""
    try:
        answer = json.loads(body)
        choice, usage = answer["choices"][0], answer.get("usage") or {}
        text, finish_reason = choice["message"].get("content") or "", str(choice.get("finish_reason"))
        counts = (_count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens"))
        return None if finish_reason == _ERROR else Reply(_text(text), _text(finish_reason), *counts)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def held_seconds(header: str | None, now_s: float | None = None) -> float:
    """The seconds of a Retry-After header, which has seconds or a date; 0 for anything else. `now_s`: current time."""
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
    """A number of tokens; 0 for anything else."""
    is_count = isinstance(given, int | float) and 0 <= given <= _MOST_TOKENS
    return int(given) if is_count else 0


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
