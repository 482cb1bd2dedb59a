"""Group relative policy optimization on rollouts of the environment: `PixelGRPOTrainer` on TRL's trainer."""

from typing import TYPE_CHECKING

from pixel_env.lazy_names import lazy_names

if TYPE_CHECKING:
    from agents.grpo.config import PixelGRPOConfig
    from agents.grpo.trainer import PixelGRPOTrainer

__all__ = ["PixelGRPOConfig", "PixelGRPOTrainer"]

# Late: a module of this package may be imported without loading torch and TRL.
__getattr__, __dir__ = lazy_names(
    __name__, {"PixelGRPOConfig": "agents.grpo.config", "PixelGRPOTrainer": "agents.grpo.trainer"}
)
