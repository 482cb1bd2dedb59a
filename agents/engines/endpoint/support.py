"""What one endpoint accepts and how it names things; learned from its refusals and its replies.

Depends on the names of OpenAI's fields; independent of connections and conversations.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

from agents.engines.endpoint.reply import ReasoningField, Reply
from agents.engines.protocol import Request

ToolImages = Literal["auto", "tool", "user"]
"""Where the images of a tool's result stand: in the tool message, or in the user message after it."""

_MOST_STOP_TEXTS = 4
"""OpenAI's limit of `stop`."""
_CONTEXT_WORDS = ("context length", "context_length", "maximum context", "context window", "max_model_len")
_REFUSES_TOOL_IMAGES = ("content", "image", "tool")


def is_about_context(reason: str) -> bool:
    """Whether a refusal with the text `reason` says that the conversation does not fit the model's context."""
    text = reason.lower()
    return any(word in text for word in _CONTEXT_WORDS)


@dataclass(frozen=True, slots=True)
class Support:
    """How requests are written for this endpoint.

    `tool_images`: "auto" until it is known that images in tool messages are refused. `reasoning_field`: the field in
    which it returns thoughts, and takes those of earlier turns; None: thoughts are part of the text.
    """

    tool_images: ToolImages = "auto"
    tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    sends_seed: bool = True
    reasoning_field: ReasoningField | None = None
    takes_reasoning: bool = True

    @property
    def shows_images_to_user(self) -> bool:
        """Whether the images of a tool's result stand in the next user message."""
        return self.tool_images == "user"

    def fields(self, request: Request, *, takes_the_rest: bool = False) -> dict[str, Any]:
        """The fields of the request about sampling. What is neutral and no field of OpenAI's is left out.

        `takes_the_rest`: the turn is not limited in tokens, so that it may have what is left of the context.
        """
        truncation = request.truncation
        fields: dict[str, Any] = {"temperature": request.temperature}
        if not takes_the_rest:
            fields[self.tokens_field] = request.max_new_tokens
        optional = {
            "seed": request.seed % 2**31 if self.sends_seed else None,
            "stop": list(request.stop[:_MOST_STOP_TEXTS]) or None,
            "top_p": truncation.top_p if truncation.top_p < 1.0 else None,
            "top_k": truncation.top_k or None,
            "presence_penalty": truncation.presence_penalty or None,
            "repetition_penalty": truncation.repetition_penalty if truncation.repetition_penalty != 1.0 else None,
        }
        return fields | {name: value for name, value in optional.items() if value is not None}

    def after_refusal(self, reason: str, *, has_tool_images: bool) -> "Support | None":
        """How to write the request that was refused with the text `reason`; None if there is no other way."""
        text = reason.lower()
        if self.tokens_field == "max_tokens" and "max_completion_tokens" in text:
            return replace(self, tokens_field="max_completion_tokens")
        if self.sends_seed and "seed" in text:
            return replace(self, sends_seed=False)
        if self.reasoning_field is not None and self.takes_reasoning and "reasoning" in text:
            return replace(self, takes_reasoning=False)
        if self.tool_images == "auto" and has_tool_images and any(word in text for word in _REFUSES_TOOL_IMAGES):
            return replace(self, tool_images="user")
        return None

    def after_reply(self, reply: Reply) -> "Support":
        """With the field in which `reply` has its thought, if it has one in a field."""
        return self if reply.thought_field is None else replace(self, reasoning_field=reply.thought_field)
