"""The checkpoint folder or hub id that a model's name stands for.

Depends on names and folders; independent of model libraries.
"""

from importlib import resources
from pathlib import Path

from pixel_env.errors import UnknownNameError


def model_folder(name: str) -> str:
    """The folder of an embedded checkpoint ('tiny-base', ...); any other name as it is: a folder or a hub id."""
    return str(checkpoint_path(name)) if name in CHECKPOINTS else name


def is_hub_id(name: str) -> bool:
    """Whether `name` has the form of a hub id and is no folder here."""
    return name.count("/") == 1 and not name.startswith((".", "~", "/")) and not Path(name).is_dir()


CHECKPOINTS = ("tiny-base", "tiny-warm", "tiny-zoom")


def checkpoint_path(name: str) -> Path:
    """The folder of the embedded checkpoint `name`, to be loaded by `from_pretrained`. Raises UnknownNameError."""
    if name not in CHECKPOINTS:
        raise UnknownNameError.among("embedded checkpoint", name, CHECKPOINTS)
    return Path(str(resources.files("agents.checkpoints") / name))
