"""The files of a checkpoint that a resumed training reads, checked before any of them is: none may run code.

Weights and the replay buffer are safetensors, the state is JSON. The optimizer, the scheduler and the random states are
pickles, which transformers unpickles with `weights_only`; DeepSpeed's files and the index of sharded weights are
unpickled without. The names of what a pickle would call are listed here without calling any, and all but those that
torch, numpy and DeepSpeed need are refused. `training_args.bin` and the rest of a checkpoint are not read. Depends on
torch's list; independent of trainers.
"""

import json
import os
import pickle
from collections.abc import Callable, Collection
from pathlib import Path
from typing import IO, Any

import torch
from safetensors import SafetensorError, safe_open
from torch.serialization import get_unsafe_globals_in_checkpoint

from agents.run_folder.checkpoints import STATE
from pixel_env.errors import ConfigError, one_line, shortened

TOKENS = "num_tokens.json"
"""What supervised training has seen, by the name that its trainer writes."""
_PICKLES = ("*.pt", "*.pth", "pytorch_model*.bin", "adapter_model.bin", "optimizer.bin", "*/*.pt", "*/*.bin")
_NOT_READ = "training_args.bin"
_ALLOWED = frozenset(
    (
        *("numpy.dtype", "numpy.ndarray", "numpy._core.multiarray._reconstruct", "numpy.core.multiarray._reconstruct"),
        *("numpy.dtypes.UInt32DType", "numpy._core.multiarray.scalar", "numpy.core.multiarray.scalar"),
        "deepspeed.runtime.fp16.loss_scaler.LossScaler",
        "deepspeed.runtime.fp16.loss_scaler.DynamicLossScaler",
        "deepspeed.runtime.zero.config.ZeroStageEnum",
        "deepspeed.utils.tensor_fragment.fragment_address",
    )
)
"""Beside what torch itself takes for safe: the random state of numpy, and the state of DeepSpeed's ZeRO stages."""
_OF_SHARDS = frozenset(
    (
        *("pathlib.PosixPath", "torch.Size", "torch.serialization._get_layout", "collections.OrderedDict"),
        "torch.distributed.checkpoint.filesystem._StorageInfo",
        *(
            f"torch.distributed.checkpoint.metadata.{name}"
            for name in (
                *("BytesStorageMetadata", "ChunkStorageMetadata", "Metadata", "MetadataIndex", "StorageMeta"),
                *("TensorProperties", "TensorStorageMetadata", "_MEM_FORMAT_ENCODING"),
            )
        ),
    )
)
"""What the index of sharded weights (`.metadata` of FSDP) is made of; torch unpickles it without a check."""
_KINDS: dict[str, tuple[type, ...]] = {
    "global_step": (int,),
    "max_steps": (int,),
    "epoch": (int, float, type(None)),
    "num_train_epochs": (int,),
    "log_history": (list,),
    "best_model_checkpoint": (str, type(None)),
    "stateful_callbacks": (dict,),
}
"""The fields of the state that a training computes with, and their types."""


def check_checkpoint(folder: Path) -> None:
    """Raises ConfigError, which names the file, for one that would run code or cannot be read."""
    _check_state(folder / STATE)
    for file in sorted(folder.glob("*.json")):
        content = _json_in(file)
        if file.name == TOKENS and not (isinstance(content, dict) and type(content.get("num_tokens")) is int):
            raise _unreadable(file, ValueError("it holds no number of tokens"))
    for file in sorted(folder.glob("*.safetensors")):
        _check_tensors(file)
    for pattern in _PICKLES:
        for file in sorted(folder.glob(pattern)):
            if file.name != _NOT_READ:
                _check_called(file, _called_by_archive, _ALLOWED)
    for file in sorted(folder.glob("*/.metadata")):
        _check_called(file, _called_by_pickle, _OF_SHARDS)
    _check_latest(folder / "latest")


def check_resumed(given: str | bool | None, output_dir: str | None) -> None:
    """As `check_checkpoint`, of what `Trainer.train(resume_from_checkpoint=given)` would read."""
    if isinstance(given, str):
        check_checkpoint(Path(given))
    elif given:
        for folder in Path(output_dir or os.curdir).glob("checkpoint-*"):
            check_checkpoint(folder)


def _check_called(file: Path, called_by: Callable[[Path], set[str]], allowed: Collection[str]) -> None:
    try:
        if not file.is_file():
            raise ValueError("it is no regular file")
        called = sorted(name for name in called_by(file) if name not in allowed and not _is_dtype(name))
    except Exception as error:  # of a broken archive or pickle, torch and pickle raise nearly anything
        raise _unreadable(file, error) from error
    if called:
        raise ConfigError(
            f"{file} would run code: it names {', '.join(called)[:200]}. It was not read. Resume from a checkpoint of "
            "your own."
        )


def _called_by_archive(file: Path) -> set[str]:
    return set(get_unsafe_globals_in_checkpoint(file))


def _called_by_pickle(file: Path) -> set[str]:
    with file.open("rb") as opened:
        names = _Names(opened)
        names.load()
    return names.found


class _Nothing:
    """Stands for every class and function of a pickle: it can be made, called and filled, and does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> "_Nothing":
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __call__(self, *_: Any, **__: Any) -> "_Nothing":
        return self

    def __setitem__(self, *_: Any) -> None:
        pass

    def __setstate__(self, _: Any) -> None:
        pass

    append = extend = add = __setstate__


class _Names(pickle.Unpickler):
    """Reads a pickle without importing or calling anything that it names."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.found: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        self.found.add(f"{module}.{name}")
        return _Nothing


def _is_dtype(name: str) -> bool:
    module, _, attribute = name.rpartition(".")
    return module == "torch" and isinstance(getattr(torch, attribute, None), torch.dtype)


def _check_latest(file: Path) -> None:
    """DeepSpeed reads the folder that this file names: it must be one of the checkpoint's."""
    try:
        named = file.read_text(encoding="utf-8").strip() if file.is_file() else ""
    except (OSError, ValueError) as error:
        raise _unreadable(file, error) from error
    if Path(named).name != named or named == "..":
        raise ConfigError(f"{file} names {shortened(named)}, which is no folder of it. Resume from another checkpoint.")


def _check_state(file: Path) -> None:
    try:
        state = _json_in(file)
        for name, kinds in _KINDS.items():
            if name in state and (type(state[name]) not in kinds):
                raise TypeError(f"{name} is a {type(state[name]).__name__}")
        if type(state["global_step"]) is not int or state["global_step"] < 0:
            raise ValueError("global_step is no number of steps")
        if not all(isinstance(row, dict) for row in state["log_history"]):
            raise TypeError("log_history holds something else than rows")
    except (ValueError, TypeError, KeyError) as error:
        raise _unreadable(file, error) from error


def _json_in(file: Path) -> Any:
    try:
        if file.exists() and not file.is_file():
            raise ValueError("it is no regular file")
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(file, error) from error


def _check_tensors(file: Path) -> None:
    try:
        with safe_open(file, framework="pt"):
            pass
    except (OSError, SafetensorError) as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Exception) -> ConfigError:
    reason = one_line(error)[:200]
    return ConfigError(f"{file} cannot be read ({type(error).__name__}: {reason}). Resume from another checkpoint.")
