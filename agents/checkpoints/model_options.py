"""Keyword arguments of `from_pretrained` from the command line, as TRL's own scripts pass them.

Depends on TRL's flags for models; independent of what a model is used for.
"""

from collections.abc import Mapping
from typing import Any

from trl import ModelConfig

from pixel_env.errors import ConfigError

_JSON = """'{"dtype": "bfloat16"}'"""


def model_options(given: Mapping[str, Any] | str | None, model_config: ModelConfig) -> dict[str, Any]:
    """`model_init_kwargs`: the given ones and the flags; a flag that is not at its default overrides.

    Raises ConfigError for a text that TRL did not read as JSON.
    """
    if isinstance(given, str):
        raise ConfigError(
            f"model_init_kwargs is {given!r}; wanted: a mapping. On the command line give it as JSON: {_JSON}."
        )
    defaults = _flags(ModelConfig())
    chosen = {name: value for name, value in (given or {}).items() if value is not None}
    changed = {name: value for name, value in _flags(model_config).items() if value not in (None, defaults[name])}
    return {name: value for name, value in (defaults | chosen | changed).items() if value is not None}


def _flags(model_config: ModelConfig) -> dict[str, str | None]:
    """The flags by their names in `from_pretrained`."""
    return {
        "revision": model_config.model_revision,
        "attn_implementation": model_config.attn_implementation,
        "dtype": model_config.dtype,
    }
