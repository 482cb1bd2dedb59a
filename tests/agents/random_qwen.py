"""A Qwen2.5-VL with random weights, as small as vLLM takes it: the class of the released Pixel-Reasoner checkpoints."""

from dataclasses import replace
from importlib import resources

import torch
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
)

from agents.checkpoints.tiny import PATCH, SPECIAL_TOKENS, train_tokenizer
from pixel_env.dialects.dialect import view_budgets
from pixel_env.dialects.table import dialect_named

SMALL = (32 * 32, 64 * 64)
RELEASED = replace(
    dialect_named("released"), system="", shows_tools=False, budgets=view_budgets(SMALL, SMALL, SMALL, SMALL, factor=16)
)
"""The released checkpoints' dialect without its long system text, for pictures of a few tokens."""


def make_processor():
    """The class and the template of the released checkpoints, with patches of 8."""
    trl_templates = resources.files("trl") / "chat_templates"
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(patch_size=PATCH, min_pixels=16 * 16, max_pixels=128 * 128),
        # As in the checkpoints, the processor's own limits for videos are others than those of the dialect.
        video_processor=Qwen2VLVideoProcessor(patch_size=PATCH, min_pixels=96 * 96, max_pixels=128 * 128),
        tokenizer=train_tokenizer(["which digit is on the red card", "<tool_call> target_frames"], vocabulary=320),
        chat_template=(trl_templates / "qwen2_5_vl.jinja").read_text(),
    )


def make_model(processor):
    """The model; its weights are large enough that every place and picture counts."""
    ids = {token: processor.tokenizer.convert_tokens_to_ids(token) for token in SPECIAL_TOKENS}
    text = {"vocab_size": len(processor.tokenizer), "hidden_size": 64, "intermediate_size": 128}
    text |= {"num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "bos_token_id": None}
    text |= {"pad_token_id": ids["<|endoftext|>"], "eos_token_id": ids["<|im_end|>"], "max_position_embeddings": 2048}
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 6, 6]}
    vision = {"depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 2, "out_hidden_size": 64}
    vision |= {"patch_size": PATCH, "window_size": 4 * PATCH, "fullatt_block_indexes": [1], "tokens_per_second": 2}
    config = Qwen2_5_VLConfig(
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        text_config={**text, "rope_parameters": rope},
        vision_config=vision,
    )
    torch.manual_seed(0)
    model = Qwen2_5_VLForConditionalGeneration(config)
    model.generation_config.eos_token_id = ids["<|im_end|>"]
    model.generation_config.pad_token_id = ids["<|endoftext|>"]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
    return model.eval()
