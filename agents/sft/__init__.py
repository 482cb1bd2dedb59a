"""The warm start: `PixelSFTTrainer` on TRL's trainer, deliberate mistakes masked from the loss."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agents.sft.config import PixelSFTConfig
    from agents.sft.trainer import PixelSFTTrainer

__all__ = ["PixelSFTConfig", "PixelSFTTrainer"]


def __getattr__(name: str) -> Any:
    # Late: a module of this package may be imported without loading torch and TRL.
    match name:
        case "PixelSFTConfig":
            from agents.sft.config import PixelSFTConfig

            return PixelSFTConfig
        case "PixelSFTTrainer":
            from agents.sft.trainer import PixelSFTTrainer

            return PixelSFTTrainer
        case _:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
