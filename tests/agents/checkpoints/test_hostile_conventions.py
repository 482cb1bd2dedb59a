"""`pixel_env.json` and `dialect.yaml` of a model's folder that are broken, or made by somebody who means harm."""

import json
import os

import pytest

from agents.checkpoints.adapters import adapter_of
from agents.config.model_dialect import dialect_of_model
from pixel_env.errors import PixelEnvError

ROW = {"version": 1, "dialect": "tiny", "budgets": None, "limits": None, "prompt": None}
KINDS = ("original", "crop", "video_frame", "selected_frame")
ALIASES = "a: &a [x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True)
)


def budgets(**budget):
    return {"budgets": dict.fromkeys(KINDS, budget)}


FIELDS = {
    "limits of texts": {"limits": {"max_turns": "x"}},
    "limits that are NaN": {"limits": {"max_turns": float("nan")}},
    "limits below one": {"limits": {"max_turns": -3}},
    "limits of a list": {"limits": [1]},
    "unknown limits": {"limits": {"a": 1}},
    "a dialect of a list": {"dialect": ["tiny"]},
    "a dialect of an object": {"dialect": {}},
    "no name of a dialect": {"dialect": ""},
    "a dialect of a million characters": {"dialect": "a" * 10**6},
    "a dialect with a null character": {"dialect": "a\0b.yaml"},
    "a dialect of two lines": {"dialect": "a\nb:c"},
    "a dialect elsewhere": {"dialect": "/etc/passwd.yaml"},
    "a dialect above": {"dialect": "../../x.yaml"},
    "budgets of a text": {"budgets": "x"},
    "budgets of texts": budgets(min_pixels="a", max_pixels="b"),
    "budgets that are NaN": budgets(min_pixels=1, max_pixels=float("nan")),
    "budgets of half a token": budgets(min_pixels=1, max_pixels=2, factor=1.5),
    "a prompt of a number": {"prompt": 7},
    "a prompt of a list": {"prompt": []},
    "a version of a list": {"version": [1]},
}
FILES = {
    "a list": b"[]",
    "a number": b"7",
    "nothing": b"",
    "binary": bytes(range(256)),
    "deeply nested": b"[" * 100_000,
}
DIALECTS = {
    "a list": "[]",
    "nothing": "",
    "deeply nested": "[" * 100_000,
    "aliases that grow": ALIASES,
    "an alias of itself": "base: tiny\nwording: &a {question: *a}\n",
    "an object of Python": "!!python/object/apply:os.system ['true']",
    "a base elsewhere": "base: ../../../etc/passwd.yaml",
    "its own base": "base: dialect.yaml",
    "a call syntax of code": "base: tiny\ncalls: {syntax: 'os:system'}\n",
    "an operation of code": "base: tiny\noperations: ['os:system']\n",
    "stop texts of numbers": "base: tiny\nstop: [1]\n",
    "an infinite budget": "base: tiny\nbudgets: {original: {min_pixels: .inf}}\n",
}


@pytest.fixture
def model(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "qwen3_vl"}')
    return tmp_path


def refused(model):
    with pytest.raises(PixelEnvError) as raised:
        dialect_of_model(None, str(model)).limits(max_turns=None, max_images=None, max_tokens=None)
    message = str(raised.value)
    assert str(model) in message and "\n" not in message and len(message) < 1500, message


@pytest.mark.parametrize("change", FIELDS.values(), ids=FIELDS.keys())
def test_a_broken_field_is_one_line_that_names_the_file(model, change):
    (model / "pixel_env.json").write_text(json.dumps(ROW | change))
    refused(model)


@pytest.mark.parametrize("content", FILES.values(), ids=FILES.keys())
def test_a_file_of_another_kind_is_one_line_that_names_it(model, content):
    (model / "pixel_env.json").write_bytes(content)
    refused(model)


@pytest.mark.parametrize("text", DIALECTS.values(), ids=DIALECTS.keys())
def test_a_broken_dialect_is_one_line_that_names_the_folder(model, text):
    (model / "pixel_env.json").write_text(json.dumps(ROW | {"dialect": "mine.yaml"}))
    (model / "dialect.yaml").write_text(text)
    refused(model)


ADAPTERS = {
    "a list": "[]",
    "nothing": "",
    "deeply nested": "[" * 100_000,
    "no base": "{}",
    "a base of a list": '{"base_model_name_or_path": ["a"]}',
    "a module for PEFT": '{"base_model_name_or_path": "tiny-base", "megatron_config": {}, "megatron_core": "planted"}',
}


@pytest.mark.parametrize("text", ADAPTERS.values(), ids=ADAPTERS.keys())
def test_a_hostile_adapter_is_one_line_that_names_the_file(model, text):
    (model / "adapter_config.json").write_text(text)
    (model / "adapter_model.safetensors").write_bytes(b"")
    with pytest.raises(PixelEnvError, match=f"^{model / 'adapter_config.json'} ") as raised:
        adapter_of(str(model))
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 600


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_not_waited_for(model, make):
    make(model / "pixel_env.json")
    assert dialect_of_model(None, str(model)).name == "qwen3-vl"  # by its model_type
