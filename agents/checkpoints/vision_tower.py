"""Freezes the vision tower of a model while the rest is trained.

A Qwen tower includes its merger, which turns patches into the language model's tokens. Depends on transformers' names
of towers and peft's exclusion of modules; independent of trainers.
"""

from dataclasses import replace
from typing import Any

import torch

from pixel_env.errors import ConfigError

TOWER_NAMES = ("vision_tower", "visual", "vision_model", "vision_encoder", "image_tower")
"""The names that `PreTrainedModel.get_encoder` of transformers searches for."""
IN_A_TOWER = rf".*\b({'|'.join(TOWER_NAMES)})\b.*"
"""The paths of the modules of a tower."""


def freeze_vision_tower(model: Any) -> None:
    """Excludes all parameters of the tower from training. Raises ConfigError for a model without a tower."""
    vision_tower(model).requires_grad_(False)


def vision_tower(model: Any) -> torch.nn.Module:
    """The tower of the model, which may be wrapped by peft. Raises ConfigError if it has none."""
    for path, module in model.named_modules():
        if path.rpartition(".")[2] in TOWER_NAMES:
            tower: torch.nn.Module = module
            return tower
    raise ConfigError(
        f"{type(model).__name__} has no vision tower: none of its modules is named {', '.join(TOWER_NAMES)}. "
        "Leave freeze_vision_tower out."
    )


def without_tower(peft_config: Any) -> Any:
    """The configuration with the tower's modules excluded, whatever its targets are; None stays None.

    Raises ConfigError if it excludes other modules already.
    """
    if peft_config is None:
        return None
    if peft_config.exclude_modules not in (None, IN_A_TOWER):
        raise ConfigError(
            f"freeze_vision_tower and exclude_modules={peft_config.exclude_modules!r} were both given. Leave one out: "
            f"{IN_A_TOWER!r} excludes the tower."
        )
    return replace(peft_config, exclude_modules=IN_A_TOWER)
