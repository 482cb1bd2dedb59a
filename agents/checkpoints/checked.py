"""The folder of a model that is there: of a whole checkpoint, or of an adapter whose base is there.

Depends on names and folders; independent of model libraries.
"""

from pathlib import Path

from agents.checkpoints.adapters import base_chain
from agents.checkpoints.names import is_hub_id, model_folder
from pixel_env.errors import ConfigError


def checked_model_folder(name: str) -> str:
    """The folder of a model, or its hub id as it is. Raises ConfigError for a folder that holds no model."""
    folder = Path(model_folder(name))
    if not folder.is_dir():
        if is_hub_id(name):
            return name
        raise ConfigError(
            f"there is no checkpoint folder {folder}. Give a folder, a hub id or the name of an embedded one."
        )
    *adapters, whole = base_chain(str(folder))
    if not is_hub_id(whole) and not (Path(whole) / "config.json").is_file():
        of = f", which {adapters[-1]} adapts," if adapters else ""
        raise ConfigError(f"{whole}{of} has no config.json. Give the folder of a whole checkpoint, or of an adapter.")
    return str(folder)
