"""Which optional fields of OpenAI's API an endpoint supports; learned from the requests that it refuses.

Depends on the names of OpenAI's fields; independent of connections.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from synth.teachers.expert.reply import SCHEMA

_SIMPLER = {"json_schema": "json_object", "json_object": "text"}


@dataclass(frozen=True, slots=True)
class ApiSupport:
    """The fields of a request besides its messages. Replies are read in the same way for all of them.

    `schema`: of the replies, and its name. `may_leave_out_temperature`: whether an endpoint that refuses the
    temperature is asked without it.
    """

    reply_format: str = "json_schema"
    schema_name: str = "thought"
    schema: Mapping[str, Any] = field(default_factory=lambda: SCHEMA)
    may_leave_out_temperature: bool = False
    tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    sends_seed: bool = True
    sends_temperature: bool = True

    def fields(self, *, max_tokens: int, temperature: float | None, seed: int) -> dict[str, Any]:
        """The fields as keyword arguments of the client."""
        fields: dict[str, Any] = {self.tokens_field: max_tokens}
        if self.reply_format != "text":
            fields["response_format"] = self._format()
        if temperature is not None and self.sends_temperature:
            fields["temperature"] = temperature
        if self.sends_seed:
            fields["seed"] = seed
        return fields

    def _format(self) -> dict[str, Any]:
        if self.reply_format == "json_object":
            return {"type": "json_object"}
        schema = {"name": self.schema_name, "strict": True, "schema": self.schema}
        return {"type": "json_schema", "json_schema": schema}

    def after(self, refusal: str) -> "ApiSupport | None":
        """The fields to try after an endpoint has refused these with the text `refusal`; None if nothing is left to
        try."""
        if self.tokens_field == "max_tokens" and "max_completion_tokens" in refusal:
            return replace(self, tokens_field="max_completion_tokens")
        if self.sends_seed and "seed" in refusal:
            return replace(self, sends_seed=False)
        if self.sends_temperature and self.may_leave_out_temperature and "temperature" in refusal:
            return replace(self, sends_temperature=False)
        # Error texts differ too much to recognise a refused format, so the simpler one is tried.
        simpler = _SIMPLER.get(self.reply_format)
        return None if simpler is None else replace(self, reply_format=simpler)
