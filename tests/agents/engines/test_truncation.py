"""How sampling is truncated, and where a turn ends: by hand, and against transformers' own processors of logits."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import (
    RepetitionPenaltyLogitsProcessor,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from agents.engines.protocol import NO_TRUNCATION, Request, Truncation
from agents.engines.truncation import penalised, truncated
from agents.engines.wire import truncation_parameters
from pixel_env.errors import ConfigError
from pixel_env.types import Prompt
from tests.agents.engines.test_engines import mixed_requests, request_of, served

LOGITS = torch.log(torch.tensor([[0.4, 0.3, 0.15, 0.1, 0.05]]))


def asked(prompt=(0,), **rules):
    return [Request(0, tuple(prompt), (), 1, 1.0, 0, truncation=Truncation(**rules))]


def kept(logits, **rules):
    return [index for index, value in enumerate(truncated(logits, asked(**rules))[0].tolist()) if value > -np.inf]


@pytest.mark.parametrize(
    ("rules", "indices"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"top_k": 1}, [0]),
        ({"top_k": 3}, [0, 1, 2]),
        ({"top_k": 99}, [0, 1, 2, 3, 4]),
        ({"top_p": 0.1}, [0]),  # the likeliest always stays
        ({"top_p": 0.5}, [0, 1]),
        ({"top_p": 0.8}, [0, 1, 2]),
        ({"top_k": 2, "top_p": 0.5}, [0]),  # of the two that are left, 0.4 / 0.7 is enough
    ],
)
def test_the_likeliest_tokens_are_kept(rules, indices):
    assert kept(LOGITS, **rules) == indices


def test_penalties_by_hand():
    logits = torch.tensor([[2.0, -1.0, 0.5, 3.0]])
    [row] = penalised(logits, asked(prompt=(0, 1), repetition_penalty=2.0), [[2]]).tolist()
    assert row == [1.0, -2.0, 0.25, 3.0]
    [row] = penalised(logits, asked(prompt=(0, 1), presence_penalty=1.5), [[2, 2]]).tolist()
    assert row == [2.0, -1.0, -1.0, 3.0]  # once, however often, and not for the prompt
    [row] = penalised(logits, asked(prompt=(0,), repetition_penalty=2.0, presence_penalty=1.0), [[0]]).tolist()
    assert row == [0.0, -1.0, 0.5, 3.0]
    assert logits.tolist() == [[2.0, -1.0, 0.5, 3.0]]  # the model's own are not changed


@pytest.mark.parametrize("seed", range(4))
def test_the_result_is_that_of_transformers_own_processors(seed):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(3, 60, generator=generator) * 3
    prompt = torch.randint(0, 60, (1, 9), generator=generator)
    requests = [asked(prompt[0].tolist(), top_k=k, top_p=p)[0] for k, p in ((5, 1.0), (0, 0.7), (20, 0.9))]
    theirs = torch.stack(
        [
            TopKLogitsWarper(5)(prompt, logits[:1])[0],
            TopPLogitsWarper(0.7)(prompt, logits[1:2])[0],
            TopPLogitsWarper(0.9)(prompt, TopKLogitsWarper(20)(prompt, logits[2:]))[0],
        ]
    )
    assert torch.equal(truncated(logits, requests), theirs)
    penalty = asked(prompt[0].tolist(), repetition_penalty=1.3)
    torch.testing.assert_close(
        penalised(logits[:1], penalty, [[]]), RepetitionPenaltyLogitsProcessor(1.3)(prompt, logits[:1].clone())
    )


def test_rows_without_rules_are_untouched_by_their_neighbours():
    requests = [asked(top_k=1)[0], asked()[0]]
    both = truncated(LOGITS.repeat(2, 1), requests)
    assert torch.equal(both[1], LOGITS[0]) and both[0, 1] == -torch.inf
    assert penalised(LOGITS, asked(), [[1]]) is LOGITS and truncated(LOGITS, asked()) is LOGITS


@pytest.mark.parametrize(
    "rules", [{"top_p": 0.0}, {"top_p": 1.1}, {"top_k": -1}, {"repetition_penalty": 0.0}, {"presence_penalty": 3.0}]
)
def test_rules_that_mean_nothing_are_refused(rules):
    with pytest.raises(ConfigError, match=str(next(iter(rules)))):
        Truncation(**rules)


def test_a_server_gets_the_rules_under_vllms_names_and_none_for_none():
    assert truncation_parameters(asked()[0]) == {}
    assert truncation_parameters(asked(top_k=5)[0]) == {
        "top_p": 1.0, "top_k": 5, "presence_penalty": 0.0, "repetition_penalty": 1.0
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------------- the engine


def with_rules(requests, **rules):
    return [replace(request, truncation=Truncation(**rules)) for request in requests]


def test_the_likeliest_token_alone_is_greedy_decoding(tiny_model, tiny_chat):
    greedy = served(tiny_model, tiny_chat, mixed_requests(tiny_chat, temperature=0.0))
    for rules in ({"top_k": 1}, {"top_p": 1e-6}):
        only = served(tiny_model, tiny_chat, with_rules(mixed_requests(tiny_chat, temperature=1.0), **rules))
        assert [one.token_ids for one in only] == [one.token_ids for one in greedy]
        assert all(logprob == 0.0 for one in only for logprob in one.logprobs)


def test_a_truncated_turn_does_not_depend_on_its_batch_and_bans_hold(tiny_model, tiny_chat):
    requests = mixed_requests(tiny_chat, new=8)
    mixed = [
        replace(request, truncation=Truncation(top_k=n % 3, presence_penalty=0.5 * (n % 2), repetition_penalty=1.2))
        for n, request in enumerate(requests)
    ]
    alone = served(tiny_model, tiny_chat, mixed, max_batch=1)
    assert [one.token_ids for one in served(tiny_model, tiny_chat, mixed)] == [one.token_ids for one in alone]
    assert not {id for one in alone for id in one.token_ids} & tiny_chat.banned_ids


def test_a_penalty_keeps_a_turn_from_repeating_itself(tiny_model, tiny_chat):
    every = frozenset(range(tiny_model.config.text_config.vocab_size))
    narrow = request_of(tiny_chat, 1, 1, new=6, temperature=0.0, banned=every - {10, 11, 12, 13, 14, 15})
    [plain] = served(tiny_model, tiny_chat, [narrow])
    [fresh] = served(tiny_model, tiny_chat, with_rules([narrow], repetition_penalty=1000.0, presence_penalty=2.0))
    assert len(set(fresh.token_ids)) >= len(set(plain.token_ids))
    assert fresh.token_ids != plain.token_ids or len(set(plain.token_ids)) == 6
    assert narrow.truncation == NO_TRUNCATION


def test_a_turn_ends_at_a_text_that_is_kept_and_its_end_token_is_not_sampled(tiny_model, tiny_chat):
    letters = {text: tiny_chat.fragment(text)[0] for text in "ab"}
    every = frozenset(range(tiny_model.config.text_config.vocab_size))
    prompt = tiny_chat.open(Prompt("", "which digit"), [])
    banned = tiny_chat.banned_ids | (every - set(letters.values()))
    requests = [
        Request(n, prompt, (), 200, 1.0, n, banned, stop=stop)
        for n, stop in enumerate([("abba",), ("bb", "aaa"), (), ("never",)])
    ]
    responses = served(tiny_model, tiny_chat, requests)
    for request, response in zip(requests, responses, strict=True):
        text = tiny_chat.decode(response.token_ids)
        ends = [text.find(stop) + len(stop) for stop in request.stop if stop in text]
        assert response.ended == bool(ends) and tiny_chat.end_id not in response.token_ids
        assert len(text) == (min(ends) if ends else 200)
    assert [response.ended for response in responses] == [True, True, False, False]
    assert tiny_chat.reply("look", [], ended=False)[0] == tiny_chat.end_id


def test_a_stop_text_of_several_tokens_ends_the_turn(tiny_model, tiny_chat):
    """With one allowed token at each place the text is known: the tokens of `</a>` are found in the decoded text."""
    ids = tiny_chat.fragment("</a>")
    assert len(ids) > 1
    every = frozenset(range(tiny_model.config.text_config.vocab_size))
    prompt = tiny_chat.open(Prompt("", "which digit"), [])
    requests = [Request(n, prompt, (), 400, 1.0, n, every - set(ids), stop=("</a>",)) for n in range(3)]
    responses = served(tiny_model, tiny_chat, requests)
    for response in responses:
        text = tiny_chat.decode(response.token_ids)
        assert response.ended == text.endswith("</a>") and text.count("</a>") == response.ended
    assert any(response.ended for response in responses)
