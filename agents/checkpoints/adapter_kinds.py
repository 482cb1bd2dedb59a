"""Kinds of adapters that can be trained here: those that change weights, as LoRA does.

Depends on the names that peft's configurations have; independent of peft and of models.
"""

from typing import Any

from pixel_env.errors import ConfigError

_WAY_OUT = "Give a LoraConfig."


def check_adapter(peft_config: Any) -> None:
    """Raises ConfigError for a kind of adapter that would break here or not be trained as meant; None is fine."""
    if peft_config is None:
        return
    kind = type(peft_config).__name__
    if getattr(peft_config, "is_prompt_learning", False):
        raise ConfigError(
            f"peft_config is a {kind}, which puts virtual tokens before the prompt: the positions of images would not "
            f"be those of their tokens. {_WAY_OUT}"
        )
    if kind == "AdaLoraConfig":
        raise ConfigError(
            f"peft_config is a {kind}, whose ranks are allocated by a call after every step, which no trainer makes. "
            f"{_WAY_OUT}"
        )
