"""What a teacher said, read out of its reply, or why it cannot be used.

The one place where a reply's text becomes a value. Knows what may stand in a trace's text: no calls, no answer marks,
nothing that a chat template reads as its own. Knows nothing of plans or requests.
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
"""Of a reply. `suffices`: whether what is shown is enough to answer the question."""


@dataclass(frozen=True, slots=True)
class Saying:
    """A text fit for a trace, and whether the teacher finds that what it was shown suffices to answer."""

    text: str
    suffices: bool


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a reply is none: `code` is what is counted, `reason` is what the teacher is told."""

    code: str
    reason: str


UNREADABLE = frozenset({"cut_off", "empty", "not_json", "wrong_schema"})
"""Codes of replies that hold no text to judge: plan after plan, it is the endpoint and not what it was asked."""


def read_saying(reply: Reply) -> Saying | Unusable:
    """The reply as a saying. JSON may stand behind hidden reasoning and inside of a code block."""
    if reply.finish_reason == "length":
        return Unusable("cut_off", "it was cut off for its length; be shorter")
    if not reply.text.strip():
        return Unusable("empty", "it is empty")
    found = _object_in(reply.text.rpartition("</think>")[2])
    if found is None:
        return Unusable("not_json", f"it is not JSON; wanted: one object as of {json.dumps(SCHEMA)}")
    text, suffices = found.get("text"), found.get("suffices")
    if not isinstance(text, str) or not isinstance(suffices, bool):
        return Unusable("wrong_schema", f"it does not follow the schema {json.dumps(SCHEMA)}")
    return fault_of(text.strip()) or Saying(text.strip(), suffices)


def fault_of(text: str) -> Unusable | None:
    """What keeps `text` out of a trace, if anything."""
    if len(text) < MIN_CHARACTERS:
        return Unusable("too_short", f"its text has {len(text)} characters; write at least {MIN_CHARACTERS}")
    if len(text) > MAX_CHARACTERS:
        return Unusable("too_long", f"its text has {len(text)} characters; write at most {MAX_CHARACTERS}")
    if has_control_characters(text):
        return Unusable("control_characters", "its text holds characters that are not text; write plain text")
    if found := _MARKUP.search(text):
        return Unusable("markup", f"its text holds {found.group()!r}; write prose without any markup")
    if found := _TOLD.search(text):
        return Unusable("tells_of_prompt", f"its text says {found.group()!r}; write as if nobody had told you anything")
    return None


def has_control_characters(text: str) -> bool:
    """Whether `text` holds anything but characters that are seen, line breaks and tabs.

    Such a text cannot be kept or tokenised, or is not what it looks like: signs without width, another direction.
    """
    return any(unicodedata.category(sign).startswith("C") for sign in text if sign not in "\n\t")


def _object_in(text: str) -> dict[str, Any] | None:
    decoder = json.JSONDecoder(strict=False)  # small models write line breaks as they are
    for found in re.finditer(r"\{", text):
        try:
            value, _ = decoder.raw_decode(text, found.start())
        except (ValueError, RecursionError):
            continue
        return value
    return None


_MARKS = sorted({mark for one in DIALECTS.values() for mark in (*one.calls.markers, one.answer_marker)})
_MARKUP = re.compile("|".join([*map(re.escape, _MARKS), r"\\boxed", r"<\|", r"</?(?:think|image|video|answer)>"]))
_TOLD = re.compile(
    r"\b(?:reference answer|ground[- ]truth|the (?:given|provided|stated) answer|the annotation|"
    r"I (?:was|am|have been) (?:told|given) the)\b",
    re.IGNORECASE,
)
