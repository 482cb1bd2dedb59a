"""TRL's flags for models, where those of adapters may be left to the adapter that a training goes on with.

Depends on TRL's flags and on adapters; independent of trainers.
"""

from dataclasses import dataclass, field, fields, replace
from typing import Any

from trl import ModelConfig, get_peft_config

from agents.checkpoints.adapters import adapter_of
from agents.checkpoints.continuing import SHAPE, check_same_adapter, trained_on
from agents.checkpoints.merged_folder import whole_checkpoint

_FLAGS = {name: name if name.startswith("use_") else f"lora_{name.removeprefix('lora_')}" for name in SHAPE}
"""The flag of each field of PEFT's configuration."""


@dataclass
class ModelArguments(ModelConfig):
    """ModelConfig, in which None is what the adapter has, or TRL's default for a model that is none."""

    use_peft: bool | None = field(default=None, metadata={"help": "train LoRA adapters"})
    lora_r: int | None = field(default=None, metadata={"help": "LoRA's rank"})
    lora_alpha: int | None = field(default=None, metadata={"help": "LoRA's alpha"})
    lora_dropout: float | None = field(default=None, metadata={"help": "LoRA's dropout"})


def settled(arguments: ModelConfig) -> ModelConfig:
    """The same without None. Where the model is an adapter it is trained on, unless `use_peft` is False.

    Raises ConfigError for a flag that says otherwise than the adapter.
    """
    adapter = adapter_of(arguments.model_name_or_path)
    values = {one.name: getattr(ModelConfig(), one.name) for one in fields(ModelConfig)}
    if adapter is not None and arguments.use_peft is not False:
        config = trained_on(adapter)
        check_same_adapter(adapter, config, {name: getattr(arguments, flag) for name, flag in _FLAGS.items()}, _FLAGS)
        values |= {"use_peft": True, "lora_r": config.r, "lora_alpha": config.lora_alpha}
        values |= {"lora_dropout": config.lora_dropout}
    return replace(arguments, **{name: one for name, one in values.items() if getattr(arguments, name) is None})


def model_and_adapter(arguments: ModelConfig) -> tuple[str, Any]:
    """The `model` and the `peft_config` of a trainer, of settled arguments.

    An adapter that is not trained on is merged. Raises ConfigError where the merged folder cannot be written.
    """
    name = arguments.model_name_or_path
    adapter = adapter_of(name)
    if adapter is None:
        return name, get_peft_config(arguments)
    if not arguments.use_peft:
        return whole_checkpoint(name), None
    config = trained_on(adapter)
    config.lora_dropout = arguments.lora_dropout
    return name, config
