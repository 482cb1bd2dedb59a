"""What an adapter's folder is, where its base is looked for, and what is said of folders that are none."""

import json
import shutil

import pytest

from agents.checkpoints.adapters import CONFIG_NAME, WEIGHTS_NAME, adapter_of, base_chain
from agents.checkpoints.checked import checked_model_folder
from agents.checkpoints.conventions import convention_of, model_type_of
from agents.checkpoints.names import model_folder
from agents.checkpoints.weights_hash import weights_hash
from benchmarks.evaluation.provenance import revision_of
from pixel_env.errors import ConfigError


def adapter_folder(folder, base="tiny-base", **files):
    folder.mkdir(parents=True)
    (folder / CONFIG_NAME).write_text(json.dumps({"base_model_name_or_path": base, "peft_type": "LORA"}))
    (folder / WEIGHTS_NAME).write_bytes(b"weights")
    for name, text in files.items():
        (folder / f"{name}.json").write_text(text)
    return folder


def whole_folder(folder):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "qwen2_5_vl"}')
    (folder / "model.safetensors").write_bytes(b"base")
    return folder


def test_an_embedded_base_is_found_by_its_name_and_by_where_it_was_installed_elsewhere(tmp_path):
    for number, base in enumerate(("tiny-warm", "/opt/x/site-packages/agents/checkpoints/tiny-warm")):
        assert adapter_of(str(adapter_folder(tmp_path / str(number), base))).base == model_folder("tiny-warm")


@pytest.mark.parametrize(("named", "place"), [("runs/warm", "project"), ("../warm", "elsewhere")])
def test_a_relative_base_is_relative_to_the_working_folder_or_to_the_adapter(tmp_path, named, place, monkeypatch):
    base = whole_folder(tmp_path / "project" / "runs" / "warm")
    adapter = adapter_folder(tmp_path / "project" / "runs" / "grpo", named)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / place)
    assert adapter_of(str(adapter)).base == str(base)
    assert checked_model_folder(str(adapter)) == str(adapter) and model_type_of(str(adapter)) == "qwen2_5_vl"


def test_a_folder_of_the_bases_name_in_another_place_is_not_taken_for_it(tmp_path, monkeypatch):
    whole_folder(tmp_path / "warm")
    adapter = adapter_folder(tmp_path / "runs" / "grpo", "warm")
    monkeypatch.chdir(tmp_path / "runs")
    with pytest.raises(ConfigError, match="adapter of 'warm', and there is no such folder"):
        adapter_of(str(adapter))


def test_a_base_of_the_hub_stays_its_id_and_a_folder_goes_before_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    adapter = adapter_folder(tmp_path / "a", "Qwen/Qwen2.5-VL-7B-Instruct")
    assert base_chain(str(adapter)) == [str(adapter), "Qwen/Qwen2.5-VL-7B-Instruct"]
    here = whole_folder(tmp_path / "Qwen" / "Qwen2.5-VL-7B-Instruct")
    assert base_chain(str(adapter)) == [str(adapter), str(here)]


def test_an_adapter_of_an_adapter_has_the_chain_of_both(tmp_path):
    first = adapter_folder(tmp_path / "first")
    second = adapter_folder(tmp_path / "second", "../first")
    assert base_chain(str(second)) == [str(second), str(first), model_folder("tiny-base")]


@pytest.mark.parametrize("model", ["tiny-base", "Qwen/Qwen3-VL-8B-Instruct", "/none/such"])
def test_what_is_no_adapter_is_the_end_of_its_chain(model):
    assert adapter_of(model) is None and base_chain(model) == [model]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda a: (a / CONFIG_NAME).write_text('{"base_model_name_or_path": "/none/base"}'),
            "adapter of '/none/base'",
        ),
        (lambda a: (a / CONFIG_NAME).write_text('{"base_model_name_or_path": "../none/base"}'), "no such folder"),
        (lambda a: (a / CONFIG_NAME).write_text('{"base_model_name_or_path": null}'), "does not say which model"),
        (lambda a: (a / CONFIG_NAME).write_text('{"peft_type": "LORA"}'), "does not say which model"),
        (lambda a: (a / CONFIG_NAME).write_text("[1]"), "does not say which model"),
        (lambda a: (a / CONFIG_NAME).write_text('{"base'), "does not say which model"),
        (lambda a: (a / CONFIG_NAME).write_text("[" * 100_000), "does not say which model"),
        (lambda a: (a / WEIGHTS_NAME).rename(a / "adapter_model.bin"), f"no {WEIGHTS_NAME}"),
        (lambda a: (a / "model-00001.safetensors").write_bytes(b"x"), "both a whole model and an adapter"),
        (lambda a: (a / CONFIG_NAME).write_text(json.dumps({"base_model_name_or_path": str(a)})), "itself an adapter"),
        (lambda a: shutil.rmtree(a.parent / "base"), "adapter of '../base'"),
        (lambda a: (a.parent / "base" / "config.json").unlink(), "adapts, has no config.json"),
    ],
)
def test_an_adapter_that_cannot_be_used_is_told_of_by_its_folder(tmp_path, change, told):
    whole_folder(tmp_path / "base")
    adapter = adapter_folder(tmp_path / "adapter", "../base")
    checked_model_folder(str(adapter))
    change(adapter)
    with pytest.raises(ConfigError, match=told) as raised:
        checked_model_folder(str(adapter))
    assert str(adapter) in str(raised.value) and "\n" not in str(raised.value)


def test_the_dialect_is_that_of_the_adapter_and_else_of_its_base(tmp_path):
    own = '{"version": 1, "dialect": "qwen3-vl"}'
    assert convention_of(str(adapter_folder(tmp_path / "own", pixel_env=own))).dialect == "qwen3-vl"
    adapter_folder(tmp_path / "none")
    on_none = adapter_folder(tmp_path / "on_none", "../none")
    assert convention_of(str(on_none)).dialect == convention_of("tiny-base").dialect == "tiny"
    whole_folder(tmp_path / "base")
    assert convention_of(str(adapter_folder(tmp_path / "unknown", "../base"))) is None


def test_the_hash_of_an_adapter_is_another_one_of_another_base_or_of_other_weights(tmp_path):
    adapter = adapter_folder(tmp_path / "a")
    found = {weights_hash(str(adapter)), weights_hash("tiny-base")}
    for base in ("tiny-warm", "one/base", "other/base"):
        (adapter / CONFIG_NAME).write_text(json.dumps({"base_model_name_or_path": base}))
        found.add(weights_hash(str(adapter)))
    (adapter / WEIGHTS_NAME).write_bytes(b"trained on")
    assert len(found | {weights_hash(str(adapter))}) == 6
    assert revision_of(str(adapter_folder(tmp_path / "b"))) is None
