"""The model card of a GRPO run.

Depends on the trainer's configuration and state; independent of the card's text.
"""

from typing import Any

from agents.model_card.card import CardFacts
from agents.model_card.trained import base_of, has_adapter, name_of
from pixel_env.task import TaskSet

_SETTINGS = {
    "learning rate": "learning_rate",
    "rollouts of a question": "num_generations",
    "loss": "loss_type",
    "advantage scaled by": "scale_rewards",
    "clip": "epsilon",
    "upper clip": "epsilon_high",
    "KL weight": "beta",
    "temperature": "temperature",
    "turns": "max_turns",
    "sampled tokens of an episode": "max_completion_length",
    "replay buffer": "replay_capacity",
    "seed": "seed",
}


def card_facts(trainer: Any, tasks: TaskSet) -> CardFacts:
    """What the card of `trainer`, a PixelGRPOTrainer on `tasks`, says."""
    args = trainer.args
    functions = [name for name in trainer.reward_func_names if name != "group_reward"]
    return CardFacts(
        name=name_of(trainer),
        base=base_of(trainer.model),
        adapter=trainer.continued_adapter,
        method="GRPO",
        is_adapter=has_adapter(trainer.model),
        dialect=args.settings(trainer.dialect, tasks).dialect,
        data=tasks.name,
        count=len(tasks),
        steps=trainer.state.global_step,
        reward=args.group_reward,
        functions=tuple(functions),
        settings={label: getattr(args, name) for label, name in _SETTINGS.items()},
    )
