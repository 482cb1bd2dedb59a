"""The policy's weights as engines take them: under transformers' names, adapters added."""

import copy

import pytest
import torch
from transformers import AutoModelForImageTextToText

from agents.grpo.policy_weights import policy_weights, save_weights
from pixel_env.errors import ConfigError

peft = pytest.importorskip("peft")


def adapted(model, **options):
    options = {"target_modules": ["q_proj", "down_proj"], "init_lora_weights": False, **options}
    return peft.get_peft_model(model, peft.LoraConfig(r=2, **options))


def test_a_plain_model_gives_its_own_parameters(tiny_model):
    found = dict(policy_weights(tiny_model))
    assert found.keys() == dict(tiny_model.named_parameters()).keys()
    assert all(torch.equal(found[name], weight) for name, weight in tiny_model.named_parameters())


@pytest.mark.parametrize("options", [{}, {"modules_to_save": ["merger"]}, {"target_modules": "all-linear"}])
def test_adapters_are_added_to_what_they_adapt_and_the_model_stays_as_it_is(tiny_model, options):
    torch.manual_seed(1)
    model = adapted(tiny_model, **options)
    kept = {name: weight.clone() for name, weight in model.named_parameters()}
    found = {name: weight.clone() for name, weight in policy_weights(model)}
    assert all(torch.equal(weight, kept[name]) for name, weight in model.named_parameters())
    merged = copy.deepcopy(model).merge_and_unload().state_dict()
    assert found.keys() <= merged.keys() and not any("lora" in name for name in found)
    for name, weight in found.items():
        torch.testing.assert_close(weight, merged[name], atol=1e-6, rtol=0)
    assert any("q_proj" in name and not torch.equal(found[name], kept_weight(kept, name)) for name in found)


def kept_weight(kept, name):
    return kept[f"base_model.model.{name.removesuffix('.weight')}.base_layer.weight"]


def test_an_adapter_of_another_kind_is_refused_by_name(tiny_model):
    with pytest.raises(ConfigError, match="DoRA"):
        dict(policy_weights(adapted(tiny_model, use_dora=True)))


@pytest.mark.parametrize(
    "options",
    [{"modules_to_save": ["lm_head"]}, {"modules_to_save": ["embed_tokens"]}, {"target_modules": ["lm_head"]}],
)
def test_an_adapter_of_one_of_two_layers_that_share_their_weights_is_refused(tiny_model, options):
    with pytest.raises(ConfigError, match="shares one matrix"):
        dict(policy_weights(adapted(tiny_model, **options)))


@pytest.mark.parametrize("shard_bytes", [4 * 10**9, 10**6])
def test_the_saved_folder_loads_as_the_same_model(tiny_model, tiny_chat, tmp_path, shard_bytes):
    torch.manual_seed(2)
    with torch.no_grad():
        for weight in tiny_model.parameters():
            weight.add_(0.01 * torch.randn_like(weight))
    (tmp_path / "model-00009.safetensors").write_bytes(b"of an earlier, larger checkpoint")
    save_weights(tiny_model, tiny_chat.processor, tmp_path, writes=True, shard_bytes=shard_bytes)
    loaded = AutoModelForImageTextToText.from_pretrained(tmp_path, dtype=torch.float32)
    for name, weight in tiny_model.named_parameters():
        torch.testing.assert_close(dict(loaded.named_parameters())[name], weight, atol=0, rtol=0)
    assert len(list(tmp_path.glob("*.safetensors"))) > (1 if shard_bytes < 10**7 else 0)


def test_a_process_that_does_not_write_leaves_no_file(tiny_model, tiny_chat, tmp_path):
    save_weights(tiny_model, tiny_chat.processor, tmp_path / "other", writes=False)
    assert not (tmp_path / "other").exists()


def test_the_folder_of_an_adapted_model_loads_without_peft(tiny_model, tiny_chat, tmp_path):
    model = adapted(tiny_model)
    save_weights(model, tiny_chat.processor, tmp_path, writes=True)
    loaded = AutoModelForImageTextToText.from_pretrained(tmp_path, dtype=torch.float32)
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.no_grad():
        torch.testing.assert_close(loaded(input_ids=ids).logits, model.eval()(input_ids=ids).logits, atol=1e-4, rtol=0)
