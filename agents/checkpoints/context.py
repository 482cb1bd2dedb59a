"""The longest conversation that a model has positions for, and limits within it.

Depends on the configuration of a model, read from its `config.json`; independent of model libraries.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agents.checkpoints.conventions import config_of
from pixel_env.episode import Limits
from pixel_env.errors import ConfigError


def context_of(model: object) -> int | None:
    """Positions of the language model (`max_position_embeddings`) of a name, a folder, or a loaded model.

    None if its configuration does not say: then no limit is made up.
    """
    if isinstance(model, str):
        return _positions_in(config_of(model))
    config: Any = getattr(model, "config", None)
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    found = getattr(text, "max_position_embeddings", None)
    return found if isinstance(found, int) else None


def within_context(limits: Limits, context: int | None, model: str) -> Limits:
    """`limits` with at most `context` tokens: an episode that would pass them ends, truncated by tokens.

    Raises ConfigError if more were asked for. None: the context is not known, and the limits are unchanged.
    """
    if context is None:
        return limits
    if limits.max_tokens is not None and limits.max_tokens > context:
        raise ConfigError(
            f"max_tokens is {limits.max_tokens}, but {model} has positions for {context} tokens "
            f"(max_position_embeddings). Give at most {context}, or leave max_tokens out."
        )
    return replace(limits, max_tokens=limits.max_tokens or context)


def _positions_in(config: Mapping[str, Any] | None) -> int | None:
    if config is None:
        return None
    text = config.get("text_config")
    for one in (text if isinstance(text, Mapping) else {}, config):
        found = one.get("max_position_embeddings")
        if isinstance(found, int) and not isinstance(found, bool):
            return found
    return None
