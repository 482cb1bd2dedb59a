"""transformers' attention on a CPU, without copies of keys and values for the heads that share them.

With a mask, `sdpa_attention_forward` of transformers 5.17 repeats keys and values once per query head at every token,
because CUDA's kernels need it; the CPU's kernel does not, and is 4 to 7 times as fast for one new token. Depends on
transformers' table of attention functions; independent of models and caches.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS


@contextmanager
def grouped_attention() -> Iterator[None]:
    """Inside, models whose attention is `sdpa` attend on a CPU without such copies; the results are the same."""
    before = ALL_ATTENTION_FUNCTIONS["sdpa"]
    if before is not sdpa_attention_forward:  # somebody's own
        yield
        return
    ALL_ATTENTION_FUNCTIONS["sdpa"] = _attention
    try:
        yield
    finally:
        del ALL_ATTENTION_FUNCTIONS["sdpa"]


def _attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """The contract of `sdpa_attention_forward`: (B, heads, T, width) -> (B, T, heads, width)."""
    if attention_mask is None or query.device.type != "cpu" or options.get("position_bias") is not None:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **options
        )
    attended = scaled_dot_product_attention(
        query, key, value, attn_mask=attention_mask, dropout_p=dropout, scale=scaling, enable_gqa=True
    )
    return attended.transpose(1, 2).contiguous(), None
