"""`PixelGRPOConfig`: TRL's configuration with our fields, checked as a whole.

Depends on TRL's configuration class and on our fields; independent of models, rollouts and losses.
"""

from dataclasses import dataclass, field
from math import gcd
from typing import Any, ClassVar

import torch
from trl import GRPOConfig

from agents.config.episode import EpisodeArguments
from agents.config.training_command import check_fields, check_refused
from agents.config.trl_choices import CHOICES, check_choices
from agents.config.trl_numbers import check_numbers
from agents.engines.served.replicas import addresses
from agents.grpo.engine_options import engine_of_options, settle_engine
from agents.grpo.options import (
    NEEDS_ENGINE,
    NOT_SAVED,
    OWN,
    REFUSED,
    GenerationArguments,
    ReplayArguments,
    RewardArguments,
    TrainedArguments,
    TurnArguments,
)
from agents.rollout import Sampling
from agents.run_log.options import RolloutLogArguments
from pixel_env.errors import ConfigError


@dataclass
class PixelGRPOConfig(
    EpisodeArguments,
    TrainedArguments,
    TurnArguments,
    RewardArguments,
    GenerationArguments,
    ReplayArguments,
    RolloutLogArguments,
    GRPOConfig,
):
    """TRL's GRPOConfig with the method's defaults, and how episodes are played and rewarded (`options.py`).

    `max_completion_length` bounds what the model samples in a whole episode, all turns together (observations do not
    count), and is the constant that the `dr_grpo` loss divides by: loss = -sum over tokens / (rollouts *
    max_completion_length). Each turn gets an equal share of it unless `max_turn_tokens` is set.
    """

    _VALID_DICT_FIELDS: ClassVar[list[str]] = [*GRPOConfig._VALID_DICT_FIELDS, "vllm_options"]

    bf16: bool | None = field(
        default=None, metadata={"help": "mixed precision (default: on with a GPU; on a CPU it is slow and inexact)"}
    )

    def __post_init__(self) -> None:
        check_fields(self, OWN)
        check_numbers(self)
        check_choices(self, CHOICES)
        if self.bf16 is None and not torch.cuda.is_available():
            self.bf16 = False
        settle_engine(self)
        super().__post_init__()
        self.read_prompt()
        check_refused(self, REFUSED)
        self._check_engine_is_there()
        self.check_state_is_saved(resumes=bool(self.resume_from_checkpoint))
        if self.use_vllm and self.vllm_max_model_length is not None:  # an episode ends before vLLM refuses its prompt
            self.max_tokens = min(self.max_tokens or self.vllm_max_model_length, self.vllm_max_model_length)
        if self.max_turns * self._turn_tokens() > (self.max_completion_length or 0):
            raise ConfigError(
                f"{self.max_turns} turns of {self._turn_tokens()} tokens are more than max_completion_length "
                f"({self.max_completion_length}). Raise it, or lower max_turns or max_turn_tokens."
            )
        self._check_checkpoints_fall_between_generations()
        self._check_replay_lives_for_a_generation()

    def sampling(self, mode: str) -> Sampling:
        """How turns are sampled in training and in evaluation."""
        own = self.eval_temperature if mode == "eval" else None
        return Sampling(self.temperature if own is None else own, self._turn_tokens())

    def options_of_vllm(self) -> dict[str, Any]:
        """`vllm_options` as a mapping, which TRL's parser reads from JSON. Raises ConfigError if it is not one."""
        if isinstance(self.vllm_options, str):
            raise ConfigError(f"vllm_options is {self.vllm_options!r}; wanted: a mapping, in YAML or as JSON")
        return self.vllm_options or {}

    @property
    def engine_beside(self) -> str | None:
        """The engine that generates beside the policy, as `engine` names it; None: the policy itself generates."""
        return engine_of_options(self)

    def server_urls(self) -> list[str]:
        """Addresses of the replicas: `vllm_server_base_url`, several of them separated by commas, or host and port."""
        return addresses(self.vllm_server_base_url or f"http://{self.vllm_server_host}:{self.vllm_server_port}")

    def _turn_tokens(self) -> int:
        share = (self.max_completion_length or 0) // self.max_turns
        return max(1, share) if self.max_turn_tokens is None else self.max_turn_tokens

    def _check_engine_is_there(self) -> None:
        """An option of an engine beside the policy has no effect where the policy itself generates."""
        if self.engine_beside is not None:
            return
        for name, plain in NEEDS_ENGINE.items():
            if getattr(self, name) not in plain:
                raise ConfigError(
                    f"{name} is {getattr(self, name)!r}, but the policy itself generates, without vLLM. Set use_vllm, "
                    f"or leave {name} out."
                )

    def check_state_is_saved(self, *, resumes: bool) -> None:
        """Raises ConfigError for a run that could resume from a checkpoint without a state that it needs."""
        for name, state in NOT_SAVED.items():
            if getattr(self, name) and (self.save_strategy != "no" or resumes):
                raise ConfigError(
                    f"{name} is set, but checkpoints do not contain {state}: a run that resumes from one would learn "
                    f"something else. Set save_strategy to no and do not resume, or leave {name} out."
                )

    def _check_checkpoints_fall_between_generations(self) -> None:
        """TRL keeps the unused part of a generation batch in memory only, so a checkpoint inside one cannot resume."""
        micro_steps = (self.steps_per_generation or 1) * self.num_iterations
        name = {"steps": "save_steps", "best": "eval_steps"}.get(str(self.save_strategy.value), "")
        every = getattr(self, name, None) or 0
        if every * self.gradient_accumulation_steps % micro_steps:
            lasts = micro_steps / self.gradient_accumulation_steps
            multiple = micro_steps // gcd(micro_steps, self.gradient_accumulation_steps)
            raise ConfigError(
                f"{name} is {every:g}, and one generation batch lasts {lasts:g} optimizer steps: a "
                f"checkpoint inside a batch would lose its unused part. Set {name} to a multiple of {multiple}."
            )

    def _check_replay_lives_for_a_generation(self) -> None:
        steps = (self.steps_per_generation or 1) * self.num_iterations / self.gradient_accumulation_steps
        if self.replay_capacity and self.replay_max_age < steps:
            raise ConfigError(
                f"replay_max_age is {self.replay_max_age}, and one generation batch lasts {steps:g} optimizer steps: "
                f"kept rollouts would be too old for the next batch. Set it to {steps:g} or more."
            )
