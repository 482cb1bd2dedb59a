"""Real vLLM in this process (its CPU build where there is no GPU): tokens and weights are those of transformers."""

import dataclasses
import threading

import numpy as np
import pytest
import torch

from agents.chat.chat import Chat
from agents.checkpoints.names import model_folder
from agents.checkpoints.tiny import load
from agents.engines.protocol import Request, Truncation
from agents.engines.transformers import TransformersEngine
from agents.grpo.policy_weights import policy_weights
from agents.rollout import EpisodeSettings, Sampling, rollout
from pixel_env.dialects.table import dialect_named
from pixel_env.tasks import load_tasks
from pixel_env.types import Limits, Prompt
from tests.agents.engines.single_turns import furthest, generated

pytest.importorskip("vllm")
TINY = dialect_named("tiny")
BOUND = 1e-4
"""Of log-probabilities in float32 on a CPU; measured: 5e-6."""


@pytest.fixture(scope="module")
def policy():
    model, processor = load(model_folder("tiny-zoom"))
    return model.float().eval(), Chat(processor, TINY)


@pytest.fixture(scope="module")
def engine(vllm_of_tiny_zoom, policy):
    from agents.engines.vllm import VLLMEngine

    return VLLMEngine(vllm_of_tiny_zoom, policy[1])


def asking(chat, count, *, number=0, question="which digit"):
    rng = np.random.default_rng(count)
    images = tuple(rng.integers(0, 256, (64 * (1 + i % 2), 96, 3), dtype=np.uint8) for i in range(count))
    return Request(number, chat.open(Prompt("", question), images), images, 8, 0.0, 1, chat.banned_ids)


def engine_block_size(engine):
    return engine._llm.llm_engine.vllm_config.cache_config.block_size


@pytest.mark.parametrize("images", [0, 1, 2, 5])
def test_greedy_turns_are_those_of_transformers(engine, policy, images):
    model, chat = policy
    expected = generated(TransformersEngine(model, chat), asking(chat, images))
    found = generated(engine, asking(chat, images))
    assert (found.token_ids, found.ended, found.error) == (expected.token_ids, expected.ended, None)
    assert furthest(found, expected) < BOUND


def test_whole_episodes_are_those_of_transformers(engine, policy):
    model, chat = policy
    tasks = load_tasks("sample:vstar-tiny", split="test", count=6)
    settings = EpisodeSettings(TINY, Limits(max_turns=3), tasks.budgets or TINY.budgets)

    def play(one):
        return rollout(list(tasks.tasks), one, chat, settings=settings, sampling=Sampling(0.0, 8), seed=0)

    for found, expected in zip(play(engine), play(TransformersEngine(model, chat)), strict=True):
        assert found.completion_ids == expected.completion_ids and found.sampled == expected.sampled
        assert found.logprobs == pytest.approx(expected.logprobs, abs=BOUND)


def test_a_banned_token_is_never_sampled_and_the_temperature_counts_in_the_log_probabilities(engine, policy):
    model, chat = policy
    first = generated(engine, asking(chat, 1)).token_ids[0]
    request = asking(chat, 1)
    banned = dataclasses.replace(request, banned_ids=request.banned_ids | {first})
    assert generated(engine, banned).token_ids[0] != first
    warm = dataclasses.replace(request, temperature=0.5, seed=3)
    found = generated(engine, warm)
    ids = torch.tensor([[*request.prompt_ids, *found.token_ids]])
    features = chat.features(request.images)
    with torch.no_grad():
        logits = model(input_ids=ids, mm_token_type_ids=chat.mm_token_type_ids(ids), **features).logits[0]
    rows = logits[len(request.prompt_ids) - 1 : -1].float() / 0.5
    rows[:, sorted(request.banned_ids)] = -torch.inf
    expected = rows.log_softmax(-1).gather(1, ids[0, len(request.prompt_ids) :, None]).squeeze(1)
    assert found.logprobs == pytest.approx(expected.tolist(), abs=BOUND)


def test_a_turn_ends_at_a_stop_text_which_stays_in_it(engine, policy):
    model, chat = policy
    free = dataclasses.replace(asking(chat, 1), max_new_tokens=6)
    ids = generated(engine, free).token_ids
    stop = chat.decode(ids[1:2])
    request = dataclasses.replace(free, stop=(stop,))
    found, expected = generated(engine, request), generated(TransformersEngine(model, chat), request)
    assert found.ended and stop in chat.decode(found.token_ids) and len(found.token_ids) < len(ids)
    assert (found.token_ids, found.ended) == (expected.token_ids, expected.ended)


@pytest.mark.parametrize(
    "truncation",
    [
        Truncation(top_k=1),
        Truncation(presence_penalty=2.0),
        Truncation(repetition_penalty=1.8),
        Truncation(presence_penalty=-1.5, repetition_penalty=0.7),
    ],
)
def test_penalties_and_top_k_choose_the_tokens_of_transformers(engine, policy, truncation):
    model, chat = policy
    request = dataclasses.replace(asking(chat, 1), truncation=truncation, max_new_tokens=6)
    request = dataclasses.replace(request, temperature=1.0) if truncation.top_k else request
    found, expected = generated(engine, request), generated(TransformersEngine(model, chat), request)
    assert found.token_ids == expected.token_ids
    assert furthest(found, expected) < BOUND


def test_a_prompt_that_is_too_long_fails_alone(engine, policy):
    _, chat = policy
    long = asking(chat, 0, number=7, question="which digit " * 400)
    engine.submit(long)
    engine.submit(asking(chat, 0, number=8))
    responses = []
    while engine.in_flight:
        responses += engine.poll()
    by_id = {response.request_id: response for response in responses}
    assert "maximum context length" in by_id[7].error and by_id[8].error is None


@pytest.mark.parametrize("part", ["visual", "embed_tokens", "q_proj", "norm", "down_proj"])
def test_new_weights_count_at_once_in_every_part_of_the_model(engine, policy, part):
    model, chat = policy
    request = asking(chat, 1)
    long = asking(chat, 1, question="which digit " * 60)
    assert len(long.prompt_ids) > engine_block_size(engine)  # less is not kept in vLLM's prefix cache
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    torch.manual_seed(0)
    try:
        with torch.no_grad():
            for name, weight in model.named_parameters():
                is_norm = "norm" in name and "visual" not in name
                if (part == "norm" and is_norm) or (part in name and not is_norm):
                    weight.add_(0.05 * torch.randn_like(weight) * weight.abs().mean().clamp(min=0.01))
        assert generated(engine, long).error is None
        stale = generated(engine, request)  # the same picture: its embedding is in vLLM's cache
        engine.load_weights(policy_weights(model))
        for asked in (long, request):
            expected, found = generated(TransformersEngine(model, chat), asked), generated(engine, asked)
            assert found.token_ids == expected.token_ids and furthest(found, expected) < BOUND
        assert stale.token_ids != found.token_ids or furthest(stale, found) > 10 * BOUND
    finally:
        model.load_state_dict(before, strict=False)
        engine.load_weights(policy_weights(model))


def test_weights_do_not_change_under_a_running_turn(engine, policy):
    engine.submit(asking(policy[1], 0))
    with pytest.raises(RuntimeError, match="1 turns are being generated"):
        engine.load_weights(iter(()))
    while engine.in_flight:
        engine.poll()


def test_a_trajectory_goes_on_while_another_one_still_looks(engine, policy, monkeypatch):
    """No lock-step: the operations of one question take until the other question is done."""
    from pixel_env.env import PixelEnv

    _, chat = policy
    slow, fast = load_tasks("sample:vstar-tiny", split="test", count=8).tasks[:2]
    step = PixelEnv.step
    fast_is_done, waits = threading.Event(), []

    def slower(env, action):
        if env.trajectory.task.task_id == slow.task_id:
            waits.append(fast_is_done.wait(timeout=300))
        return step(env, action)

    def on_finish(played):
        if played.trajectory.task.task_id == fast.task_id:
            fast_is_done.set()

    monkeypatch.setattr(PixelEnv, "step", slower)
    settings = EpisodeSettings(TINY, Limits(max_turns=3), TINY.budgets)
    rollout(
        [slow, fast],
        engine,
        chat,
        settings=settings,
        sampling=Sampling(0.0, 8),
        seed=0,
        forced=lambda task: ["<crop> 0 0 4 4"],
        on_finish=on_finish,
    )
    assert waits and all(waits)
