"""Truncated sampling on logits: penalties of repeated tokens, then the temperature, top-k and top-p, as vLLM does.

Depends on requests and tensors; independent of models and decode loops.
"""

from collections.abc import Sequence

import torch

from agents.engines.protocol import NO_TRUNCATION, Request


def penalised(logits_BV: torch.Tensor, requests: Sequence[Request], turns: Sequence[Sequence[int]]) -> torch.Tensor:
    """The logits with each row's penalties; `turns` are the ids that each row has generated so far.

    Repetition counts the tokens of the whole conversation, presence those of the turn (vLLM, `apply_penalties`).
    """
    if all(request.truncation == NO_TRUNCATION for request in requests):
        return logits_BV
    penalised_BV = logits_BV.clone()
    for row, (request, turn) in enumerate(zip(requests, turns, strict=True)):
        rule = request.truncation
        if rule.repetition_penalty != 1.0:
            seen = torch.tensor(sorted({*request.prompt_ids, *turn}), device=logits_BV.device)
            values = penalised_BV[row, seen]
            scaled = torch.where(values > 0, values / rule.repetition_penalty, values * rule.repetition_penalty)
            penalised_BV[row, seen] = scaled
        if rule.presence_penalty and turn:
            penalised_BV[row, torch.tensor(sorted(set(turn)), device=logits_BV.device)] -= rule.presence_penalty
    return penalised_BV


def truncated(logits_BV: torch.Tensor, requests: Sequence[Request]) -> torch.Tensor:
    """The logits, minus infinity for tokens outside of each row's top-k and top-p; the likeliest token always stays."""
    if all(request.truncation.top_k == 0 and request.truncation.top_p == 1.0 for request in requests):
        return logits_BV
    kept_BV = logits_BV.clone()
    for row, request in enumerate(requests):
        top_k, top_p = request.truncation.top_k, request.truncation.top_p
        if 0 < top_k < kept_BV.shape[1]:
            least = kept_BV[row].topk(top_k).values[-1]
            kept_BV[row].masked_fill_(kept_BV[row] < least, -torch.inf)
        if top_p < 1.0:
            sorted_V, order_V = kept_BV[row].sort(descending=True)
            before_V = sorted_V.softmax(dim=-1).cumsum(dim=-1) - sorted_V.softmax(dim=-1)
            outside_V = before_V >= top_p  # the mass of likelier tokens reaches top_p without this one
            outside_V[0] = False
            kept_BV[row, order_V[outside_V]] = -torch.inf
    return kept_BV
