"""What goes wrong while a model is loaded, as an error that names the model.

Knows where transformers loads. Knows nothing of models; imports no library.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from pixel_env.errors import ConfigError, PixelEnvError

_LOADS = frozenset({"from_pretrained", "create_model_from_path"})
"""The functions of transformers and TRL that load: an error that passed through one is about what is loaded."""


@contextmanager
def loading(model: str) -> Iterator[None]:
    """Inside, any error of loading `model` becomes a ConfigError that names it; other errors pass."""
    try:
        yield
    except (PixelEnvError, ModuleNotFoundError):
        raise
    except Exception as error:  # by files: OSError, SafetensorError, ValueError; by a wrong dtype: AttributeError
        if not any(frame.name in _LOADS for frame in traceback.extract_tb(error.__traceback__)):
            raise
        said = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise ConfigError(
            f"The model {model!r} cannot be loaded: {said}. Give the folder of a whole checkpoint, the id of a model "
            "of the hub, or the name of an embedded one, and a dtype and an attention that it has."
        ) from error
