"""The embedded model: a Qwen3-VL of about 2 M parameters, its tokenizer and its processor.

Ordinary `transformers` classes and files, so whatever loads a real checkpoint loads this one. Depends on transformers;
independent of training, which `examples/make_tiny.py` does.
"""

import copy
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoProcessor,
    PreTrainedTokenizerFast,
    Qwen2VLImageProcessor,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)

from agents.checkpoints.conventions import Convention, write_convention

PATCH = 8
MERGE = 2
SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
"""Qwen's names. The calls' and answers' markers are added tokens too, but not special: decoding keeps them."""
MARKERS = ("<crop>", "<answer>")

# A user turn holds its text and images in the order in which they are given; no system turn unless there is a text.
CHAT_TEMPLATE = """{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' -}}
{%- if message.content is string -%}{{- message.content -}}{%- else -%}
{%- for part in message.content -%}
{%- if part.type == 'image' -%}<|vision_start|><|image_pad|><|vision_end|>
{%- elif part.type == 'video' -%}<|vision_start|><|video_pad|><|vision_end|>
{%- else -%}{{- part.text -}}{%- endif -%}
{%- endfor -%}{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""


def train_tokenizer(texts: Iterable[str], vocabulary: int = 1000) -> PreTrainedTokenizerFast:
    """A byte-level BPE of about `vocabulary` pieces, learned from `texts`, with Qwen's special tokens."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=list(SPECIAL_TOKENS), initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(texts, trainer)
    bpe.add_tokens([AddedToken(marker, special=False, normalized=False) for marker in MARKERS])
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=[token for token in SPECIAL_TOKENS if token not in ("<|im_end|>", "<|endoftext|>")],
        clean_up_tokenization_spaces=False,
    )


def make_processor(tokenizer: PreTrainedTokenizerFast) -> Qwen3VLProcessor:
    """The processor around `tokenizer`: patches of 8, merged 2 by 2, values in -1 to 1."""
    sizes = {"shortest_edge": PATCH * MERGE * PATCH * MERGE, "longest_edge": 512 * 512}
    shared = {"patch_size": PATCH, "merge_size": MERGE, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": sizes}
    return Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(**shared),
        video_processor=Qwen3VLVideoProcessor(**shared),
        tokenizer=tokenizer,
        chat_template=CHAT_TEMPLATE,
    )


def make_model(tokenizer: PreTrainedTokenizerFast) -> Qwen3VLForConditionalGeneration:
    """The model with random weights from torch's generator, its learned positions set to a 2-D sine table."""
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in SPECIAL_TOKENS}
    config = Qwen3VLConfig(
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
        text_config={
            "vocab_size": -(-len(tokenizer) // 16) * 16,
            "hidden_size": 128,
            "intermediate_size": 384,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 32,
            "max_position_embeddings": 2048,
            "tie_word_embeddings": True,
            "pad_token_id": ids["<|endoftext|>"],
            "bos_token_id": None,
            "eos_token_id": ids["<|im_end|>"],
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [4, 6, 6],
                "mrope_interleaved": True,
            },
        },
        vision_config={
            "depth": 4,
            "hidden_size": 128,
            "intermediate_size": 256,
            "num_heads": 4,
            "out_hidden_size": 128,
            "deepstack_visual_indexes": [1],
            "patch_size": PATCH,
            "spatial_merge_size": MERGE,
            "temporal_patch_size": 2,
            "num_position_embeddings": 256,
        },
    )
    model = Qwen3VLForConditionalGeneration(config)
    positions = model.model.visual.pos_embed.weight
    with torch.no_grad():
        positions.copy_(torch.from_numpy(_sine_table(*positions.shape)))
    model.generation_config.eos_token_id = ids["<|im_end|>"]
    model.generation_config.pad_token_id = ids["<|endoftext|>"]
    return model


def _sine_table(positions: int, width: int, amplitude: float = 0.3) -> np.ndarray:
    """A 2-D sine/cosine table, (positions, width). The default initialization (std 0.02) is too weak beside patches."""
    side = round(positions**0.5)
    rows, columns = (axis.ravel() + 0.5 for axis in np.meshgrid(np.arange(side), np.arange(side), indexing="ij"))
    waves = []
    for index in range(width // 4):
        frequency = np.pi / side * (index % 8 + 1) * 0.5
        waves += [wave(frequency * axis) for axis in (columns, rows) for wave in (np.sin, np.cos)]
    return (amplitude * np.stack(waves, axis=1)).astype(np.float32)


def save_checkpoint(
    model: Qwen3VLForConditionalGeneration, processor: Qwen3VLProcessor, folder: Path, facts: dict[str, object]
) -> None:
    """Write an ordinary checkpoint folder in bfloat16, with `facts` (how it was made, held-out figures) beside it.

    It says that the model acts in the dialect `tiny` (`conventions.py`).
    """
    folder.mkdir(parents=True, exist_ok=True)
    # A copy that is cast as a whole keeps its tied weights tied, so that they are written once.
    copy.deepcopy(model).to(torch.bfloat16).save_pretrained(folder)
    processor.save_pretrained(folder)
    (folder / "facts.json").write_text(json.dumps(facts, indent=2) + "\n")
    write_convention(folder, Convention("tiny"))


def load(folder: Path | str) -> tuple[Qwen3VLForConditionalGeneration, Qwen3VLProcessor]:
    """Model (float32) and processor of a checkpoint folder."""
    model = Qwen3VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    return model, AutoProcessor.from_pretrained(folder)
