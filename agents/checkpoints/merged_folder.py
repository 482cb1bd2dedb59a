"""An adapter merged into a whole checkpoint folder: where it is wanted, or kept beside the adapter for engines.

Depends on merging; independent of commands. `ADAPTER/merged/KEY` is made once, for all processes of a machine: the key
is a hash of the weights of adapter and base, so that an adapter that was trained on gets another folder.
"""

import hashlib
import shutil
import sys
from pathlib import Path
from typing import Any

from agents.checkpoints.adapters import Adapter, adapter_of
from agents.checkpoints.checked import checked_model_folder
from agents.checkpoints.conventions import convention_of, write_convention
from agents.checkpoints.processor import PROCESSOR_FILES, TOKENIZER_FILES, load_processor
from agents.checkpoints.weights_hash import weights_hash
from pixel_env.errors import ConfigError
from pixel_env.locks import alone_in

KEPT = "merged"
"""The folder inside an adapter's, with the merged checkpoints."""


def whole_checkpoint(model: str) -> str:
    """A folder or hub id with whole weights, for an engine that loads a folder: of an adapter, the merged one.

    Raises ConfigError for a model that is not there, and where the merged folder cannot be written.
    """
    folder = checked_model_folder(model)
    adapter = adapter_of(folder)
    return folder if adapter is None else str(_kept(adapter))


def _kept(adapter: Adapter) -> Path:
    target = adapter.folder.resolve() / KEPT / _key(adapter)
    if target.is_dir():
        return target
    advice = f"Merge it elsewhere and give that: pixel-env merge {adapter.folder} --output_dir FOLDER"
    try:
        target.parent.mkdir(exist_ok=True)
        with alone_in(target.parent, lambda: _say(f"another process merges {adapter.folder}; waiting for it"), advice):
            if not target.is_dir():
                _say(f"{adapter.folder} is an adapter of {adapter.base}: merging both into {target}")
                write_merged(adapter, target)
    except OSError as error:
        raise ConfigError(f"{target} cannot be written: {error.strerror or error}. {advice}") from error
    return target


def write_merged(adapter: Adapter, target: Path, dtype: str = "auto") -> None:
    """Writes the whole checkpoint: weights of precision `dtype` ("auto": the base's), processor and `pixel_env.json`.

    The folder appears once it is whole. Raises OSError where it cannot be written.
    """
    from safetensors import SafetensorError  # late, as torch: a folder that was merged before needs neither

    from agents.checkpoints.merging import load_whole_model

    model: Any = load_whole_model(str(adapter.folder), dtype)
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        model.save_pretrained(partial)
        load_processor(str(adapter.folder)).save_pretrained(partial)
        if (convention := convention_of(str(adapter.folder))) is not None:
            write_convention(partial, convention)
        partial.replace(target)
    except SafetensorError as error:  # its OSError, such as of a full disk
        raise OSError(str(error)) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _key(adapter: Adapter) -> str:
    digest = hashlib.sha256(weights_hash(str(adapter.folder)).encode())
    for name in (adapter.config_file.name, "chat_template.jinja", *PROCESSOR_FILES, *TOKENIZER_FILES):
        file = adapter.folder / name
        digest.update(file.read_bytes() if file.is_file() else b"")
    return digest.hexdigest()[:12]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
