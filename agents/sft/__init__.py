"""Warm start (SFT) on demonstrations (traces): `PixelSFTTrainer` on TRL's trainer, deliberate mistakes masked."""

from typing import TYPE_CHECKING

from pixel_env.lazy_names import lazy_names

if TYPE_CHECKING:
    from agents.sft.config import PixelSFTConfig
    from agents.sft.trainer import PixelSFTTrainer

__all__ = ["PixelSFTConfig", "PixelSFTTrainer"]

# Late: a module of this package may be imported without loading torch and TRL.
__getattr__, __dir__ = lazy_names(
    __name__, {"PixelSFTConfig": "agents.sft.config", "PixelSFTTrainer": "agents.sft.trainer"}
)
