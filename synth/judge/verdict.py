"""A judge's reply as a verdict on a trace. Read strictly: a reply that is not one verdict is none.

Depends on JSON; independent of prompts and connections.
"""

import json
from dataclasses import dataclass
from typing import Any

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"verdict": {"type": "string", "enum": ["true", "false"]}, "reason": {"type": "string"}},
    "required": ["verdict", "reason"],
    "additionalProperties": False,
}
"""The JSON schema of a reply, for an endpoint that takes one."""
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class TraceVerdict:
    """Whether every text of a trace is true, and why not."""

    is_true: bool
    reason: str


def verdict_in(text: str) -> TraceVerdict | None:
    """The verdict of a reply: one JSON object, which may follow hidden reasoning and be in a code block; else None."""
    said = text.rpartition("</think>")[2].strip().removeprefix("```json").strip("`").strip()
    try:
        row = json.loads(said)
    except (ValueError, RecursionError):
        return None
    verdict = row.get("verdict") if isinstance(row, dict) else None
    if isinstance(verdict, bool):
        verdict = str(verdict).lower()
    if verdict not in ("true", "false"):
        return None
    return TraceVerdict(verdict == "true", " ".join(str(row.get("reason", "")).split())[:_LONGEST_REASON])
