"""Adapter folders: changes to the weights of another model, as PEFT saves them, and which model that is.

Depends on names, folders and JSON; independent of PEFT and of model libraries, so that a missing base is told of before
they are loaded.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from agents.checkpoints.names import CHECKPOINTS, checkpoint_path, is_hub_id, model_folder
from pixel_env.errors import ConfigError

CONFIG_NAME = "adapter_config.json"
WEIGHTS_NAME = "adapter_model.safetensors"


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter folder.

    Args:
        folder: Where it is.
        base: The model whose weights it changes: a folder, or a hub id. It may be an adapter, too.
    """

    folder: Path
    base: str

    @property
    def config_file(self) -> Path:
        """The file that says what it is."""
        return self.folder / CONFIG_NAME


def adapter_of(model: str) -> Adapter | None:
    """The adapter that `model` names; None for anything else: a whole checkpoint, a hub id, no folder at all.

    Raises ConfigError for an adapter that cannot be read, and for one whose base is not there.
    """
    folder = Path(model_folder(model))
    if not (folder / CONFIG_NAME).is_file():
        return None
    if any(folder.glob("model*.safetensors")):
        raise ConfigError(
            f"{folder} holds both a whole model and an adapter ({CONFIG_NAME}). Move one of them to another folder."
        )
    if not (folder / WEIGHTS_NAME).is_file():
        raise ConfigError(
            f"{folder} has {CONFIG_NAME} and no {WEIGHTS_NAME}. Give the folder of a whole adapter; weights in another "
            "format, such as adapter_model.bin, are saved by PEFT's save_pretrained as safetensors."
        )
    return Adapter(folder, _found_base(folder, _named_base(folder / CONFIG_NAME)))


def base_chain(model: str) -> list[str]:
    """`model`, what it is an adapter of, and so on; the last is no adapter. Raises ConfigError as `adapter_of`."""
    chain = [model]
    while (adapter := adapter_of(chain[-1])) is not None:
        if any(Path(known).resolve() == Path(adapter.base) for known in chain):
            raise ConfigError(
                f"{adapter.config_file} names {adapter.base} as its base, which is itself an adapter of it. Write the "
                "whole checkpoint there as base_model_name_or_path."
            )
        chain.append(adapter.base)
    return chain


def _named_base(file: Path) -> str:
    try:
        row = json.loads(file.read_text(encoding="utf-8"))
        name = row["base_model_name_or_path"]
        if not (isinstance(name, str) and name):
            raise TypeError(f"base_model_name_or_path is {name!r}")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ConfigError(
            f"{file} does not say which model it adapts ({type(error).__name__}: {error}). Name it there as "
            "base_model_name_or_path: a folder, a hub id or an embedded one."
        ) from error
    if row.get("megatron_config") is not None:
        raise ConfigError(
            f"{file} has a megatron_config, for which PEFT imports the module {row.get('megatron_core')!r}: a file "
            "cannot say that code may run. Remove megatron_config from it."
        )
    return name


def _found_base(folder: Path, name: str) -> str:
    """The folder or hub id of the base; a relative path is relative to the working folder, or to the adapter's.

    No other place is tried: a base of the same shape that is another one would fit, too.
    """
    if name in CHECKPOINTS:
        return model_folder(name)
    places = [Path(name), folder / name]
    found = next((place.resolve() for place in places if place.is_dir()), None)
    if found is not None:
        return str(found)
    embedded = Path(name)
    if embedded.parent.name == "checkpoints" and embedded.name in CHECKPOINTS:  # as it was installed elsewhere
        return str(checkpoint_path(embedded.name))
    if is_hub_id(name):
        return name
    raise ConfigError(
        f"{folder} is an adapter of {name!r}, and there is no such folder. Put the base model there, or write where it "
        f"is into {folder / CONFIG_NAME} as base_model_name_or_path."
    )
