"""Removes banned tokens, which are never sampled, from the trainer's distribution as well.

Without it the trainer's log-probabilities would be those of a larger vocabulary than the sampler's. Depends on how
TRL's fused head reads the output embedding; independent of rollouts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch

BANNED_LOGIT = -30000.0
"""Added to a banned token's logit: its probability becomes exactly 0, and the value fits into float16."""


class _Head(NamedTuple):
    weight: torch.Tensor
    bias: torch.Tensor


@contextmanager
def banned(model: Any, ids: frozenset[int]) -> Iterator[None]:
    """A context in which the fused head of `model` (unwrapped) gives `ids` probability 0; weights are unchanged."""
    owner = model.get_base_model() if hasattr(model, "peft_config") else model
    head = owner.get_output_embeddings()
    # TRL gathers a sharded weight itself, but would do the same to the bias, which is an ordinary tensor here.
    weight = head.weight.full_tensor() if hasattr(head.weight, "full_tensor") else head.weight
    bias: Any = torch.zeros(owner.config.get_text_config().vocab_size, device=weight.device, dtype=weight.dtype)
    bias[sorted(ids)] = BANNED_LOGIT
    if head.bias is not None:
        bias = bias + head.bias
    if hasattr(head.weight, "ds_id"):
        from deepspeed.runtime.zero.partition_parameters import ZeroParamStatus

        bias.ds_status = ZeroParamStatus.AVAILABLE  # TRL gathers what is not
    owner.get_output_embeddings = lambda: _Head(weight, bias)  # shadows the method for as long as the context lasts
    try:
        yield
    finally:
        del owner.get_output_embeddings
