"""Which optional fields of OpenAI's API an endpoint supports; learned from the requests that it refuses.

Depends on the names of OpenAI's fields; independent of connections.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

from synth.teachers.expert.reply import SCHEMA

_FORMATS: dict[str, dict[str, Any] | None] = {
    "json_schema": {"type": "json_schema", "json_schema": {"name": "thought", "strict": True, "schema": SCHEMA}},
    "json_object": {"type": "json_object"},
    "text": None,
}
_SIMPLER = {"json_schema": "json_object", "json_object": "text"}


@dataclass(frozen=True, slots=True)
class ApiSupport:
    """The fields of a request besides its messages. Replies are read in the same way for all of them."""

    reply_format: str = "json_schema"
    tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    sends_seed: bool = True

    def fields(self, *, max_tokens: int, temperature: float | None, seed: int) -> dict[str, Any]:
        """The fields as keyword arguments of the client."""
        fields: dict[str, Any] = {self.tokens_field: max_tokens}
        if (reply_format := _FORMATS[self.reply_format]) is not None:
            fields["response_format"] = reply_format
        if temperature is not None:
            fields["temperature"] = temperature
        if self.sends_seed:
            fields["seed"] = seed
        return fields

    def after(self, refusal: str) -> "ApiSupport | None":
        """The fields to try after an endpoint has refused these with the text `refusal`; None if nothing is left to
        try."""
        if self.tokens_field == "max_tokens" and "max_completion_tokens" in refusal:
            return replace(self, tokens_field="max_completion_tokens")
        if self.sends_seed and "seed" in refusal:
            return replace(self, sends_seed=False)
        # Error texts differ too much to recognise a refused format, so the simpler one is tried.
        simpler = _SIMPLER.get(self.reply_format)
        return None if simpler is None else replace(self, reply_format=simpler)
