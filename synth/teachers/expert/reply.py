"""Parsing of a teacher's reply, or the reason why it cannot be used.

This is the only module in which the text of a reply becomes a value. Depends on what a trace's text may contain: no
calls, no answer markers, no tokens of a chat template; independent of plans and requests.
"""

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from pixel_env.dialects.table import DIALECTS
from synth.teachers.expert.cache import Reply

MIN_CHARACTERS = 20
MAX_CHARACTERS = 6000

SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "suffices": {"type": "boolean"}},
    "required": ["text", "suffices"],
    "additionalProperties": False,
}
"""The JSON schema of a reply. `suffices`: whether the shown images are enough to answer the question."""


@dataclass(frozen=True, slots=True)
class ParsedReply:
    """A text for a trace, and whether the teacher judges that the shown images suffice to answer."""

    text: str
    suffices: bool


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a reply cannot be used: `code` is counted, `reason` is sent to the teacher."""

    code: str
    reason: str


UNREADABLE = frozenset({"cut_off", "empty", "not_json", "wrong_schema"})
"""Codes of replies without any readable text: repeated over several plans, the endpoint is at fault."""


def parse_reply(reply: Reply) -> ParsedReply | Unusable:
    """The parsed reply. The JSON may follow hidden reasoning and may be in a code block."""
    if reply.finish_reason == "length":
        return Unusable("cut_off", "it was cut off for its length; be shorter")
    if not reply.text.strip():
        return Unusable("empty", "it is empty")
    parsed = _object_in(reply.text.rpartition("</think>")[2])
    if parsed is None:
        return Unusable("not_json", f"it is not JSON; wanted: one object as of {json.dumps(SCHEMA)}")
    text, suffices = parsed.get("text"), parsed.get("suffices")
    if not isinstance(text, str) or not isinstance(suffices, bool):
        return Unusable("wrong_schema", f"it does not follow the schema {json.dumps(SCHEMA)}")
    return fault_of(text.strip()) or ParsedReply(text.strip(), suffices)


def fault_of(text: str) -> Unusable | None:
    """Why `text` cannot be part of a trace, or None."""
    if len(text) < MIN_CHARACTERS:
        return Unusable("too_short", f"its text has {len(text)} characters; write at least {MIN_CHARACTERS}")
    if len(text) > MAX_CHARACTERS:
        return Unusable("too_long", f"its text has {len(text)} characters; write at most {MAX_CHARACTERS}")
    if has_control_characters(text):
        return Unusable("control_characters", "its text holds characters that are not text; write plain text")
    if match := _MARKUP.search(text):
        return Unusable("markup", f"its text holds {match.group()!r}; write prose without any markup")
    if match := _MENTIONS_PROMPT.search(text):
        return Unusable("tells_of_prompt", f"its text says {match.group()!r}; write as if nobody had told you anything")
    return None


def has_control_characters(text: str) -> bool:
    """Whether `text` contains anything but visible characters, line breaks and tabs.

    Such a text cannot be stored or tokenised, or differs from what it displays (zero width, another direction).
    """
    return any(unicodedata.category(character).startswith("C") for character in text if character not in "\n\t")


def _object_in(text: str) -> dict[str, Any] | None:
    decoder = json.JSONDecoder(strict=False)  # small models do not escape line breaks
    for brace in re.finditer(r"\{", text):
        try:
            value, _ = decoder.raw_decode(text, brace.start())
        except (ValueError, RecursionError):
            continue
        return value
    return None


_MARKERS = sorted(
    {marker for dialect in DIALECTS.values() for marker in (*dialect.calls.markers, dialect.answer_marker)}
)
_MARKUP = re.compile("|".join([*map(re.escape, _MARKERS), r"\\boxed", r"<\|", r"</?(?:think|image|video|answer)>"]))
_MENTIONS_PROMPT = re.compile(
    r"\b(?:reference answer|ground[- ]truth|the (?:given|provided|stated) answer|the annotation|"
    r"I (?:was|am|have been) (?:told|given) the)\b",
    re.IGNORECASE,
)
