"""What is checked before a model is loaded, which takes minutes: tasks, limits, adapters and rewards.

Depends on configuration and tasks; independent of the trainer.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from agents.checkpoints.adapter_kinds import check_adapter
from agents.checkpoints.context import context_of, within_context
from agents.engines.choice import check_videos
from agents.grpo.config import PixelGRPOConfig
from agents.grpo.reward_check import check_rewards
from pixel_env.dialects.dialect import Dialect
from pixel_env.errors import ConfigError
from pixel_env.task import TaskSet
from rewards.parts import GroupReward


def check_before_loading(
    args: PixelGRPOConfig,
    model: Any,
    engine: str | None,
    dialect: Dialect,
    task_sets: Mapping[str, TaskSet],
    group_reward: GroupReward | None,
    functions: Sequence[Any],
    peft_config: Any,
) -> None:
    """Raises ConfigError for what would end the run later. `task_sets`: "train" and, if there are any, "eval".

    `engine`: what generates beside the policy, if anything does.
    """
    if args.eval_strategy != "no" and "eval" not in task_sets:
        raise ConfigError(
            f"eval_strategy is {args.eval_strategy.value!r}, but there are no held-out tasks. Give eval_tasks, or "
            "leave eval_strategy out."
        )
    check_adapter(peft_config)
    if engine is not None:
        check_videos(engine, dialect, chain.from_iterable(one.tasks for one in task_sets.values()))
    settings = args.settings(dialect, task_sets["train"])
    name = repr(model) if isinstance(model, str) else f"the model, a {type(model).__name__},"
    within_context(settings.limits, context_of(model), name)
    assert args.num_generations is not None, "TRL's configuration has checked it"
    check_rewards(task_sets["train"].tasks[0], settings, group_reward, functions, args.num_generations)
