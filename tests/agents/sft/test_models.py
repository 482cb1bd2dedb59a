"""Any Qwen-VL is warm-started, whole or with adapters, its tower moved or left alone, on rows of every medium."""

from dataclasses import replace

import pytest
import torch
from peft import LoraConfig
from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration, Qwen2VLProcessor
from trl import ModelConfig, get_peft_config

from agents.checkpoints.tiny import PATCH, SPECIAL_TOKENS
from agents.checkpoints.tiny import make_model as make_qwen3
from agents.checkpoints.vision_tower import IN_A_TOWER, freeze_vision_tower, without_tower
from agents.sft.trainer import PixelSFTConfig, PixelSFTTrainer
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError
from tests.agents.planned_traces import as_task_set, planned_traces, shown_small
from tests.agents.random_qwen import make_model as make_qwen25
from tests.agents.random_qwen import make_processor as make_processor_25

FAMILIES = {"qwen2": "released", "qwen2.5": "released", "qwen3": "default"}
"""With the dialect of each: Qwen3-VL writes times between frames, so its videos are images."""


def processor_of(family, tiny_processor):
    if family == "qwen3":
        return tiny_processor
    made = make_processor_25()
    if family == "qwen2.5":
        return made
    parts = {"image_processor": made.image_processor, "video_processor": made.video_processor}
    return Qwen2VLProcessor(**parts, tokenizer=made.tokenizer, chat_template=made.chat_template)


def model_of(family, processor):
    torch.manual_seed(0)
    if family == "qwen3":
        return make_qwen3(processor.tokenizer)
    if family == "qwen2.5":
        return make_qwen25(processor)
    ids = {token: processor.tokenizer.convert_tokens_to_ids(token) for token in SPECIAL_TOKENS}
    text = {"vocab_size": len(processor.tokenizer), "hidden_size": 64, "intermediate_size": 128}
    text |= {"num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "bos_token_id": None}
    text |= {"pad_token_id": ids["<|endoftext|>"], "eos_token_id": ids["<|im_end|>"], "max_position_embeddings": 16384}
    text |= {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 6, 6]}}
    vision = {"depth": 2, "embed_dim": 64, "hidden_size": 64, "num_heads": 2, "mlp_ratio": 2, "patch_size": PATCH}
    config = Qwen2VLConfig(
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        text_config=text,
        vision_config=vision,
    )
    return Qwen2VLForConditionalGeneration(config)


def trainer_of(family, tiny_processor, folder, peft_config=None, **options):
    processor = processor_of(family, tiny_processor)
    model = model_of(family, processor)
    model.config.get_text_config().max_position_embeddings = 16384  # the traces' words are spelled in bytes
    dialect = replace(shown_small(dialect_named(FAMILIES[family])), system="", shows_tools=False)
    traces = planned_traces(dialect)
    args = PixelSFTConfig(
        output_dir=str(folder), max_turns=8, max_images=40, max_steps=1, logging_steps=1, save_strategy="no",
        per_device_train_batch_size=len(traces), disable_tqdm=True, use_cpu=True, report_to=[], learning_rate=1e-3,
        **options,
    )  # fmt: skip
    return PixelSFTTrainer(
        model, traces, args, processing_class=processor, dialect=dialect, task_set=as_task_set(traces),
        peft_config=peft_config,
    )  # fmt: skip


def moved_by_a_step(trainer):
    """The names of the parameters that one optimizer step moves."""
    before = {name: weight.detach().clone() for name, weight in trainer.model.named_parameters()}
    assert trainer.train().training_loss > 0
    return {name for name, weight in trainer.model.named_parameters() if not torch.equal(weight, before[name])}


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_step_on_images_videos_and_texts_moves_the_tower_unless_it_is_frozen(
    family, frozen, tiny_processor, tmp_path
):
    trainer = trainer_of(family, tiny_processor, tmp_path, freeze_vision_tower=frozen)
    batch = trainer.data_collator.batch([trainer.data_collator.traces[place] for place in trainer.survey.indices])
    assert len(trainer.survey.indices) == 7 and "pixel_values" in batch
    assert ("pixel_values_videos" in batch) == (FAMILIES[family] == "released")
    moved = moved_by_a_step(trainer)
    in_tower = {name for name in moved if ".visual." in name}
    assert bool(in_tower) != frozen and moved - in_tower


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_with_lora_only_adapters_move_and_a_frozen_tower_has_none(family, frozen, tiny_processor, tmp_path):
    lora = LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
    trainer = trainer_of(family, tiny_processor, tmp_path, lora, freeze_vision_tower=frozen)
    adapters = {name for name, _ in trainer.model.named_parameters() if "lora_" in name}
    assert any(".visual." in name for name in adapters) != frozen
    moved = moved_by_a_step(trainer)
    assert moved and moved <= adapters and any("language_model" in name for name in moved)


def test_adapters_named_on_the_command_line_leave_a_frozen_tower_alone():
    given = get_peft_config(ModelConfig(use_peft=True, lora_target_modules=["q_proj", "qkv"]))
    assert without_tower(given).exclude_modules == IN_A_TOWER and without_tower(None) is None
    given.exclude_modules = "model.visual.merger"
    with pytest.raises(ConfigError, match=r"exclude_modules='model\.visual\.merger' were both given"):
        without_tower(given)


def test_a_model_without_a_tower_cannot_have_it_frozen():
    with pytest.raises(ConfigError, match=r"Linear has no vision tower.*visual"):
        freeze_vision_tower(torch.nn.Linear(2, 2))
