"""What a trainer's model was trained from, and its name.

Depends on transformers' and PEFT's conventions; independent of trainers' losses.
"""

from pathlib import Path
from typing import Any


def name_of(trainer: Any) -> str:
    """The hub id that the model is pushed to, with its owner once that is known, else the name of the output folder."""
    args = trainer.args
    return str(trainer.hub_model_id or args.hub_model_id or Path(args.output_dir).resolve().name)


def has_adapter(model: Any) -> bool:
    """Whether only an adapter is trained and saved."""
    return hasattr(model, "peft_config")


def base_of(model: Any) -> str:
    """The name or folder of the checkpoint that `model` was loaded from; of an adapter that of its base."""
    if has_adapter(model):
        adapter = model.peft_config[model.active_adapter]
        if adapter.base_model_name_or_path:
            return str(adapter.base_model_name_or_path)
    return str(getattr(model.config, "_name_or_path", "") or "an unnamed model")
