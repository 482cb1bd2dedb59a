"""A Qwen2.5-VL and a Qwen3-VL with random weights, as small as vLLM takes them.

Qwen2.5-VL is the class of the released Pixel-Reasoner checkpoints. Depends on transformers and TRL's templates;
independent of what the tests do with the models.
"""

from dataclasses import replace
from importlib import resources

import torch
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)

from agents.checkpoints.tiny import PATCH, SPECIAL_TOKENS, train_tokenizer
from pixel_env.dialects.dialect import view_budgets
from pixel_env.dialects.table import dialect_named

SMALL = (32 * 32, 64 * 64)
RELEASED = replace(
    dialect_named("released"), system="", shows_tools=False, budgets=view_budgets(SMALL, SMALL, SMALL, SMALL, factor=16)
)
"""The released checkpoints' dialect without its long system text, for pictures of a few tokens."""


WORDS = ("which digit is on the red card", "<tool_call> target_frames")
LARGER = 1.5
"""By which weights are multiplied, so that every position and image counts."""


def template(name):
    """A chat template of TRL's, by the name of its file."""
    return (resources.files("trl") / "chat_templates" / f"{name}.jinja").read_text()


def make_processor(texts=WORDS, *, vocabulary=320, patch=PATCH):
    """The class and the template of the released checkpoints; patches of 8, where the checkpoints have 14."""
    most = (16 * patch) ** 2
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(patch_size=patch, min_pixels=(2 * patch) ** 2, max_pixels=most),
        # As in the checkpoints, the processor's own limits for videos are others than those of the dialect.
        video_processor=Qwen2VLVideoProcessor(patch_size=patch, min_pixels=(12 * patch) ** 2, max_pixels=most),
        tokenizer=train_tokenizer(texts, vocabulary=vocabulary),
        chat_template=template("qwen2_5_vl"),
    )


def make_qwen3_processor(texts=WORDS, *, vocabulary=320, patch=16, chat_template="qwen3_vl"):
    """The class and the template of Qwen3-VL, with its patches of 16."""
    sizes = {"shortest_edge": (2 * patch) ** 2, "longest_edge": (16 * patch) ** 2}
    shared = {"patch_size": patch, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": sizes}
    return Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(**shared),
        video_processor=Qwen3VLVideoProcessor(**shared),
        tokenizer=train_tokenizer(texts, vocabulary=vocabulary),
        chat_template=template(chat_template),
    )


def make_model(processor, *, positions=2048):
    """The Qwen2.5-VL for `processor`, with room for so many positions."""
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 6, 6]}
    patch = processor.image_processor.patch_size
    vision = {"depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 2, "out_hidden_size": 64}
    vision |= {"patch_size": patch, "window_size": 4 * patch, "fullatt_block_indexes": [1], "tokens_per_second": 2}
    text = _text(processor, positions) | {"rope_parameters": rope}
    config = Qwen2_5_VLConfig(**_placeholders(processor), text_config=text, vision_config=vision)
    return _random(Qwen2_5_VLForConditionalGeneration, config)


def make_qwen3_model(processor, *, positions=2048):
    """The Qwen3-VL for `processor`, with room for so many positions."""
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 6, 6], "mrope_interleaved": True}
    vision = {"depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 2, "out_hidden_size": 64}
    vision |= {"patch_size": processor.image_processor.patch_size, "deepstack_visual_indexes": [1]}
    text = _text(processor, positions) | {"rope_parameters": rope, "head_dim": 32}
    config = Qwen3VLConfig(
        **_placeholders(processor), text_config=text, vision_config=vision | {"num_position_embeddings": 256}
    )
    return _random(Qwen3VLForConditionalGeneration, config)


def _ids(processor):
    return {token: processor.tokenizer.convert_tokens_to_ids(token) for token in SPECIAL_TOKENS}


def _text(processor, positions):
    ids = _ids(processor)
    text = {"vocab_size": len(processor.tokenizer), "hidden_size": 64, "intermediate_size": 128}
    text |= {"num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "bos_token_id": None}
    return text | {
        "pad_token_id": ids["<|endoftext|>"],
        "eos_token_id": ids["<|im_end|>"],
        "max_position_embeddings": positions,
    }


def _placeholders(processor):
    names = {"image_token_id": "<|image_pad|>", "video_token_id": "<|video_pad|>"}
    names |= {"vision_start_token_id": "<|vision_start|>", "vision_end_token_id": "<|vision_end|>"}
    ids = _ids(processor)
    return {name: ids[token] for name, token in names.items()}


def _random(kind, config):
    torch.manual_seed(0)
    model = kind(config)
    model.generation_config.eos_token_id = config.text_config.eos_token_id
    model.generation_config.pad_token_id = config.text_config.pad_token_id
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(LARGER)
    return model.eval()
