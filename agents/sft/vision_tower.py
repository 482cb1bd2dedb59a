"""The vision tower of a model: left as it is while the rest learns.

Knows transformers' names of towers and peft's way to leave modules out. A Qwen tower includes its merger, which turns
patches into the language model's tokens.
"""

from dataclasses import replace
from typing import Any

import torch

from pixel_env.errors import ConfigError

TOWER_NAMES = ("vision_tower", "visual", "vision_model", "vision_encoder", "image_tower")
"""As `PreTrainedModel.get_encoder` of transformers looks for it."""
IN_A_TOWER = rf".*\b({'|'.join(TOWER_NAMES)})\b.*"
"""The paths of the modules of a tower."""


def freeze_vision_tower(model: Any) -> None:
    """No parameter of the tower is trained from now on. Raises ConfigError for a model without one."""
    vision_tower(model).requires_grad_(False)


def vision_tower(model: Any) -> torch.nn.Module:
    """The tower of the model, which may be wrapped by peft. Raises ConfigError if it has none."""
    for path, module in model.named_modules():
        if path.rpartition(".")[2] in TOWER_NAMES:
            tower: torch.nn.Module = module
            return tower
    raise ConfigError(
        f"{type(model).__name__} has no vision tower: none of its modules is called {', '.join(TOWER_NAMES)}. "
        "Leave freeze_vision_tower out."
    )


def beside_the_tower(peft_config: Any) -> Any:
    """The configuration with the tower's modules left out, whatever its targets are; None stays None.

    Raises ConfigError where it excludes others already.
    """
    if peft_config is None:
        return None
    if peft_config.exclude_modules not in (None, IN_A_TOWER):
        raise ConfigError(
            f"freeze_vision_tower and exclude_modules={peft_config.exclude_modules!r} were both given. Leave one out: "
            f"{IN_A_TOWER!r} excludes the tower."
        )
    return replace(peft_config, exclude_modules=IN_A_TOWER)
