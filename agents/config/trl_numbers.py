"""Bounds of TRL's numeric fields, which TRL checks late or not at all: a batch of 0 rows is a ZeroDivisionError there.

Depends on names of TRL's fields; independent of TRL.
"""

from collections.abc import Mapping

from pixel_env.command_line.values import UNBOUNDED, Bounds
from pixel_env.errors import ConfigError

_AT_LEAST_ONE = (
    *("per_device_train_batch_size", "per_device_eval_batch_size", "gradient_accumulation_steps"),
    *("eval_accumulation_steps", "torch_empty_cache_steps", "save_total_limit", "dataloader_prefetch_factor"),
    *("ddp_bucket_cap_mb", "ddp_timeout", "num_generations_eval", "generation_batch_size", "steps_per_generation"),
    *("max_completion_length", "max_length", "vllm_max_model_length", "vllm_tensor_parallel_size", "num_iterations"),
    *("ref_model_sync_steps", "max_tool_calling_iterations", "dataset_num_proc", "lora_r", "lora_alpha"),
)
_AT_LEAST_ZERO = (
    *("dataloader_num_workers", "num_completions_to_print"),
    *("warmup_steps", "weight_decay", "max_grad_norm", "logging_steps", "eval_steps", "eval_delay", "save_steps"),
    *("neftune_noise_alpha", "router_aux_loss_coef", "beta", "epsilon", "epsilon_high"),
    "vllm_importance_sampling_clip_min",
    *("off_policy_mask_threshold", "vespo_k_pos", "vespo_k_neg", "vespo_lambda_pos", "vespo_lambda_neg"),
    *("entropy_coef_min", "entropy_coef_max", "entropy_coef_delta", "entropy_target"),
)
_ABOVE_ZERO = (
    *("adam_epsilon", "delta", "repetition_penalty", "sapo_temperature_neg", "sapo_temperature_pos"),
    *("vllm_server_timeout", "vllm_importance_sampling_clip_max", "vllm_importance_sampling_cap"),
    # Of these, 0 trains nothing: the loss divides by a temperature, or no step, token or weight counts.
    *("temperature", "learning_rate", "num_train_epochs"),
)
_SHARES = (
    *("adam_beta1", "adam_beta2", "label_smoothing_factor", "lora_dropout", "ref_model_mixup_alpha", "top_p", "min_p"),
)
_SHARES_ABOVE_ZERO = ("top_entropy_quantile", "vllm_gpu_memory_utilization")

_SEEDS = ("seed", "data_seed")

BOUNDS: Mapping[str, Bounds] = {
    **{name: Bounds(least=0, most=2**32 - 1) for name in _SEEDS},  # NumPy's
    **{name: Bounds(least=1) for name in _AT_LEAST_ONE},
    **{name: Bounds(least=0) for name in _AT_LEAST_ZERO},
    **{name: Bounds(least=0, above=True) for name in _ABOVE_ZERO},
    **{name: Bounds(least=0, most=1) for name in _SHARES},
    **{name: Bounds(least=0, most=1, above=True) for name in _SHARES_ABOVE_ZERO},
    **{name: Bounds(least=1, most=65535) for name in ("vllm_server_port", "vllm_group_port")},
    "num_generations": Bounds(least=2),  # the advantage of a group of one is always 0
    "max_steps": Bounds(least=-1),
    "local_rank": Bounds(least=-1),
    "top_k": Bounds(least=-1),
    "entropy_coef": Bounds(),  # negative: entropy is lowered
}
"""Name -> bounds of every number among TRL's fields, except those that may be texts as well."""


def out_of_bounds(values: Mapping[str, object]) -> str | None:
    """What is wrong with the first number out of its field's bounds: "beta is -1; wanted: ..."; None if nothing is."""
    for name, value in values.items():
        bounds = BOUNDS.get(name, UNBOUNDED)
        if isinstance(value, int | float) and not isinstance(value, bool) and not bounds.hold(value):
            return f"{name} is {value}; wanted: {', '.join(filter(None, ('a number', str(bounds))))}"
    if values.get("max_steps") == 0:
        return "max_steps is 0; wanted: the number of optimizer steps, or -1 for as many as num_train_epochs take"
    return None


def check_numbers(config: object) -> None:
    """Raises ConfigError for a number of `config` (an object with TRL's fields) that is out of its bounds."""
    if (wrong := out_of_bounds(vars(config))) is not None:
        raise ConfigError(wrong)
