"""The fields that our training commands add to TRL's.

Knows TRL's configuration classes. Knows nothing of models, rollouts or losses.
"""

from dataclasses import dataclass, field
from math import gcd
from typing import Any, ClassVar, Literal

import torch
from trl import GRPOConfig

from agents.config.episode import EpisodeArguments
from agents.engines.registry import OWN_ENGINE, engines_that
from agents.engines.served.replicas import addresses
from agents.grpo.options import check_options, engine_of_options, settle_engine
from agents.rollout import Sampling
from pixel_env.errors import ConfigError


@dataclass
class PixelGRPOConfig(EpisodeArguments, GRPOConfig):
    """TRL's GRPOConfig, its defaults set to the method's, and how episodes are played and rewarded.

    `max_completion_length` bounds what the model samples in a whole episode, all turns together (observations do not
    count), and is the constant that the `dr_grpo` loss divides by: loss = -sum over tokens / (rollouts *
    max_completion_length). A turn may use its share of it unless `max_turn_tokens` says otherwise.
    """

    _VALID_DICT_FIELDS: ClassVar[list[str]] = [*GRPOConfig._VALID_DICT_FIELDS, "vllm_options"]

    max_turn_tokens: int | None = field(
        default=None, metadata={"help": "Sampled tokens of one turn (default: max_completion_length // max_turns)."}
    )
    group_reward: str | None = field(
        default="paper",
        metadata={
            "help": "Of a query's rollouts: paper, released-code, correctness, module:function, or null for none."
        },
    )
    filter_zero_advantage: bool = field(
        default=True, metadata={"help": "Leave rollouts of zero advantage out of the update: same gradient, less time."}
    )
    eval_temperature: float | None = field(
        default=None, metadata={"help": "Of held-out rollouts; 0 is greedy (default: temperature)."}
    )
    rollout_batch_size: int = field(
        default=64, metadata={"help": "Turns that are generated in one batch, where the policy itself generates."}
    )
    engine: str | None = field(
        default=None,
        metadata={
            "help": f"What generates beside the policy: {engines_that(lambda spec: spec.trainer is not None)}, or your "
            f"own as '{OWN_ENGINE}' (default: what use_vllm and vllm_mode choose; without them the policy generates)."
        },
    )
    vllm_options: dict[str, Any] | str | None = field(
        default=None, metadata={"help": "Further arguments of vllm.LLM, as a mapping (in YAML) or JSON."}
    )
    served_weights: Literal["disk", "nccl"] = field(
        default="disk", metadata={"help": "How servers get new weights: a folder that they see, or GPU to GPU."}
    )
    replay_capacity: int = field(
        default=0, metadata={"help": "Rollouts that selective sample replay keeps in each process; 0: no replay."}
    )
    replay_alpha: float = field(
        default=1.0, metadata={"help": "A kept rollout is drawn with probability ~ |advantage| ** replay_alpha."}
    )
    replay_max_age: int = field(
        default=8, metadata={"help": "Optimizer steps after which a kept rollout is too stale to be replayed."}
    )

    bf16: bool | None = field(
        default=None, metadata={"help": "Mixed precision (default: on with a GPU; on a CPU it is slow and inexact)."}
    )

    # TRL's fields with the values of the released code.
    # Many-turn samples are long: a mask on whole sequences would zero most of them, and one bad token all of theirs.
    vllm_importance_sampling_mode: str = field(
        default="token_truncate", metadata={"help": "Correction of the sampler's log-probabilities; TRL's modes."}
    )
    loss_type: str = field(default="dr_grpo", metadata={"help": "TRL's loss types; see its documentation."})
    scale_rewards: str = field(default="none", metadata={"help": "'none': the advantage is reward minus group mean."})
    epsilon_high: float | None = field(default=0.35, metadata={"help": "Upper clip of the ratio, minus 1."})
    max_completion_length: int | None = field(
        default=2048, metadata={"help": "Sampled tokens of a whole episode; the constant of the dr_grpo loss."}
    )

    def __post_init__(self) -> None:
        if self.bf16 is None and not torch.cuda.is_available():
            self.bf16 = False
        settle_engine(self)
        super().__post_init__()
        self.read_prompt()
        check_options(self)
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
        """`vllm_options` as a mapping, which TRL's parser has made of JSON."""
        if isinstance(self.vllm_options, str):
            raise ConfigError(f"vllm_options is {self.vllm_options!r}. Give a mapping, in YAML or as JSON.")
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

    def _check_checkpoints_fall_between_generations(self) -> None:
        """TRL keeps the unused rest of a generation batch in memory only: a checkpoint amid one could not resume."""
        micro_steps = (self.steps_per_generation or 1) * self.num_iterations
        if self.save_strategy == "steps" and self.save_steps * self.gradient_accumulation_steps % micro_steps:
            lasts = micro_steps / self.gradient_accumulation_steps
            multiple = micro_steps // gcd(micro_steps, self.gradient_accumulation_steps)
            raise ConfigError(
                f"One generation batch lasts {lasts:g} optimizer steps, and save_steps is {self.save_steps}: a "
                f"checkpoint inside of a batch loses its rest. Set save_steps to a multiple of {multiple}."
            )

    def _check_replay_lives_for_a_generation(self) -> None:
        steps = (self.steps_per_generation or 1) * self.num_iterations / self.gradient_accumulation_steps
        if self.replay_capacity and self.replay_max_age < steps:
            raise ConfigError(
                f"replay_max_age is {self.replay_max_age}, and one generation batch lasts {steps:g} optimizer steps: "
                f"what is kept would be too old for the next one. Set it to {steps:g} or more."
            )
