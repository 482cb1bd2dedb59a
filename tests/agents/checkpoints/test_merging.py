"""A merged adapter is base and adapter: in memory, in a folder, on another adapter; and what cannot be merged."""

import importlib.util
import json
import shutil

import peft
import pytest
import torch
from transformers import AutoModelForImageTextToText

from agents.checkpoints.adapters import adapter_of
from agents.checkpoints.conventions import Convention, convention_in, write_convention
from agents.checkpoints.merged_folder import KEPT, whole_checkpoint, write_merged
from agents.checkpoints.merging import load_whole_model
from agents.checkpoints.names import model_folder
from agents.checkpoints.processor import load_processor
from agents.engines import load
from agents.engines.served import command as serving
from agents.grpo.policy_weights import policy_weights, save_weights
from pixel_env.cli import main
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError
from tests.agents.checkpoints.adapter_folders import adapted, logits, save, set_config, with_processor
from tests.ports import free_port

BOUND = 2e-5
"""Of logits in float32 on a CPU."""
KINDS = {
    "plain": {},
    "all linear layers": {"target_modules": "all-linear", "use_rslora": True},
    "a module saved beside": {"modules_to_save": ["merger"]},
    "the output layer saved beside": {"modules_to_save": ["lm_head"]},
    "embeddings that the output layer shares": {"target_modules": ["q_proj", "embed_tokens"]},
    "DoRA": {"use_dora": True},
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The folder of an adapter of tiny-base."""
    return save(adapted(), tmp_path_factory.mktemp("plain") / "adapter", base="tiny-base")


def distance(first, second):
    return float((logits(first) - logits(second)).abs().max())


@pytest.mark.parametrize("kind", KINDS)
def test_merged_in_memory_and_in_a_folder_a_model_says_what_base_and_adapter_say(kind, tmp_path):
    model = adapted(**KINDS[kind])
    folder = save(model, tmp_path / "adapter", base="tiny-base")
    merged = load_whole_model(str(folder), "float32")
    assert distance(merged, model) < BOUND and not any("lora" in name for name, _ in merged.named_modules())
    write_merged(adapter_of(str(folder)), tmp_path / "whole", "float32")
    written = AutoModelForImageTextToText.from_pretrained(tmp_path / "whole", dtype=torch.float32)
    assert distance(written, model) < BOUND
    base = AutoModelForImageTextToText.from_pretrained(model_folder("tiny-base"), dtype=torch.float32)
    assert distance(base, model) > 1.0
    shared = written.get_input_embeddings().weight is written.get_output_embeddings().weight
    assert shared == ("output layer" not in kind)


def test_in_bfloat16_merged_weights_are_those_that_a_policy_in_training_hands_to_engines(tmp_path):
    model = adapted(dtype=torch.bfloat16)
    folder = save(model, tmp_path / "adapter", base="tiny-base")
    merged = dict(load_whole_model(str(folder), "auto").named_parameters())
    handed = dict(policy_weights(model))
    assert handed.keys() == merged.keys() and {weight.dtype for weight in merged.values()} == {torch.bfloat16}
    assert all(torch.equal(weight, merged[name]) for name, weight in handed.items())


def test_an_adapter_of_an_adapter_is_added_to_both(plain, tmp_path):
    whole = tmp_path / "whole"
    write_merged(adapter_of(str(plain)), whole, "float32")
    model = adapted(whole, seed=1, target_modules=["q_proj", "down_proj"])
    second = save(model, tmp_path / "second", base=plain)
    assert distance(load_whole_model(str(second), "float32"), model) < BOUND


def test_the_folder_that_a_policy_in_training_hands_to_servers_says_the_same(plain, tmp_path, tiny_chat):
    model = adapted()
    save_weights(model, tiny_chat.processor, tmp_path / "served", writes=True)
    served = AutoModelForImageTextToText.from_pretrained(tmp_path / "served", dtype=torch.float32)
    assert distance(served, model) < BOUND and distance(served, load_whole_model(str(plain), "float32")) < BOUND


def test_the_processor_is_the_adapters_where_it_has_one_and_else_the_bases(plain, tmp_path):
    assert load_processor(str(plain)).chat_template == load_processor("tiny-base").chat_template
    whole = with_processor(shutil.copytree(plain, tmp_path / "whole"))
    (whole / "chat_template.jinja").write_text("mine")
    assert load_processor(str(whole)).chat_template == "mine"
    parts = with_processor(
        shutil.copytree(plain, tmp_path / "tokenizer"),
        ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"],
    )
    tokenizer = json.loads((parts / "tokenizer.json").read_text(encoding="utf-8"))
    id = max(tokenizer["model"]["vocab"].values()) + 100
    special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    tokenizer["added_tokens"].append({"id": id, "content": "<mine>", **special})
    (parts / "tokenizer.json").write_text(json.dumps(tokenizer))
    (parts / "chat_template.jinja").write_text("of the tokenizer")
    processor = load_processor(str(parts))
    assert "<mine>" in processor.tokenizer.get_vocab() and processor.chat_template == "of the tokenizer"
    assert processor.image_processor.patch_size == 8


# ---------------------------------------------------------------------------------------------- the kept folder


def test_the_merged_folder_is_made_once_and_again_after_the_adapter_was_trained_on(plain, tmp_path, capsys):
    adapter = shutil.copytree(plain, tmp_path / "adapter")
    write_convention(adapter, Convention("tiny", prompt=" Say it."))
    first = whole_checkpoint(str(adapter))
    assert f"merging both into {first}" in capsys.readouterr().err
    assert first.startswith(str(adapter / KEPT)) and convention_in(adapter / KEPT / first[-12:]).prompt == " Say it."
    assert whole_checkpoint(str(adapter)) == first and capsys.readouterr().err == ""
    save(adapted(seed=3), adapter, base="tiny-base")
    assert whole_checkpoint(str(adapter)) != first
    assert sorted(file.name for file in (adapter / KEPT).iterdir() if file.name.startswith(".")) == []


def test_whole_checkpoints_and_hub_ids_need_no_merging():
    assert whole_checkpoint("tiny-base") == model_folder("tiny-base")
    assert whole_checkpoint("Qwen/Qwen3-VL-8B-Instruct") == "Qwen/Qwen3-VL-8B-Instruct"


def test_engines_that_load_a_folder_are_given_the_merged_one(plain, tmp_path, monkeypatch):
    adapter = with_processor(shutil.copytree(plain, tmp_path / "adapter"))
    seen = []
    monkeypatch.setattr(load, "load_vllm", lambda folder, **_: seen.append(folder))
    monkeypatch.setattr(load, "VLLMEngine", lambda llm, chat: chat)
    load.load_vllm_engine(str(adapter), dialect_named("tiny"), dtype="float32")
    if importlib.util.find_spec("vllm") is not None:
        monkeypatch.setattr(serving, "keep_serving", lambda starts, _: seen.extend(starts[0].command))
        assert main(["serve", "--model", str(adapter), "--max_model_len", "64", "--port", str(free_port())]) == 0
        seen[1:] = [seen[seen.index("--model") + 1]]
    assert set(seen) == {whole_checkpoint(str(adapter))} and str(adapter / KEPT) in seen[0]


def test_where_the_merged_folder_cannot_be_written_the_command_that_merges_elsewhere_is_named(plain, tmp_path):
    adapter = shutil.copytree(plain, tmp_path / "adapter")
    (adapter / KEPT).write_text("a file in its place")
    with pytest.raises(ConfigError, match=f"pixel-env merge {adapter} --output_dir FOLDER"):
        whole_checkpoint(str(adapter))


def test_a_merge_that_fails_midway_leaves_nothing(plain, tmp_path, monkeypatch):
    adapter = shutil.copytree(plain, tmp_path / "adapter")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("agents.checkpoints.merged_folder.load_processor", full)
    with pytest.raises(ConfigError, match="No space left on device"):
        whole_checkpoint(str(adapter))
    assert list((adapter / KEPT).iterdir()) == []


# ---------------------------------------------------------------------------------------------------- refusals


def prompt_tuning(folder):
    base = AutoModelForImageTextToText.from_pretrained(model_folder("tiny-base"))
    base.config.update({name: getattr(base.config.get_text_config(), name) for name in ("num_attention_heads",)})
    sizes = {"token_dim": 128, "num_layers": 4, "num_attention_heads": 4}
    model = peft.get_peft_model(base, peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2, **sizes))
    return save(model, folder, base="tiny-base")


@pytest.mark.parametrize("change", ["more layers", "fewer layers", "another rank"])
def test_an_adapter_that_does_not_fit_its_base_is_refused_naming_both(plain, tmp_path, change):
    adapter = shutil.copytree(plain, tmp_path / "adapter")
    fields = {
        "more layers": {"target_modules": ["q_proj", "v_proj", "k_proj"]},
        "fewer layers": {"target_modules": ["q_proj"]},
        "another rank": {"r": 3},
    }
    set_config(adapter, **fields[change])
    with pytest.raises(ConfigError, match="does not fit its base") as raised:
        load_whole_model(str(adapter), "float32")
    told = str(raised.value)
    assert str(adapter) in told and model_folder("tiny-base") in told and "\n" not in told


def test_what_changes_a_prompt_and_no_weights_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="PROMPT_TUNING, which changes the prompt"):
        load_whole_model(str(prompt_tuning(tmp_path / "adapter")), "float32")


def test_an_adapter_of_quantized_weights_is_refused(plain, tmp_path):
    base = shutil.copytree(model_folder("tiny-base"), tmp_path / "base")
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    (base / "config.json").write_text(json.dumps(config | {"quantization_config": {"quant_method": "bitsandbytes"}}))
    adapter = shutil.copytree(plain, tmp_path / "adapter")
    set_config(adapter, base_model_name_or_path=str(base))
    with pytest.raises(ConfigError, match="whose weights are quantized"):
        load_whole_model(str(adapter), "float32")


def test_a_base_that_cannot_be_loaded_is_told_of_with_its_adapter(plain, tmp_path):
    base = shutil.copytree(model_folder("tiny-base"), tmp_path / "base")
    weights = (base / "model.safetensors").read_bytes()
    (base / "model.safetensors").write_bytes(weights[:1000])
    adapter = shutil.copytree(plain, tmp_path / "adapter")
    set_config(adapter, base_model_name_or_path=str(base))
    with pytest.raises(ConfigError, match=f"'{base}', the base of the adapter '{adapter}', cannot be loaded"):
        load_whole_model(str(adapter), "float32")


# ----------------------------------------------------------------------------------------------------- the command


def test_the_command_writes_a_whole_checkpoint_and_says_where_it_is(plain, tmp_path, capsys):
    adapter = shutil.copytree(plain, tmp_path / "adapter")
    write_convention(adapter, Convention("tiny", prompt=" Say it."))
    target = tmp_path / "new" / "whole"
    assert main(["merge", str(adapter), "--output_dir", str(target), "--dtype", "float32"]) == 0
    assert f"The whole model is in {target}." in capsys.readouterr().out
    assert convention_in(target).prompt == " Say it." and adapter_of(str(target)) is None
    assert load_processor(str(target)).chat_template == load_processor("tiny-base").chat_template
    assert distance(load_whole_model(str(target), "float32"), load_whole_model(str(plain), "float32")) < BOUND
    assert main(["merge", str(adapter), "--output_dir", str(target)]) == 2
    assert f"{target} is not empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "target", "told"),
    [
        ("tiny-base", "new", "tiny-base is no adapter"),
        ("none/such/folder", "new", "there is no checkpoint folder none/such/folder"),
        ("PLAIN", "file", "is a file"),
        ("PLAIN", "file/below", "cannot be written"),
    ],
)
def test_the_command_refuses_what_it_cannot_merge_and_targets_that_it_cannot_write(
    plain, tmp_path, model, target, told, capsys
):
    (tmp_path / "file").write_text("")
    words = [str(plain) if model == "PLAIN" else model, "--output_dir", str(tmp_path / target)]
    assert main(["merge", *words]) == 2
    printed = capsys.readouterr().err.strip().splitlines()
    assert told in printed[-1] and not (tmp_path / "new").exists()
