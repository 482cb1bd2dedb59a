"""How long to wait before a request is repeated: as long as the endpoint asks, or longer each time.

Depends on the format of one header; independent of connections.
"""

import time
from collections.abc import Mapping
from email.utils import mktime_tz, parsedate_tz

_BACKOFF_S, _LONGEST_BACKOFF_S = 0.5, 8.0
_LONGEST_HOLD_S = 120.0


def backoff_s(attempt: int) -> float:
    """Seconds to wait after `attempt`, counted from 0, where the endpoint asks for none."""
    return float(min(_BACKOFF_S * 2.0 ** min(attempt, 10), _LONGEST_BACKOFF_S))


def requested_wait_s(headers: Mapping[str, str]) -> float:
    """Seconds that a response asks to wait: by OpenAI's header in milliseconds or by Retry-After; 0 for none."""
    try:
        return _bounded(float(headers.get("retry-after-ms", "")) / 1000)
    except ValueError:
        return held_seconds(headers.get("retry-after"))


def held_seconds(header: str | None, now_s: float | None = None) -> float:
    """The seconds of a Retry-After header, which has seconds or a date; 0 for anything else. `now_s`: current time."""
    try:
        seconds = float(header or 0.0)
    except ValueError:
        seconds = _seconds_until(header or "", time.time() if now_s is None else now_s)
    return _bounded(seconds)


def _bounded(seconds: float) -> float:
    return min(max(0.0, seconds), _LONGEST_HOLD_S)


def _seconds_until(date: str, now_s: float) -> float:
    parsed = parsedate_tz(date)
    try:
        return 0.0 if parsed is None else mktime_tz(parsed) - now_s
    except (ValueError, OverflowError):
        return 0.0
