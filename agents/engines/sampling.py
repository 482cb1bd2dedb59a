"""The next token of each row, from log-probabilities and one random number a row.

Depends on tensors; independent of models and of how requests are batched.
"""

from collections.abc import Sequence

import torch


def choose(logprobs_BV: torch.Tensor, uniforms: Sequence[float], temperatures: Sequence[float]) -> torch.Tensor:
    """The id of each row: the likeliest at temperature 0, else where the row's uniform number falls.

    `logprobs_BV` are those of each row's temperature. One number a token decides (inverse of the cumulative
    distribution), whatever the size of the vocabulary.
    """
    greedy_B = logprobs_BV.argmax(dim=-1)
    if not any(temperatures):
        return greedy_B
    temperature_B = torch.tensor(temperatures, device=logprobs_BV.device)
    uniform_B = torch.tensor(uniforms, device=logprobs_BV.device, dtype=torch.float64)
    cumulative_BV = logprobs_BV.exp().double().cumsum(dim=-1)
    total_B1 = cumulative_BV[:, -1:]
    drawn_B = torch.searchsorted(cumulative_BV, uniform_B[:, None] * total_B1, right=True).squeeze(1)
    # Rounding must not carry a draw beyond the last id that has any probability.
    drawn_B = torch.minimum(drawn_B, (cumulative_BV < total_B1).sum(dim=-1))
    return torch.where(temperature_B > 0, drawn_B, greedy_B)


def banned_ids(sets: Sequence[frozenset[int]], vocabulary: int) -> torch.Tensor:
    """True for ids that a row must not sample: (B, V), or (1, V) if all rows agree."""
    distinct = list(dict.fromkeys(sets))
    banned = torch.zeros(len(distinct), vocabulary, dtype=torch.bool)
    for row, ids in enumerate(distinct):
        banned[row, list(ids)] = True
    return banned[[distinct.index(ids) for ids in sets]] if len(distinct) > 1 else banned
