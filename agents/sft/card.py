"""The model card of an SFT run.

Depends on the trainer's configuration and state; independent of the card's text.
"""

from typing import Any

from agents.model_card.card import CardFacts
from agents.model_card.trained import base_of, has_adapter, name_of

_SETTINGS = {
    "learning rate": "learning_rate",
    "traces of a forward pass": "per_device_train_batch_size",
    "accumulated passes": "gradient_accumulation_steps",
    "vision tower frozen": "freeze_vision_tower",
    "turns": "max_turns",
    "seed": "seed",
}


def card_facts(trainer: Any, traces: str) -> CardFacts:
    """What the card of `trainer`, a PixelSFTTrainer on `traces`, says."""
    args = trainer.args
    return CardFacts(
        name=name_of(trainer),
        base=base_of(trainer.model),
        adapter=trainer.continued_adapter,
        method="SFT",
        is_adapter=has_adapter(trainer.model),
        dialect=trainer.convention_settings.dialect,
        data=traces,
        count=len(trainer.train_dataset),
        steps=trainer.state.global_step,
        # Those that were reached: max_steps may have ended them.
        settings={"epochs": round(trainer.state.epoch or 0.0, 2)}
        | {label: getattr(args, name) for label, name in _SETTINGS.items()},
    )
