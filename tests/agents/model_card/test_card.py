import json

import pytest
from huggingface_hub import ModelCard

from agents.model_card.card import CARD, REWARDS, CardFacts, model_card, write_card
from pixel_env.dialects.table import dialect_named
from rewards.shaping import PRESETS

ESTIMATE = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 50.0}
SUMMARY = {"steps": 40, "accuracy_before": None, "accuracy_after": ESTIMATE, "rapr_after": 0.75, "rapr_before": None}


def facts(**changed):
    known = {"name": "me/pixel-7b", "base": "Qwen/Qwen2.5-VL-7B-Instruct", "method": "GRPO", "is_adapter": False}
    known |= {"dialect": dialect_named("released"), "data": "/secret/folder/my-tasks.jsonl", "count": 120, "steps": 40}
    known |= {"reward": "paper", "settings": {"learning rate": 1e-6}}
    return CardFacts(**(known | changed))


def test_the_metadata_are_those_that_the_hub_reads():
    assert ModelCard(model_card(facts(), None)).data.to_dict() == {
        "library_name": "transformers",
        "pipeline_tag": "image-text-to-text",
        "base_model": "Qwen/Qwen2.5-VL-7B-Instruct",
        "base_model_relation": "finetune",
        "tags": ["pixel-env", "pixel-reasoning", "vision-language-model", "grpo", "trl"],
    }
    adapter = ModelCard(model_card(facts(is_adapter=True, method="SFT", data="me/traces"), None)).data
    assert adapter.library_name == "peft" and adapter.base_model_relation == "adapter" and "sft" in adapter.tags
    assert adapter.datasets == ["me/traces"]


def test_a_base_on_this_machine_is_no_hub_id_and_no_path_is_told(tmp_path):
    text = model_card(facts(base=str(tmp_path / "my-warm-start")), None)
    assert ModelCard(text).data.base_model is None
    assert "`my-warm-start`" in text and "my-tasks.jsonl, 120 tasks" in text
    assert str(tmp_path) not in text and "/secret" not in text


@pytest.mark.parametrize("name", ["gw", "run 2"])
def test_the_commands_of_a_model_that_is_not_on_the_hub_are_run_in_its_folder(name):
    text = model_card(facts(name=name), None)
    assert "In this folder:\n\n```sh\npixel-env ask photo.jpg" in text and text.count("--model . ") == 1
    assert '?" --model .\n' in text and f"--model {name}" not in text and f"# {name}\n" in text
    assert "In this folder" not in model_card(facts(), None)


def test_an_adapter_that_was_trained_on_is_named_with_its_base():
    text = model_card(facts(is_adapter=True, base="tiny-base", adapter="/secret/folder/first"), None)
    assert "Trained from the adapter `first` on `tiny-base`, a small model" in text and "/secret" not in text
    text = model_card(facts(is_adapter=True), None)
    assert "Trained from [Qwen/Qwen2.5-VL-7B-Instruct](" in text and "the adapter `" not in text


def test_a_card_says_how_the_model_is_used_prompted_and_cited():
    text = model_card(facts(), None)
    assert "pixel-env ask photo.jpg" in text and "pixel-env eval --model me/pixel-7b" in text
    assert "`released`" in text and "crop_image_normalized" in text and "\\boxed{}" in text
    assert "2505.15966" in text and "time machine" not in text


def test_the_reward_stands_there_with_its_constants():
    assert REWARDS.keys() == PRESETS.keys()
    assert "H = 0.3, alpha = 0.5, N = 1, beta = 0.05" in model_card(facts(), None)
    own = model_card(facts(reward="my.module:brevity", functions=("letters",)), None)
    assert "`my.module:brevity`" in own and "`letters`" in own and "RaPR(x)" not in own
    assert "reward" not in model_card(facts(method="SFT", reward=None), None)


def test_figures_have_their_intervals_and_their_numbers(tmp_path):
    (tmp_path / "summary.json").write_text(json.dumps(SUMMARY))
    write_card(tmp_path, facts())
    text = (tmp_path / CARD).read_text()
    assert "| accuracy after training | 0.500 | 0.400 to 0.600 | 50 |" in text and "0.750" in text
    assert "accuracy before" not in text


@pytest.mark.parametrize("summary", [None, json.dumps(SUMMARY | {"steps": 9}), "{", "[]"])
def test_figures_of_another_step_or_a_broken_file_are_not_the_models(tmp_path, summary):
    if summary is not None:
        (tmp_path / "summary.json").write_text(summary)
    write_card(tmp_path, facts())
    assert "Not evaluated" in (tmp_path / CARD).read_text()


def test_text_that_looks_like_markdown_stays_in_its_block():
    text = model_card(facts(settings={"a | b": "c | d\ne"}), None)
    assert "c \\| d e" in text
