"""How an endpoint wants to be spoken to: which of the API's optional fields it takes. Found out by being refused.

Knows names of OpenAI's fields. Knows nothing of connections.
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
class Manner:
    """The fields of a request beside its messages. What is replied is read the same way in all of them."""

    reply_format: str = "json_schema"
    tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    sends_seed: bool = True

    def fields(self, *, max_tokens: int, temperature: float | None, seed: int) -> dict[str, Any]:
        """The fields, as keywords of the client."""
        fields: dict[str, Any] = {self.tokens_field: max_tokens}
        if (reply_format := _FORMATS[self.reply_format]) is not None:
            fields["response_format"] = reply_format
        if temperature is not None:
            fields["temperature"] = temperature
        if self.sends_seed:
            fields["seed"] = seed
        return fields

    def after(self, refusal: str) -> "Manner | None":
        """The manner to try once an endpoint has refused this one with that text; None if none is left."""
        if self.tokens_field == "max_tokens" and "max_completion_tokens" in refusal:
            return replace(self, tokens_field="max_completion_tokens")
        if self.sends_seed and "seed" in refusal:
            return replace(self, sends_seed=False)
        # Servers word it in too many ways to tell whether it was the format, so the simpler one is tried.
        simpler = _SIMPLER.get(self.reply_format)
        return None if simpler is None else replace(self, reply_format=simpler)
