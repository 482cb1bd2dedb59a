"""The checkpoint folder or hub id that a model's name stands for.

Depends on names and folders; independent of model libraries.
"""

from importlib import resources
from pathlib import Path

from pixel_env.errors import ConfigError, UnknownNameError


def model_folder(name: str) -> str:
    """The folder of an embedded checkpoint ('tiny-base', ...); any other name as it is: a folder or a hub id."""
    return str(checkpoint_path(name)) if name in CHECKPOINTS else name


def checked_model_folder(name: str) -> str:
    """The same, checked. Raises ConfigError for a folder that does not exist or holds no whole checkpoint."""
    folder = Path(model_folder(name))
    looks_like_a_hub_id = name.count("/") == 1 and not name.startswith((".", "~", "/"))
    if not folder.is_dir() and not looks_like_a_hub_id:
        raise ConfigError(
            f"there is no checkpoint folder {folder}. Give a folder, a hub id or the name of an embedded one."
        )
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise ConfigError(f"{folder} has no config.json. Give the folder of a whole checkpoint, not of an adapter.")
    return str(folder) if folder.is_dir() else name


CHECKPOINTS = ("tiny-base", "tiny-warm", "tiny-zoom")


def checkpoint_path(name: str) -> Path:
    """The folder of the embedded checkpoint `name`, to be loaded by `from_pretrained`. Raises UnknownNameError."""
    if name not in CHECKPOINTS:
        raise UnknownNameError.among("embedded checkpoint", name, CHECKPOINTS)
    return Path(str(resources.files("agents.checkpoints") / name))
