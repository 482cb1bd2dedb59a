"""A judge's reply as a verdict. Read strictly: a reply that is not one verdict is none.

Depends on JSON; independent of prompts and connections.
"""

import json
import re
from enum import StrEnum
from typing import Any

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"verdict": {"type": "string", "enum": ["right", "wrong"]}},
    "required": ["verdict"],
    "additionalProperties": False,
}
"""The JSON schema of a reply, for an endpoint that takes one."""

_CODE_BLOCK = re.compile(r"\A```(?:json)?\s*\n(.*)\n```\Z", re.DOTALL)
_THOUGHT_END = "</think>"


class Ruling(StrEnum):
    """What is known about one answer from the judge."""

    RIGHT = "right"
    WRONG = "wrong"
    UNJUDGED = "unjudged"
    """It was asked about, and no verdict came: the reply was another text, or there was none."""
    NOT_ASKED = "not asked"
    """The rule read the answer, or there is no answer: the rule's grade stands."""


def verdict_in(text: str, finish_reason: str) -> Ruling:
    """RIGHT or WRONG, if the whole reply is one verdict: a JSON object, which may be in a code block, or the word.

    Thoughts before `</think>` are left out. A reply that was cut off, or holds anything else, is UNJUDGED.
    """
    if finish_reason == "length":
        return Ruling.UNJUDGED
    said = text.rpartition(_THOUGHT_END)[2].strip()
    block = _CODE_BLOCK.match(said)
    return _VERDICTS.get(_word_of(block[1] if block else said), Ruling.UNJUDGED)


_VERDICTS = {"right": Ruling.RIGHT, "wrong": Ruling.WRONG}


def _word_of(said: str) -> str:
    try:
        value = json.loads(said)
    except (ValueError, RecursionError):
        value = {"verdict": said}  # an endpoint without a format for JSON may send the word alone
    word = value.get("verdict") if isinstance(value, dict) and len(value) == 1 else None
    return word if isinstance(word, str) else ""
