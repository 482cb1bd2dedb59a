"""The flags of `pixel-env grpo`: our additional fields, and the options of TRL's that are refused.

Depends on dataclasses; independent of torch and TRL, so that `--help` and the check of a recipe's names need neither.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from agents.config.default_tasks import SAMPLE
from agents.config.episode import EpisodeArguments
from agents.config.names import EngineName, GraderName, RewardName
from agents.config.training_command import Group, Refusal, TrainingCommand
from agents.engines.registry import OWN_ENGINE, engines_that
from agents.run_log.options import RolloutLogArguments
from agents.training_run.arguments import RunArguments
from pixel_env.command_line.values import AtLeastOne, AtLeastZero, NotNegative
from pixel_env.grading import GRADERS
from rewards.shaping import PRESETS


@dataclass
class TaskArguments:
    """The task sets of a training."""

    tasks: str | None = field(
        default=None,
        metadata={
            "help": "task set to train on: a sample set, a path or a hub id (docs/tasks.md); an embedded model has the "
            f"default {SAMPLE}"
        },
    )
    task_count: AtLeastOne | None = field(default=None, metadata={"help": "use only so many of its tasks"})
    follow_links: bool = field(
        default=False, metadata={"help": "links in the folder of the task set may lead out of it (docs/tasks.md)"}
    )
    media_root: str | None = field(
        default=None, metadata={"help": "folder in which rows of the task sets name images, besides their own"}
    )
    grader: GraderName | None = field(
        default=None,
        metadata={
            "help": f"grade every answer by this grader instead of the task's own: {', '.join(GRADERS)}, or your own "
            "as 'module:function'; of the held-out tasks too"
        },
    )
    eval_tasks: str | None = field(
        default=None,
        metadata={
            "help": "held-out task set: evaluated before and after training and, with --eval_strategy, during it"
        },
    )
    eval_task_count: AtLeastOne | None = field(default=None, metadata={"help": "use only so many held-out tasks"})


@dataclass
class TrainedArguments:
    """Which part of the model is trained."""

    freeze_vision_tower: bool = field(
        default=False, metadata={"help": "train the language model alone; with LoRA, the tower gets no adapters"}
    )


@dataclass
class TurnArguments:
    """Limits on the number of sampled tokens."""

    max_completion_length: AtLeastOne | None = field(
        default=2048, metadata={"help": "sampled tokens of a whole episode; also the constant of the dr_grpo loss"}
    )
    max_turn_tokens: AtLeastOne | None = field(
        default=None, metadata={"help": "sampled tokens of one turn (default: max_completion_length // max_turns)"}
    )


@dataclass
class RewardArguments:
    """The reward of a rollout, and its advantage and loss."""

    group_reward: RewardName | None = field(
        default="paper",
        metadata={
            "help": f"reward of the rollouts of a query: {', '.join(PRESETS)} or 'module:function'; null in a recipe "
            "for none"
        },
    )
    filter_zero_advantage: bool = field(
        default=True,
        metadata={"help": "leave rollouts with zero advantage out of the update: the same gradient in less time"},
    )
    scale_rewards: Literal["none", "group", "batch"] = field(
        default="none", metadata={"help": "divide advantages by a standard deviation; none: reward minus group mean"}
    )
    loss_type: Literal["grpo", "bnpo", "dr_grpo", "dapo", "cispo", "sapo", "luspo", "vespo"] = field(
        default="dr_grpo", metadata={"help": "TRL's loss types"}
    )
    epsilon_high: NotNegative | None = field(default=0.35, metadata={"help": "upper clip of the ratio, minus 1"})


@dataclass
class GenerationArguments:
    """How turns are generated."""

    eval_temperature: NotNegative | None = field(
        default=None, metadata={"help": "temperature of held-out rollouts; 0 is greedy (default: temperature)"}
    )
    rollout_batch_size: AtLeastOne = field(
        default=64, metadata={"help": "turns in one batch, where the policy itself generates them"}
    )
    engine: EngineName | None = field(
        default=None,
        metadata={
            "help": f"what generates beside the policy: {engines_that(lambda spec: spec.trainer is not None)}, or your "
            f"own as '{OWN_ENGINE}' (default: what use_vllm and vllm_mode choose; without them the policy generates)"
        },
    )
    vllm_options: dict[str, Any] | str | None = field(
        default=None, metadata={"help": "further arguments of vllm.LLM: a mapping in a recipe, JSON as a flag"}
    )
    served_weights: Literal["disk", "nccl"] = field(
        default="disk",
        metadata={"help": "how vLLM servers get new weights: from a folder that they share, or from GPU to GPU"},
    )
    vllm_importance_sampling_mode: Literal["token_truncate", "token_mask", "sequence_truncate", "sequence_mask"] = (
        field(default="token_truncate", metadata={"help": "correction of the sampler's log-probabilities; TRL's modes"})
    )


@dataclass
class ReplayArguments:
    """Selective sample replay."""

    replay_capacity: AtLeastZero = field(
        default=0, metadata={"help": "rollouts that the replay buffer of each process keeps; 0: no replay"}
    )
    replay_alpha: NotNegative = field(
        default=1.0, metadata={"help": "a kept rollout is drawn with probability ~ |advantage| ** replay_alpha"}
    )
    replay_max_age: AtLeastOne = field(
        default=8, metadata={"help": "optimizer steps after which a kept rollout is no longer replayed"}
    )


OWN = (
    EpisodeArguments,
    TrainedArguments,
    TurnArguments,
    RewardArguments,
    GenerationArguments,
    ReplayArguments,
    RolloutLogArguments,
)
"""Our fields of `PixelGRPOConfig`."""

_CHANGES_SAMPLING = (
    "It would change what is sampled but not the log-probabilities that the loss uses. Leave it out; temperature is "
    "applied to both."
)
_ORDER = "The order of tasks is that of whole groups of rollouts: shuffle_dataset and seed determine it. Leave it out."
_OURS = "Turns are generated by the engines of pixel-env: set use_vllm for vLLM, vllm_options for arguments of vLLM."
REFUSED = {
    "top_p": Refusal((1.0,), _CHANGES_SAMPLING),
    "top_k": Refusal((0, -1, None), _CHANGES_SAMPLING),
    "min_p": Refusal((0.0, None), _CHANGES_SAMPLING),
    "repetition_penalty": Refusal((1.0,), _CHANGES_SAMPLING),
    "generation_kwargs": Refusal((None, {}), _CHANGES_SAMPLING),
    "vllm_structured_outputs_regex": Refusal((None,), _CHANGES_SAMPLING),
    "use_transformers_continuous_batching": Refusal((False,), _OURS),
    "cache_implementation": Refusal((None,), _OURS),
    "chat_template_kwargs": Refusal((None, {}), "The dialect decides the prompt: give another dialect."),
    "hub_strategy": Refusal(
        ("every_save", "end"), "Checkpoints hold optimizer states and rollouts, and are not uploaded."
    ),
    "max_tool_calling_iterations": Refusal((None,), "Give max_turns, which counts the answering turn too."),
    "transformers_continuous_batching_config": Refusal((None, {}), _OURS),
    "vllm_group_port": Refusal((51216,), "Weights travel over a port that is free. Leave it out."),
    "cast_lm_head_to_fp32": Refusal(
        (False,),
        "TRL replaces the forward of the head, which the ban on image tokens replaces, too. Load the whole model in "
        "float32 instead: --dtype float32.",
    ),
    "neftune_noise_alpha": Refusal((None,), "Noise on the embeddings makes the trained policy not the sampled one."),
    "label_smoothing_factor": Refusal((0.0,), "It smooths labels, and the loss of GRPO has none. Leave it out."),
    "train_sampling_strategy": Refusal(("random",), _ORDER),
    "length_column_name": Refusal(("length",), _ORDER),
    "data_seed": Refusal((None,), _ORDER),
}
NEEDS_ENGINE: dict[str, tuple[Any, ...]] = {
    "vllm_mode": ("colocate",),
    "vllm_server_base_url": (None,),
    "vllm_max_model_length": (None,),
    "vllm_tensor_parallel_size": (1,),
    "vllm_enable_sleep_mode": (False,),
    "vllm_options": (None, {}),
    "served_weights": ("disk",),
}
"""Options of an engine beside the policy with their default values: without such an engine others are refused."""
NOT_SAVED = {
    "sync_ref_model": "the reference model, which moves",
    "use_adaptive_entropy": "the coefficient of the entropy bonus, which moves",
}
"""Switches of TRL's with a state that no checkpoint contains: a resumed run would go on with another one."""

GRPO = TrainingCommand(
    name="grpo",
    description="Reinforcement learning (GRPO) on rollouts of the environment, with the curiosity bonus.",
    groups=(
        Group(
            "what is trained",
            (TaskArguments, TrainedArguments),
            {
                "model_name_or_path": "checkpoint to start from: a folder, a hub id, or an embedded one",
                "learning_rate": "learning rate (default: 1e-06)",
                "max_steps": "optimizer steps (default: as many as num_train_epochs take)",
                "num_train_epochs": "passes over the tasks (default: 3.0)",
                "per_device_train_batch_size": "rollouts of a forward pass on each device (default: 8)",
                "gradient_accumulation_steps": "forward passes of an optimizer step (default: 1)",
                "use_peft": "train LoRA adapters (default: whether the model is one, which is then trained on)",
                "bf16": "mixed precision (default: on with a GPU)",
            },
        ),
        Group("episode", (EpisodeArguments, TurnArguments)),
        Group("reward", (RewardArguments,), {"beta": "weight of the KL term (default: 0.0)"}),
        Group(
            "generation",
            (GenerationArguments,),
            {
                "num_generations": "rollouts of a query (default: 8)",
                "temperature": "sampling temperature (default: 1.0)",
                "use_vllm": "generate with vLLM (default: False)",
                "vllm_mode": "colocate: vLLM in this process; server: replicas started by pixel-env serve",
                "vllm_server_base_url": "addresses of the replicas, separated by commas",
            },
        ),
        Group("replay", (ReplayArguments,)),
        Group(
            "output",
            (RunArguments, RolloutLogArguments),
            {
                "output_dir": "output folder: checkpoints, configuration, final model, summary.json",
                "resume_from_checkpoint": "another checkpoint of the run than the newest one, from which it goes on",
                "save_steps": "optimizer steps between checkpoints (default: 500)",
                "seed": "seed of tasks, sampling and initialization (default: 42)",
            },
        ),
    ),
    trl_config=("trainer/grpo_config.py", "GRPOConfig"),
    refused=REFUSED,
)
