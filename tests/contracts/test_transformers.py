"""What our code takes from transformers: if an upgrade changes one of these, this file fails and not a training run."""

import inspect
from importlib import resources

import numpy as np
import pytest
import torch
import transformers
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
)

from agents.chat.chat import Chat
from agents.checkpoints.tiny import PATCH, SPECIAL_TOKENS, make_model, make_processor, train_tokenizer
from agents.engines.protocol import Request
from agents.engines.transformers import TransformersEngine
from pixel_env.dialects.table import dialect_named
from pixel_env.types import Prompt

SIZES = [(64, 64), (32, 48), (128, 64), (16, 16), (48, 80)]


def qwen3(tokenizer):
    return make_model(tokenizer), make_processor(tokenizer)


def qwen2_5(tokenizer):
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in SPECIAL_TOKENS}
    config = Qwen2_5_VLConfig(
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]},
            "pad_token_id": ids["<|endoftext|>"],
            "bos_token_id": None,
            "eos_token_id": ids["<|im_end|>"],
        },
        vision_config={
            "depth": 2,
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_heads": 4,
            "out_hidden_size": 64,
            "patch_size": PATCH,
            "window_size": 4 * PATCH,
            "fullatt_block_indexes": [1],
        },
    )
    processor = make_processor(tokenizer)
    processor = Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(patch_size=PATCH),
        video_processor=Qwen2VLVideoProcessor(patch_size=PATCH),
        tokenizer=tokenizer,
        chat_template=processor.chat_template,
    )
    model = Qwen2_5_VLForConditionalGeneration(config)
    model.generation_config.eos_token_id = ids["<|im_end|>"]
    model.generation_config.pad_token_id = ids["<|endoftext|>"]
    return model, processor


@pytest.fixture(scope="module", params=[qwen3, qwen2_5])
def made(request):
    torch.manual_seed(0)
    model, processor = request.param(train_tokenizer(["which digit is on the red card"], vocabulary=320))
    # Random weights repeat one token for ever; larger ones make every place and picture count.
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
    return model.eval(), Chat(processor, dialect_named("tiny"))


def conversation(chat, number, pictures):
    rng = np.random.default_rng(number)
    images = [rng.integers(0, 256, (h, w, 3), dtype=np.uint8) for w, h in SIZES[:pictures]]
    ids = chat.open(Prompt("", "which digit " * (1 + number % 3)), images[:1])
    if pictures > 1:
        ids += chat.encode("hm") + chat.reply("more", images[1:], ended=True)
    return ids, images


def test_the_forward_takes_what_the_engine_gives(made):
    model, _ = made
    names = set(inspect.signature(model.forward).parameters)
    assert names >= {
        "input_ids",
        "attention_mask",
        "position_ids",
        "past_key_values",
        "pixel_values",
        "image_grid_thw",
        "mm_token_type_ids",
        "logits_to_keep",
    }
    rope = set(inspect.signature(model.model.get_rope_index).parameters)
    assert rope >= {"input_ids", "mm_token_type_ids", "image_grid_thw", "attention_mask"}


def test_the_tower_gives_one_tensor_a_picture(made):
    model, chat = made
    features = chat.features(conversation(chat, 0, 3)[1])
    with torch.no_grad():
        output = model.model.get_image_features(**features, return_dict=True)
    assert [len(tensor) for tensor in output.pooler_output] == [16, 6, 32]
    for layer in output.get("deepstack_features") or []:
        assert len(layer) == 16 + 6 + 32


def test_what_the_tower_gives_for_a_picture_does_not_depend_on_the_others(made):
    model, chat = made
    images = conversation(chat, 0, 3)[1]

    def read(images):
        with torch.no_grad():
            output = model.model.get_image_features(**chat.features(images), return_dict=True)
        return [*output.pooler_output, *(output.get("deepstack_features") or [])]

    together, alone = read(images), [read([image]) for image in images]
    for number, (pooled, *_) in enumerate(alone):
        assert torch.allclose(together[number], pooled, atol=1e-5)
    for layer, parts in zip(together[3:], zip(*(layers for _, *layers in alone), strict=True), strict=True):
        assert torch.allclose(layer, torch.cat(parts), atol=1e-5)


def test_greedy_turns_equal_generate_for_0_to_5_pictures_in_one_batch(made):
    model, chat = made
    engine = TransformersEngine(model, chat)
    expected = []
    for number, pictures in enumerate([0, 1, 2, 5, 1]):
        ids, images = conversation(chat, number, pictures)
        engine.submit(Request(number, ids, tuple(images), 8, 0.0, 0, chat.banned_ids))
        tensor = torch.tensor([ids])
        features = chat.features(images)
        out = model.generate(
            input_ids=tensor,
            attention_mask=torch.ones_like(tensor),
            mm_token_type_ids=chat.mm_token_type_ids(tensor),
            **features,
            max_new_tokens=8,
            do_sample=False,
            suppress_tokens=sorted(chat.banned_ids),
        )
        expected.append(tuple(out[0, len(ids) :].tolist()))
    assert [response.token_ids for response in engine.poll()] == expected
    assert len(set(expected)) > 1


def test_the_same_place_in_another_picture_order_is_another_input(made):
    model, chat = made
    ids, images = conversation(chat, 0, 1)
    engine = TransformersEngine(model, chat)
    engine.submit(Request(0, ids, tuple(images), 1, 1.0, 0, chat.banned_ids))
    engine.submit(Request(1, ids, (images[0][::-1].copy(),), 1, 1.0, 0, chat.banned_ids))
    first, second = engine.poll()
    assert first.logprobs != second.logprobs


@pytest.mark.parametrize("name", ["qwen2_5_vl", "qwen3_vl"])
@pytest.mark.parametrize("dialect", ["default", "released"])
def test_the_released_models_templates_can_be_glued(name, dialect):
    trl = pytest.importorskip("trl")
    processor = make_processor(train_tokenizer(["a red card"], vocabulary=300))
    processor.chat_template = (resources.files(trl) / "chat_templates" / f"{name}.jinja").read_text()
    chat = Chat(processor, dialect_named(dialect))
    image = np.zeros((64, 64, 3), np.uint8)
    ids = (
        chat.open(Prompt("Be brief.", "What?"), [image])
        + chat.encode("Look.")
        + chat.reply("Here:", [image], ended=True)
    )
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What?"}]},
        {"role": "assistant", "content": "Look."},
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Here:"}]},
    ]
    text = processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    rendered = processor(text=[text], images=[image, image], do_resize=False)["input_ids"][0]
    assert list(ids) == list(rendered)


def test_the_processor_says_its_patch_and_merge_sizes(made):
    _, chat = made
    processor = chat.processor.image_processor
    assert (processor.patch_size, processor.merge_size) == (PATCH, 2)
    assert chat.processor.image_token_id == chat.image_id


def test_checkpointing_layers_refuse_a_cache_in_training_only():
    source = inspect.getsource(transformers.modeling_layers.GradientCheckpointingLayer.__call__)
    assert "self.gradient_checkpointing and self.training" in source
