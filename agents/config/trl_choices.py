"""Values of TRL's fields that are names. TRL declares them as text, and finds a wrong one after a whole generation.

Depends on names of TRL's fields (`tests/contracts/test_trl.py` pins their values); independent of TRL.
"""

import difflib
from collections.abc import Mapping

from pixel_env.errors import ConfigError

CHOICES: Mapping[str, tuple[str, ...]] = {
    "importance_sampling_level": ("token", "sequence"),
    "multi_objective_aggregation": ("sum_then_normalize", "normalize_then_sum"),
    "vllm_mode": ("colocate", "server"),
    "vllm_model_impl": ("auto", "vllm", "transformers", "terratorch"),
}
"""Of GRPOConfig; `loss_type`, `scale_rewards` and `vllm_importance_sampling_mode` are among our own fields."""
CHOICES_OF_SFT: Mapping[str, tuple[str, ...]] = {"loss_type": ("nll", "dft", "chunked_nll")}


def check_choices(config: object, choices: Mapping[str, tuple[str, ...]]) -> None:
    """Raises ConfigError for a field of `config` whose value is none of its `choices`."""
    for name, allowed in choices.items():
        value = getattr(config, name)
        if value not in allowed:
            close = difflib.get_close_matches(str(value), allowed, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise ConfigError(f"{name} is {value!r}; wanted: {' or '.join(allowed)}.{hint}")
