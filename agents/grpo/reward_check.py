"""Rewards are tried on made-up rollouts before a model is loaded, so that a broken one costs seconds.

The rollouts are real episodes of one task, played by a script: one crops and answers right, one answers wrong. Depends
on the core loop; independent of models and of the trainer.
"""

import inspect
from collections.abc import Sequence
from typing import Any

from transformers import TrainerState

from agents.chat.plain import PlainChat
from agents.engines.scripted import Conversation, ScriptedEngine
from agents.grpo.rows import messages_of, task_columns
from agents.metrics.trajectories import played
from agents.rollout import EpisodeSettings, Sampling, rollout
from pixel_env.actions import sizes_for, write
from pixel_env.boxes import Box
from pixel_env.episode import Answer, Trajectory
from pixel_env.operations.crop_image import CropImage
from pixel_env.task import Task
from rewards.parts import GroupReward, reward_parts

_WRONG = "no answer"
_BOX = Box(0.25, 0.25, 0.75, 0.75)
_TURN_TOKENS = 2**16


def check_rewards(
    task: Task,
    settings: EpisodeSettings,
    group_reward: GroupReward | None,
    functions: Sequence[Any],
    group_size: int,
) -> None:
    """Calls the group reward and the checked functions (`checked_function`) on a made-up group of the task's rollouts.

    Raises ConfigError, which names the function and what it returned or raised. Functions that are asynchronous, and
    reward models, are not called. If the task cannot be played, nothing is checked.
    """
    trajectories = made_up_rollouts(task, settings, group_size)
    if not trajectories:
        return
    if group_reward is not None:
        reward_parts(group_reward, trajectories)
    for function in functions:
        if hasattr(function, "__wrapped__") and not inspect.iscoroutinefunction(function):
            function(**_inputs(trajectories))


def made_up_rollouts(task: Task, settings: EpisodeSettings, count: int) -> list[Trajectory]:
    """`count` played episodes of the task: every other one answers right, after a crop where the dialect has one."""
    right, wrong = _texts(task, settings)

    def script(conversation: Conversation) -> str:
        texts = wrong if conversation.request.request_id % count % 2 else right
        return texts[min(conversation.turn, len(texts) - 1)]

    chat = PlainChat(settings.dialect)
    rows = rollout(
        [task] * count,
        ScriptedEngine(script, chat),
        chat,
        settings=settings,
        sampling=Sampling(max_turn_tokens=_TURN_TOKENS),
        seed=0,
    )
    return played([row.trajectory for row in rows])


def _texts(task: Task, settings: EpisodeSettings) -> tuple[list[str], list[str]]:
    """The turns of an episode that answers right, and of one that answers wrong."""
    dialect = settings.dialect
    right, wrong = (_written(Answer(text), task, settings) for text in (*task.answers[:1], _WRONG, _WRONG)[:2])
    offers_crops = CropImage in dialect.offered and task.sources
    crop = [_written(CropImage(0, _BOX), task, settings)] if offers_crops else []
    return [*crop, right], [wrong]


def _written(action: CropImage | Answer, task: Task, settings: EpisodeSettings) -> str:
    """The action in the dialect; an action that it cannot write is an empty turn."""
    try:
        sizes = sizes_for(settings.dialect, task.opening_views, settings.budgets)
        return write(action, settings.dialect, *sizes)
    except Exception:  # an image that cannot be read, an answer that reads as a call: the episode shows it
        return ""


def _inputs(trajectories: Sequence[Trajectory]) -> dict[str, Any]:
    """What TRL gives to a reward function."""
    return {
        "prompts": [[{"role": "user", "content": one.prompt.text}] for one in trajectories],
        "completions": [messages_of(one) for one in trajectories],
        "completion_ids": [list(range(16)) for _ in trajectories],
        "trajectory": list(trajectories),
        **task_columns([one.task for one in trajectories]),
        "trainer_state": TrainerState(),
        "log_extra": lambda column, values: None,
        "log_metric": lambda name, value: None,
    }
