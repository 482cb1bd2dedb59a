"""Keys and values that are kept over the turns of a conversation: the same tokens as without, and less to read."""

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import Qwen3_5Config, Qwen3_5ForConditionalGeneration

from agents.chat.chat import Chat
from agents.checkpoints.names import model_folder
from agents.checkpoints.tiny import make_processor, train_tokenizer
from agents.engines.load import load_model
from agents.engines.protocol import Request
from agents.engines.transformers import TransformersEngine
from agents.rollout import EpisodeSettings, Sampling, rollout
from pixel_env.budgets import budgets_for
from pixel_env.dialects.table import dialect_named
from pixel_env.tasks import load_tasks
from pixel_env.types import Limits, Prompt
from tests.agents.engines.test_engines import scored
from tests.agents.random_qwen import make_model, make_qwen3_model, make_qwen3_processor
from tests.agents.random_qwen import make_processor as make_qwen2_5_processor

TINY = dialect_named("tiny")
SIZES = [(64, 64), (32, 48), (128, 64), (16, 16), (48, 80)]


def image_of(number):
    width, height = SIZES[number % len(SIZES)]
    return np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)


class Talk:
    """A conversation over several turns: `shown[turn]` images follow each turn, None: the turn is simply continued."""

    def __init__(self, chat, number, shown, *, temperature=1.0, new=5):
        self.chat, self.number, self.left = chat, number, list(shown)
        self.images = [image_of(number)] if number % 3 else []
        self.ids = chat.open(Prompt("", "which digit " * (1 + number % 4)), self.images)
        self.temperature, self.new, self.turn = temperature, new, 0
        self.sampled, self.logprobs = [], []

    def request(self):
        return Request(
            self.number,
            self.ids,
            tuple(self.images),
            self.new + self.number % 3,
            self.temperature,
            100 * self.number + self.turn,
            self.chat.banned_ids,
        )

    def take(self, response):
        """True if there is another turn."""
        assert response.error is None
        self.sampled.append(response.token_ids)
        self.logprobs.append(response.logprobs)
        self.ids += response.token_ids
        self.turn += 1
        if not self.left:
            return False
        count = self.left.pop(0)
        if count is not None:
            images = [image_of(7 * self.number + self.turn + place) for place in range(count)]
            self.ids += self.chat.reply("look " * (1 + self.turn % 2), images, ended=self.ids[-1] == self.chat.end_id)
            self.images += images
        return True


SHOWN = [(), (1,), (1, 0, 2), (None, 1), (2, None, None, 1), (1, 1, 1, 1, 1), (0,), (None,)]
"""Episodes of 1 to 6 turns: with one image a turn, two, none, and turns that are truncated and continued."""


def talks_of(chat, **options):
    return [Talk(chat, number, shown, **options) for number, shown in enumerate(SHOWN)]


def played(engine_of_poll, talks):
    """All conversations to their ends; `engine_of_poll(number)` answers that poll."""
    live, poll = list(talks), 0
    while live:
        engine = engine_of_poll(poll)
        for talk in live:
            engine.submit(talk.request())
        responses = {response.request_id: response for response in engine.poll()}
        live = [talk for talk in live if talk.take(responses[talk.number])]
        poll += 1
    return talks


def check_same(talks, others):
    for talk, other in zip(talks, others, strict=True):
        assert talk.sampled == other.sampled
        for mine, theirs in zip(talk.logprobs, other.logprobs, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=2e-5)


def tokens_read(model):
    """A list that grows by the tokens of every forward pass of the language model, padding included."""
    counts = []
    owner = next(module for module in model.modules() if hasattr(module, "get_rope_index"))
    owner.language_model.register_forward_pre_hook(
        lambda _, __, inputs: counts.append(inputs["inputs_embeds"].shape[0] * inputs["inputs_embeds"].shape[1]),
        with_kwargs=True,
    )
    return counts


@pytest.mark.parametrize("temperature", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("max_batch", [96, 3])
def test_tokens_and_log_probs_are_those_without_what_is_kept(tiny_model, tiny_chat, temperature, max_batch):
    engine = TransformersEngine(tiny_model, tiny_chat, max_batch=max_batch)
    kept = played(lambda _: engine, talks_of(tiny_chat, temperature=temperature))
    anew = played(
        lambda _: TransformersEngine(tiny_model, tiny_chat, max_kept_bytes=0),
        talks_of(tiny_chat, temperature=temperature),
    )
    check_same(kept, anew)
    assert max(len(talk.sampled) for talk in kept) == 6


def test_log_probs_are_those_of_one_plain_pass_over_the_conversation(tiny_model, tiny_chat):
    engine = TransformersEngine(tiny_model, tiny_chat)
    talks, last = talks_of(tiny_chat), {}

    class Recorded:
        def submit(self, request):
            last[request.request_id] = request
            engine.submit(request)

        def poll(self):
            responses = engine.poll()
            for response in responses:
                plain = scored(tiny_model, tiny_chat, last[response.request_id], response)
                np.testing.assert_allclose(response.logprobs, plain, atol=1e-4)
            return responses

    played(lambda _: Recorded(), talks)


@pytest.mark.parametrize("family", ["qwen2.5", "qwen3"])
def test_positions_after_kept_images_are_right_in_both_families(family):
    if family == "qwen2.5":
        processor = make_qwen2_5_processor()
        model = make_model(processor)
    else:
        processor = make_qwen3_processor(patch=8)
        model = make_qwen3_model(processor)
    chat = Chat(processor, TINY)
    engine = TransformersEngine(model, chat)
    check_same(
        played(lambda _: engine, talks_of(chat)),
        played(lambda _: TransformersEngine(model, chat, max_kept_bytes=0), talks_of(chat)),
    )


def test_only_what_is_new_is_read(tiny_model, tiny_chat):
    engine = TransformersEngine(tiny_model, tiny_chat)
    talk = Talk(tiny_chat, 1, (1, None), temperature=0.0, new=4)
    counts = tokens_read(tiny_model)
    lengths = []
    while True:
        lengths.append(len(talk.ids))
        engine.submit(talk.request())
        if not talk.take(*engine.poll()):
            break
    firsts = [count for count in counts if count > 1]
    # Of a turn that is continued only the last token has not been read, which is a pass of one token.
    assert firsts == [lengths[0], lengths[1] - lengths[0] - len(talk.sampled[0]) + 1]
    steps = sum(len(sampled) - 1 for sampled in talk.sampled)
    assert counts.count(1) == steps + 1


def test_a_row_that_begins_later_joins_rows_that_go_on(tiny_model, tiny_chat):
    engine = TransformersEngine(tiny_model, tiny_chat)
    early, late = Talk(tiny_chat, 4, (1, 1)), Talk(tiny_chat, 5, (2,))
    engine.submit(early.request())
    early.take(*engine.poll())
    played(lambda _: engine, [early, late])
    anew = [Talk(tiny_chat, 4, (1, 1)), Talk(tiny_chat, 5, (2,))]
    check_same([early, late], played(lambda _: TransformersEngine(tiny_model, tiny_chat, max_kept_bytes=0), anew))


def test_one_conversation_that_goes_on_in_several_ways(tiny_model, tiny_chat):
    engine = TransformersEngine(tiny_model, tiny_chat)
    first = Talk(tiny_chat, 1, (1,))
    engine.submit(first.request())
    first.take(*engine.poll())
    branch = first.request()
    other = tiny_chat.reply("other", [image_of(50)], ended=True)
    requests = [
        branch,
        replace(branch, request_id=2, seed=7),
        replace(branch, request_id=3, prompt_ids=branch.prompt_ids + other, images=(*branch.images, image_of(50))),
    ]
    fresh = TransformersEngine(tiny_model, tiny_chat, max_kept_bytes=0)
    results = []
    for one in (engine, fresh):
        for request in requests:
            one.submit(request)
        results.append([response.token_ids for response in one.poll()])
    assert results[0] == results[1]


def test_another_image_in_the_same_place_is_read_anew(tiny_model, tiny_chat):
    engine = TransformersEngine(tiny_model, tiny_chat)
    talk = Talk(tiny_chat, 1, (1,))
    engine.submit(talk.request())
    talk.take(*engine.poll())
    request = talk.request()
    mirrored = replace(request, images=(request.images[0][::-1].copy(), *request.images[1:]))
    counts = tokens_read(tiny_model)
    engine.submit(mirrored)
    [found] = engine.poll()
    assert counts[0] == len(mirrored.prompt_ids)
    np.testing.assert_allclose(found.logprobs, scored(tiny_model, tiny_chat, mirrored, found), atol=1e-4)


# ------------------------------------------------------------------------------------------------- what drops states


def stepped(model):
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    for weight in model.parameters():
        weight.grad = torch.ones_like(weight)
    optimizer.step()


def written_past_autograd(model):
    next(iter(model.model.visual.parameters())).data.mul_(1.001)  # neither the tensor's version nor its address changes


def loaded(model):
    model.load_state_dict({name: tensor + 1e-3 for name, tensor in model.state_dict().items()})


@pytest.mark.parametrize("update", [stepped, written_past_autograd, loaded])
def test_new_weights_read_everything_anew(tiny_model, tiny_chat, update):
    engine = TransformersEngine(tiny_model, tiny_chat)
    talk = Talk(tiny_chat, 1, (1,))
    engine.submit(talk.request())
    talk.take(*engine.poll())
    update(tiny_model)
    counts = tokens_read(tiny_model)
    request = talk.request()
    engine.submit(request)
    [found] = engine.poll()
    assert counts[0] == len(request.prompt_ids)
    np.testing.assert_allclose(found.logprobs, scored(tiny_model, tiny_chat, request, found), atol=1e-4)


def test_an_adapter_that_is_switched_off_reads_everything_anew(tiny_model, tiny_chat):
    adapted = get_peft_model(tiny_model, LoraConfig(target_modules=["q_proj"], init_lora_weights=False)).eval()
    engine = TransformersEngine(adapted, tiny_chat)
    talk = Talk(tiny_chat, 1, (1, 1))
    engine.submit(talk.request())
    talk.take(*engine.poll())
    counts = tokens_read(tiny_model)
    request = talk.request()
    with adapted.disable_adapter():
        engine.submit(request)
        [plain] = engine.poll()
        assert counts[0] == len(request.prompt_ids)
        np.testing.assert_allclose(plain.logprobs, scored(adapted, tiny_chat, request, plain), atol=1e-4)
    engine.submit(request)
    [found] = engine.poll()
    np.testing.assert_allclose(found.logprobs, scored(adapted, tiny_chat, request, found), atol=1e-4)


def test_what_a_poll_leaves_out_is_dropped_and_an_interrupted_rollout_leaves_nothing(tiny_model, tiny_chat):
    engine = TransformersEngine(tiny_model, tiny_chat)
    first, second = Talk(tiny_chat, 1, (1, 1)), Talk(tiny_chat, 2, (1,))
    for talk in (first, second):
        engine.submit(talk.request())
    for talk, response in zip((first, second), engine.poll(), strict=True):
        talk.take(response)
    both = engine.kept_bytes
    engine.submit(first.request())
    first.take(*engine.poll())
    assert 0 < engine.kept_bytes < 2 * both
    counts = tokens_read(tiny_model)
    engine.submit(second.request())
    engine.poll()
    assert counts[0] == len(second.ids)
    engine.cancel()
    assert engine.kept_bytes == 0


def test_no_more_bytes_are_kept_than_allowed(tiny_model, tiny_chat):
    free = TransformersEngine(tiny_model, tiny_chat)
    expected = played(lambda _: free, talks_of(tiny_chat))
    talks = talks_of(tiny_chat)
    for talk in talks:
        free.submit(talk.request())
    free.poll()
    assert free.kept_bytes > 0
    limit = free.kept_bytes // 2
    bounded, seen = TransformersEngine(tiny_model, tiny_chat, max_kept_bytes=limit), []

    def engine(_):
        seen.append(bounded.kept_bytes)
        return bounded

    check_same(played(engine, talks_of(tiny_chat)), expected)
    assert max(seen) > 0 and max(seen) <= limit


# ------------------------------------------------------------------------------------------- models that cannot


def sliding(chat_of):
    processor = make_qwen2_5_processor()
    model = make_model(processor)
    text = model.config.text_config
    for config in (text, model.model.language_model.config):
        config.sliding_window, config.use_sliding_window = 48, True
        config.layer_types = ["full_attention", "sliding_attention"]
    model.model.language_model.has_sliding_layers = True
    return model, chat_of(processor)


def linear(chat_of):
    tokenizer = train_tokenizer(["which digit is on the red card"], vocabulary=320)
    processor = make_processor(tokenizer)
    ids = {name: tokenizer.convert_tokens_to_ids(f"<|{name}|>") for name in ("image_pad", "video_pad", "im_end")}
    text = {"vocab_size": len(tokenizer), "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
    text |= {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32}
    text |= {"linear_key_head_dim": 16, "linear_value_head_dim": 16}
    text |= {"linear_num_key_heads": 2, "linear_num_value_heads": 2}
    text |= {"layer_types": ["linear_attention", "full_attention"]}
    text |= {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 1, 1]}}
    vision = {"depth": 1, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": 64}
    vision |= {"patch_size": processor.image_processor.patch_size, "num_position_embeddings": 256}
    config = Qwen3_5Config(
        text_config=text, vision_config=vision, image_token_id=ids["image_pad"], video_token_id=ids["video_pad"]
    )
    torch.manual_seed(0)
    return Qwen3_5ForConditionalGeneration(config).eval(), chat_of(processor)


@pytest.mark.parametrize(("make", "kind"), [(sliding, "DynamicSlidingWindowLayer"), (linear, "LinearAttentionLayer")])
def test_a_model_without_full_attention_reads_every_turn_anew_and_says_so_once(make, kind, caplog):
    model, chat = make(lambda processor: Chat(processor, TINY))
    with caplog.at_level(logging.WARNING):
        engine, alone = TransformersEngine(model, chat), TransformersEngine(model, chat, max_batch=1)
    assert sum(kind in record.message for record in caplog.records) == 1
    talks = played(lambda _: engine, talks_of(chat, temperature=0.0))
    assert engine.kept_bytes == 0
    check_same(talks, played(lambda _: alone, talks_of(chat, temperature=0.0)))


# ------------------------------------------------------------------------------------------------------- episodes


def test_episodes_of_a_trained_model_with_its_own_crops_are_the_same_tokens():
    model, chat = load_model(model_folder("tiny-warm"), TINY, dtype="float32")
    tasks = load_tasks("sample:vstar-tiny", count=4)
    settings = EpisodeSettings(TINY, Limits(max_turns=6), budgets_for(None, tasks, TINY))

    # Without answers it crops, and all episodes have six turns.
    sampling = Sampling(max_turn_tokens=12, banned_ids=frozenset(chat.fragment("<answer>")))

    def rollouts(engine):
        return rollout(list(tasks.tasks) * 2, engine, chat, settings=settings, sampling=sampling, seed=1)

    kept, anew = rollouts(TransformersEngine(model, chat)), rollouts(TransformersEngine(model, chat, max_kept_bytes=0))
    for one, other in zip(kept, anew, strict=True):
        assert one.completion_ids == other.completion_ids
        np.testing.assert_allclose(one.logprobs, other.logprobs, atol=2e-5)
    assert max(len(one.views) for one in kept) > 1 and max(len(one.trajectory.turns) for one in kept) == 6
