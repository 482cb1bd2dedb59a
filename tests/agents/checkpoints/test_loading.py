import shutil

import pytest

from agents.checkpoints.loading import loading
from agents.checkpoints.names import model_folder
from agents.engines.choice import EngineChoice, engine_chosen
from pixel_env.cli import main as command
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError, MissingExtraError


def broken(folder, kind):
    """A checkpoint with something wrong; the name to load it by, and the dtype."""
    if kind == "dtype":
        return "tiny-base", "flaot32"
    if kind == "unknown type":
        folder.mkdir()
        (folder / "config.json").write_text('{"model_type": "nope"}', encoding="utf-8")
        return str(folder), "float32"
    shutil.copytree(model_folder("tiny-base"), folder)
    weights = folder / "model.safetensors"
    if kind == "cut weights":
        weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    elif kind == "no weights":
        weights.unlink()
    else:
        (folder / "config.json").write_text('{"model_type":', encoding="utf-8")
    return str(folder), "float32"


KINDS = ["unknown type", "cut weights", "no weights", "broken configuration", "dtype"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_an_engine_cannot_load_is_told_of_by_its_name(tmp_path, kind):
    model, dtype = broken(tmp_path / "model", kind)
    choice = EngineChoice("transformers", model=model, dtype=dtype)
    with pytest.raises(ConfigError, match=r"The model '.*' cannot be loaded: .*Give the folder of a whole checkpoint"):
        engine_chosen(choice, dialect_named("tiny"))


@pytest.mark.parametrize("kind", [*KINDS[:-1], "no folder"])
def test_so_is_one_that_is_to_be_trained(tmp_path, kind, capsys):
    model, dtype = broken(tmp_path / "model", kind) if kind != "no folder" else ("/none/such/model", "float32")
    flags = ["--model_name_or_path", model, "--dtype", dtype, "--dialect", "tiny", "--task_count", "4"]
    flags += ["--output_dir", str(tmp_path / "run"), "--use_cpu", "true", "--held_out", "0"]
    flags += ["--traces", "synth.warm_starts.templates:single_pass_traces", "--tasks", "sample:vstar-tiny"]
    assert command(["sft", *flags]) == 2
    told = "there is no checkpoint folder /none/such/model" if kind == "no folder" else "cannot be loaded"
    assert told in capsys.readouterr().err


def test_adapters_of_layers_that_the_model_lacks_are_refused(tmp_path, capsys):
    flags = ["--model_name_or_path", "tiny-base", "--dialect", "tiny", "--task_count", "4", "--held_out", "0"]
    flags += ["--use_peft", "true", "--lora_target_modules", "no_such_layer", "--use_cpu", "true"]
    assert command(["sft", *flags, "--output_dir", str(tmp_path / "run")]) == 2
    told = capsys.readouterr().err
    assert "cannot be given these adapters" in told and "no_such_layer" in told and "Traceback" not in told


def test_an_error_that_is_not_about_loading_passes():
    for error in (ValueError("else"), MissingExtraError("extra")):
        with pytest.raises(type(error)), loading("model"):
            raise error
