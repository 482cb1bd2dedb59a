"""Attention without copies of shared heads: transformers' results, and transformers' own function afterwards."""

from types import SimpleNamespace

import pytest
import torch
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from agents.engines.grouped_attention import grouped_attention


@pytest.mark.parametrize("new_tokens", [1, 5])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_what_is_attended_to_is_the_same(new_tokens, groups):
    generator = torch.Generator().manual_seed(new_tokens)
    query = torch.randn(3, 2 * groups, new_tokens, 16, generator=generator)
    key, value = torch.randn(2, 3, 2, 11, 16, generator=generator)
    mask = torch.ones(3, 1, new_tokens, 11, dtype=torch.bool).tril(11 - new_tokens)
    mask[1, ..., :4] = False  # a row that is padded
    mask[2, ..., 5:7] = False  # one with a gap
    module = SimpleNamespace(num_key_value_groups=groups, is_causal=True, training=False)
    for given in (mask, None):
        expected, _ = sdpa_attention_forward(module, query, key, value, given, scaling=0.3)
        with grouped_attention():
            found, _ = ALL_ATTENTION_FUNCTIONS["sdpa"](module, query, key, value, given, scaling=0.3)
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


def test_the_table_is_as_it_was_also_after_an_error_and_inside_of_each_other():
    with pytest.raises(KeyError), grouped_attention():
        with grouped_attention():
            inside = ALL_ATTENTION_FUNCTIONS["sdpa"]
        assert ALL_ATTENTION_FUNCTIONS["sdpa"] is inside is not sdpa_attention_forward
        raise KeyError
    assert ALL_ATTENTION_FUNCTIONS["sdpa"] is sdpa_attention_forward


def test_somebodys_own_function_stays():
    ALL_ATTENTION_FUNCTIONS["sdpa"] = own = lambda *_, **__: None
    try:
        with grouped_attention():
            assert ALL_ATTENTION_FUNCTIONS["sdpa"] is own
    finally:
        del ALL_ATTENTION_FUNCTIONS["sdpa"]
