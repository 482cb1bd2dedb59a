"""Reading of an endpoint's responses. Nothing in them is trusted.

Depends on OpenAI's format of chat completions; independent of connections.
"""

import json
from typing import Any

from agents.engines.endpoint.reply import texts_in
from synth.teachers.expert.cache import Reply

_MOST_TOKENS = 10**9
_ERROR = "error"


def reply_in(body: bytes) -> Reply | None:
    """The reply in the body of a response; None if there is none, or if the provider reports an error."""
    try:
        answer = json.loads(body)
        choice, usage = answer["choices"][0], answer.get("usage") or {}
        text, finish_reason = texts_in(choice["message"].get("content"))[0], str(choice.get("finish_reason"))
        counts = (_count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens"))
        return None if finish_reason == _ERROR else Reply(_text(text), _text(finish_reason), *counts)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _count(given: Any) -> int:
    """A number of tokens; 0 for anything else."""
    is_count = isinstance(given, int | float) and 0 <= given <= _MOST_TOKENS
    return int(given) if is_count else 0


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
