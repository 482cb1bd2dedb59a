"""Group relative policy optimization on rollouts of the environment: `PixelGRPOTrainer` on TRL's trainer."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agents.grpo.config import PixelGRPOConfig
    from agents.grpo.trainer import PixelGRPOTrainer

__all__ = ["PixelGRPOConfig", "PixelGRPOTrainer"]


def __getattr__(name: str) -> Any:
    # Late: a module of this package may be imported without loading torch and TRL.
    match name:
        case "PixelGRPOConfig":
            from agents.grpo.config import PixelGRPOConfig

            return PixelGRPOConfig
        case "PixelGRPOTrainer":
            from agents.grpo.trainer import PixelGRPOTrainer

            return PixelGRPOTrainer
        case _:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
