"""The transformers engine: what is sampled does not depend on the batch, and is what the model's forward says."""

import numpy as np
import pytest
import torch

from agents.engines.protocol import Request
from agents.engines.sampling import choose
from agents.engines.transformers import TransformersEngine
from agents.engines.vision import distinct
from pixel_env.types import Prompt

SIZES = [(64, 64), (32, 48), (128, 64), (16, 16), (48, 80)]


def request_of(chat, number, pictures, *, new=6, temperature=1.0, words="which digit", banned=frozenset()):
    rng = np.random.default_rng(number)
    images = [rng.integers(0, 256, (h, w, 3), dtype=np.uint8) for w, h in SIZES[:pictures]]
    ids = chat.open(Prompt("", words), images[:1])
    if pictures > 1:
        ids += chat.encode("hm") + chat.reply("more", images[1:], ended=True)
    return Request(number, ids, tuple(images), new, temperature, 100 + number, chat.banned_ids | banned)


def mixed_requests(chat, **fields):
    """Unequal lengths, picture counts and sizes; rows 0 and 5 hold no picture at all."""
    counts = [0, 1, 2, 5, 1, 0, 3]
    return [request_of(chat, n, count, words="which digit " * (1 + n % 3), **fields) for n, count in enumerate(counts)]


def served(model, chat, requests, max_batch=96):
    engine = TransformersEngine(model, chat, max_batch=max_batch)
    for request in requests:
        engine.submit(request)
    responses = engine.poll()
    assert engine.poll() == []
    assert [r.request_id for r in responses] == sorted(r.request_id for r in requests)
    return responses


def scored(model, chat, request, response):
    """Log-probabilities of the response by one plain forward over the whole sequence."""
    ids = torch.tensor([request.prompt_ids + response.token_ids])
    features = chat.features(request.images)
    types = {"mm_token_type_ids": chat.mm_token_type_ids(ids)} if features else {}
    with torch.no_grad():
        logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), **types, **features).logits[0]
    logits[:, list(request.banned_ids)] = -torch.inf
    logits = logits / (request.temperature or 1.0)
    logprobs = logits.log_softmax(-1)[:-1].gather(1, ids[0, 1:, None]).squeeze(1)
    return logprobs[len(request.prompt_ids) - 1 :].numpy()


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_the_batch_does_not_matter(tiny_model, tiny_chat, temperature):
    requests = mixed_requests(tiny_chat, temperature=temperature)
    alone = served(tiny_model, tiny_chat, requests, max_batch=1)
    for other in (served(tiny_model, tiny_chat, requests[::-1]), served(tiny_model, tiny_chat, requests, max_batch=3)):
        for one, same in zip(alone, other, strict=True):
            assert one.token_ids == same.token_ids
            np.testing.assert_allclose(one.logprobs, same.logprobs, atol=1e-5)


@pytest.mark.parametrize("temperature", [0.0, 0.5, 1.0])
def test_logprobs_are_those_of_the_masked_softmax_at_the_sampling_temperature(tiny_model, tiny_chat, temperature):
    requests = mixed_requests(tiny_chat, temperature=temperature)
    for request, response in zip(requests, served(tiny_model, tiny_chat, requests), strict=True):
        np.testing.assert_allclose(response.logprobs, scored(tiny_model, tiny_chat, request, response), atol=1e-4)


def test_equal_prompts_are_read_once_and_sampled_apart(tiny_model, tiny_chat):
    requests = [request_of(tiny_chat, 3, 2) for _ in range(8)]
    requests = [Request(n, r.prompt_ids, r.images, 6, 1.0, n, r.banned_ids) for n, r in enumerate(requests)]
    rows = []
    tiny_model.model.language_model.register_forward_pre_hook(
        lambda module, args, inputs: rows.append(len(inputs["inputs_embeds"])), with_kwargs=True
    )
    together = served(tiny_model, tiny_chat, requests)
    assert rows[:2] == [1, 8]
    alone = served(tiny_model, tiny_chat, requests, max_batch=1)
    assert [r.token_ids for r in together] == [r.token_ids for r in alone]
    assert len({r.token_ids for r in together}) > 4


def test_banned_ids_are_never_sampled_and_bans_are_per_request(tiny_model, tiny_chat):
    allowed = {10, 20}
    every = frozenset(range(tiny_model.config.text_config.vocab_size))
    narrow = [request_of(tiny_chat, n, n % 2, new=12, banned=every - allowed) for n in range(6)]
    free = [request_of(tiny_chat, n, n % 2, new=12) for n in range(6, 12)]
    responses = served(tiny_model, tiny_chat, narrow + free)
    for response in responses[:6]:
        assert set(response.token_ids) <= allowed
        assert max(response.logprobs) < 0 or len(set(response.token_ids)) == 1
    assert not {id for r in responses[6:] for id in r.token_ids} & tiny_chat.banned_ids
    assert {id for r in responses[6:] for id in r.token_ids} - allowed


def test_turns_end_at_the_end_token_or_at_their_own_limit(tiny_model, tiny_chat):
    every = frozenset(range(tiny_model.config.text_config.vocab_size))
    limits = [1, 9, 4, 30]
    requests = [
        request_of(tiny_chat, n, n % 2, new=new, banned=every - {10, tiny_chat.end_id}) for n, new in enumerate(limits)
    ] + [request_of(tiny_chat, 9, 1, new=17, banned=every - {10})]
    responses = served(tiny_model, tiny_chat, requests)
    for response, limit in zip(responses, [*limits, 17], strict=True):
        assert response.ended == (response.token_ids[-1] == tiny_chat.end_id)
        assert response.ended or len(response.token_ids) == limit
        assert tiny_chat.end_id not in response.token_ids[:-1]
        assert len(response.logprobs) == len(response.token_ids)
    assert len(responses[-1].token_ids) == 17  # went on alone, in the batch of its own


def test_a_model_in_training_is_left_as_it_was(tiny_model, tiny_chat):
    requests = mixed_requests(tiny_chat)
    expected = served(tiny_model, tiny_chat, requests)
    tiny_model.gradient_checkpointing_enable()
    tiny_model.config.use_cache = False
    tiny_model.train()
    tiny_model.model.visual.eval()
    modes = [module.training for module in tiny_model.modules()]
    assert [r.token_ids for r in served(tiny_model, tiny_chat, requests)] == [r.token_ids for r in expected]
    assert [module.training for module in tiny_model.modules()] == modes
    # A training step right after a batch of another shape: nothing stale, gradients flow.
    ids = torch.tensor([requests[2].prompt_ids])
    features = tiny_chat.features(requests[2].images)
    logits = tiny_model(input_ids=ids, mm_token_type_ids=tiny_chat.mm_token_type_ids(ids), **features).logits
    logits.float().log_softmax(-1)[0, -1, 10].backward()
    assert all(p.grad is not None for p in tiny_model.model.language_model.layers.parameters())


def test_a_batch_without_pictures_after_one_with_them(tiny_model, tiny_chat):
    bare = [request_of(tiny_chat, n, 0, temperature=0.0) for n in range(3)]
    expected = served(tiny_model, tiny_chat, bare)
    served(tiny_model, tiny_chat, mixed_requests(tiny_chat))
    again = served(tiny_model, tiny_chat, bare)
    assert [r.token_ids for r in again] == [r.token_ids for r in expected]


def test_a_request_whose_pictures_do_not_fit_is_refused_alone(tiny_model, tiny_chat):
    good, other = request_of(tiny_chat, 0, 2), request_of(tiny_chat, 1, 2)
    bad = Request(1, other.prompt_ids, other.images[:1], 6, 1.0, 1, other.banned_ids)
    responses = served(tiny_model, tiny_chat, [good, bad])
    assert responses[0].error is None and responses[0].token_ids
    assert "placeholders" in responses[1].error and not responses[1].token_ids


def test_choosing_follows_the_distribution_and_never_what_is_banned():
    probabilities = torch.tensor([0.0, 0.5, 0.0, 0.3, 0.2, 0.0])
    logprobs = probabilities.log()[None]
    steps = (np.arange(1000) + 0.5) / 1000
    drawn = torch.cat([choose(logprobs, [float(u)], [1.0]) for u in steps])
    np.testing.assert_allclose(np.bincount(drawn, minlength=6) / 1000, probabilities, atol=2e-3)
    borders = np.append(np.linspace(0.5 - 2e-7, 0.5 + 2e-7, 41), np.linspace(0.8 - 2e-7, 0.8 + 2e-7, 41))
    edges = [0.0, *borders.tolist(), float(np.nextafter(1.0, 0.0))]
    at_edges = [int(choose(logprobs, [u], [1.0])) for u in edges]
    assert set(at_edges) == {1, 3, 4} and at_edges == sorted(at_edges)
    assert choose(logprobs.repeat(2, 1), [0.99, 0.99], [0.0, 1.0]).tolist() == [1, 4]


def test_equal_pictures_are_found_by_their_pixels():
    a, b = np.zeros((16, 32, 3), np.uint8), np.zeros((32, 16, 3), np.uint8)
    kept, order = distinct([a, b, a.copy(), b])
    assert order == [0, 1, 0, 1]
    assert [image.shape for image in kept] == [a.shape, b.shape]


def test_patches_are_multiplied_and_nothing_is_convolved(tiny_model, tiny_chat, monkeypatch):
    monkeypatch.delattr(torch.nn.functional, "conv3d")
    [response] = served(tiny_model, tiny_chat, [request_of(tiny_chat, 3, 2)])
    assert response.token_ids
