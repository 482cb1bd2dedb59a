"""Errors of loading a model, turned into a ConfigError that names the model.

Depends on the names of transformers' loading functions; independent of models and of every model library.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from pixel_env.errors import ConfigError, PixelEnvError, one_line

_LOADS = frozenset({"from_pretrained", "create_model_from_path"})
"""The functions of transformers and TRL that load: an error that passed through one is about what is loaded."""
_ADAPTS = "get_peft_model"
"""The function of PEFT that makes adapters."""


@contextmanager
def loading(model: str, *, base_of: str = "") -> Iterator[None]:
    """A context in which an error of loading `model` becomes a ConfigError that names it; other errors pass.

    `base_of`: the adapter whose base it is.
    """
    try:
        yield
    except (PixelEnvError, ModuleNotFoundError):
        raise
    except Exception as error:  # by files: OSError, SafetensorError, ValueError; by a wrong dtype: AttributeError
        passed = {frame.name for frame in traceback.extract_tb(error.__traceback__)}
        if _ADAPTS in passed and not passed & _LOADS:
            raise ConfigError(
                f"The model {model!r} cannot be given these adapters: {one_line(error)} Correct lora_target_modules "
                "and the other lora_ options."
            ) from error
        if not passed & _LOADS:
            raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        adapted = f", the base of the adapter {base_of!r}," if base_of else ""
        raise ConfigError(
            f"The model {model!r}{adapted} cannot be loaded: {reason}. Give the folder of a whole checkpoint, "
            "the hub id of a model, or the name of an embedded one, and a dtype and an attention implementation that "
            "it supports."
        ) from error
