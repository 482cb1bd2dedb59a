"""What a training starts from: a model, or an adapter and its base, on which that adapter is trained on.

Depends on PEFT and on TRL's way to load a model; independent of what is trained for.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import DistributedType
from transformers.integrations import is_deepspeed_zero3_enabled
from trl.trainer.utils import create_model_from_path

from agents.checkpoints.adapters import Adapter, adapter_of
from agents.checkpoints.loading import loading
from agents.checkpoints.merged_folder import whole_checkpoint
from agents.checkpoints.merging import adapter_config, with_adapter
from agents.checkpoints.names import model_folder
from agents.checkpoints.processor import load_processor
from agents.run_folder.folder import rank_of_process
from pixel_env.errors import ConfigError

SHAPE = ("r", "lora_alpha", "target_modules", "target_parameters", "modules_to_save", "use_rslora", "use_dora")
"""The fields of PEFT's LoraConfig that say what an adapter is. Dropout may differ from one training to the next."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainedModel:
    """The arguments of TRL's trainers with these names, and `model_init_kwargs` of their configuration.

    `adapter`: the folder of the adapter that is trained on; None: there is none, or it is a new one.
    """

    model: Any
    processing_class: Any
    peft_config: Any
    quantization_config: Any
    model_init_kwargs: Any
    adapter: str | None = None


def model_to_train(given: TrainedModel, **processor_options: Any) -> TrainedModel:
    """The same, with the name of an adapter's folder replaced by PEFT's model of it, whose adapter is trained on.

    The base is loaded with `model_init_kwargs` and `quantization_config`, as TRL's trainers do, a processor with
    `processor_options`. Raises ConfigError for a `peft_config` of another adapter, and for what cannot be loaded.
    """
    if not isinstance(given.model, str):
        return given
    adapter = adapter_of(given.model)
    if adapter is None:
        name = model_folder(given.model)
        # A new adapter names its base, which is to be found from elsewhere, too.
        is_named = given.peft_config is not None and Path(name).is_dir()
        return replace(given, model=str(Path(name).resolve()) if is_named else name)
    config = trained_on(adapter)
    if given.peft_config is not None:
        check_same_adapter(adapter, config, {name: getattr(given.peft_config, name, None) for name in SHAPE})
        config.lora_dropout = given.peft_config.lora_dropout
    _say(adapter, config)
    processor = given.processing_class
    if processor is None:
        processor = load_processor(str(adapter.folder), **processor_options)
    # As TRL makes adapters: ZeRO-3 gathers the trained weights together, so they need one precision.
    keeps_dtype = is_deepspeed_zero3_enabled() and given.quantization_config is None
    model = with_adapter(_base(adapter, given), adapter, config=config, trains=True, keeps_dtype=keeps_dtype)
    return TrainedModel(model, processor, None, None, None, str(adapter.folder.resolve()))


def trained_on(adapter: Adapter) -> Any:
    """PEFT's configuration of an adapter that a training goes on with. Raises ConfigError for one that is no LoRA."""
    config = adapter_config(adapter)
    if config.peft_type.value != "LORA":
        raise ConfigError(
            f"{adapter.folder} is of PEFT's kind {config.peft_type.value}; training goes on with LoRA alone. Merge it "
            f"(pixel-env merge {adapter.folder} --output_dir FOLDER) and train on FOLDER."
        )
    return config


def _base(adapter: Adapter, given: TrainedModel) -> torch.nn.Module:
    """The base, loaded as TRL's trainers load a model that is named."""
    options = dict(given.model_init_kwargs or {})
    if given.quantization_config is not None:
        options["quantization_config"] = given.quantization_config
    if PartialState().distributed_type in (DistributedType.MULTI_GPU, DistributedType.DEEPSPEED):
        options["device_map"] = None
    whole = whole_checkpoint(adapter.base)
    with loading(whole, base_of=str(adapter.folder)):
        loaded: torch.nn.Module = create_model_from_path(whole, **options)
    return loaded


def _say(adapter: Adapter, config: Any) -> None:
    if rank_of_process() == 0:
        line = f"Training goes on with the adapter {adapter.folder} (rank {config.r}), on its base {adapter.base}"
        print(line, file=sys.stderr, flush=True)


def check_same_adapter(
    adapter: Adapter, config: Any, wanted: Mapping[str, Any], shown: Mapping[str, str] | None = None
) -> None:
    """Raises ConfigError for the first field of `wanted` that says otherwise than the adapter's configuration.

    `shown`: the names of the fields for the message, if others than PEFT's.
    """
    for name, value in wanted.items():
        own = getattr(config, name, None)
        # PEFT saves the names of the layers that it found for None and for "all-linear".
        if value and value != "all-linear" and _plain(own) != _plain(value):
            field = name if shown is None else shown[name]
            raise ConfigError(
                f"{field} is {value!r}, but training goes on with the adapter {adapter.folder}, whose value is "
                f"{own!r}. Leave it out; or merge the adapter first (pixel-env merge {adapter.folder} --output_dir "
                "FOLDER) and train a new one on FOLDER."
            )


def _plain(value: Any) -> Any:
    """A set of names as PEFT keeps it, a list as it is given, and the one pattern that TRL takes out of its list."""
    if isinstance(value, set | list | tuple):
        names = sorted(value)
        return names[0] if len(names) == 1 else names
    return value
