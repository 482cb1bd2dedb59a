"""How a model is loaded, as TRL's own scripts pass it on from the command line.

Knows TRL's flags about models. Knows nothing of what a model is used for.
"""

from typing import Any

from trl import ModelConfig


def model_options(given: dict[str, Any] | str | None, model_config: ModelConfig) -> dict[str, Any]:
    """`model_init_kwargs`: what was given, and the flags."""
    options = dict(given) if isinstance(given, dict) else {}
    options |= {
        "revision": model_config.model_revision,
        "attn_implementation": model_config.attn_implementation,
        "dtype": model_config.dtype or "float32",
    }
    return {name: value for name, value in options.items() if value is not None}
