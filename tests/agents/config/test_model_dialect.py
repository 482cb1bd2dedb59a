"""Which dialect a command plays in, if none is named: the one that the model was taught, never a silent guess."""

import json
import re

import pytest
from PIL import Image

from agents.chat.plain import PlainChat
from agents.checkpoints.conventions import (
    DIALECT_OF_MODEL_TYPE,
    FILE_NAME,
    Convention,
    convention_of,
    write_convention,
)
from agents.checkpoints.names import CHECKPOINTS, checkpoint_path
from agents.engines.scripted import ScriptedEngine, in_turn
from benchmarks.ask import command as ask
from benchmarks.evaluation import evaluate
from benchmarks.evaluation.records import read_evaluation
from pixel_env.cli import main
from pixel_env.dialects.dialect import view_budgets
from pixel_env.dialects.table import DIALECTS
from pixel_env.errors import ConfigError
from pixel_env.media.sizes import shown_size
from pixel_env.types import Limits

SMALL = view_budgets(*[(56 * 56, 112 * 112)] * 4, factor=28)


@pytest.fixture(autouse=True)
def scripted(monkeypatch):
    """Whatever the model, it answers "red" in a box; returns the dialects that engines were made for."""
    made = []

    def engine(dialect):
        made.append(dialect)
        chat = PlainChat(dialect)
        return ScriptedEngine(in_turn(r"\boxed{red}"), chat), chat

    monkeypatch.setattr(evaluate, "engine_of", lambda plan: engine(plan.settings.dialect))
    monkeypatch.setattr(ask, "engine_chosen", lambda choice, dialect: engine(dialect))
    return made


@pytest.fixture
def photo(tmp_path):
    Image.new("RGB", (2400, 1600), "red").save(tmp_path / "photo.png")
    row = {"id": "a", "question": "Which colour?", "image": "photo.png", "answer": "red"}
    (tmp_path / "tasks.jsonl").write_text(json.dumps(row) + "\n")
    return tmp_path / "photo.png"


def model_of(tmp_path, model_type="qwen2_5_vl", convention=None, name="model"):
    folder = tmp_path / name
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    if convention is not None:
        write_convention(folder, convention)
    return folder


def evaluated(photo, model, *flags):
    """The exit code of an evaluation on the photo, and its folder."""
    folder = photo.parent / "run"
    words = ["--tasks", str(photo.parent / "tasks.jsonl"), "--policies", "learned_zoom", "--output_dir", str(folder)]
    return main(["eval", "--model", str(model), *words, *flags]), folder


def recorded(folder):
    return json.loads((folder / "configuration.json").read_text(encoding="utf-8"))


# ------------------------------------------------------------------------------------------------- by the model's type


@pytest.mark.parametrize("model_type", [*DIALECT_OF_MODEL_TYPE, "qwen3_vl_moe"])
def test_a_model_with_nothing_beside_it_plays_in_the_dialect_of_its_family_and_it_is_said_why(
    photo, model_type, capsys
):
    name = {
        "qwen2_5_vl": "qwen2.5-vl",
        "qwen3_vl": "qwen3-vl",
        "qwen3_vl_moe": "qwen3-vl",
        "qwen3_5": "qwen3.5",
        "glm4v": "glm-4.5v",
    }[model_type]
    model = model_of(photo.parent, model_type)
    code, folder = evaluated(photo, model)
    told = capsys.readouterr()
    assert code == 0 and recorded(folder)["dialect"] == name
    assert f"Dialect {name}: nothing is recorded with '{model}', and its model_type is '{model_type}'" in told.err
    assert "1.000" in told.out
    [record] = read_evaluation(folder).records
    width, height = shown_size(record.trajectory.prompt_views[0], read_evaluation(folder).budgets)
    assert width > 1000 and height > 1000  # not 64x48, as the embedded model is shown it


def test_every_family_of_the_table_has_a_dialect_of_the_table():
    assert set(DIALECT_OF_MODEL_TYPE.values()) <= set(DIALECTS)


def test_a_question_is_asked_in_the_dialect_of_the_model(photo, scripted, capsys):
    model, page = model_of(photo.parent), photo.parent / "page.html"
    assert main(["ask", str(photo), "Which colour?", "--model", str(model), "--output", str(page)]) == 0
    told = capsys.readouterr()
    assert "Dialect qwen2.5-vl: nothing is recorded" in told.err and "shown at 64x48" not in told.out
    assert [dialect.name for dialect in scripted] == ["qwen2.5-vl"]
    assert "qwen2.5-vl" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["eval", "ask", "sft", "grpo"])
def test_a_family_that_nobody_knows_is_refused_with_the_names_that_can_be_given(photo, command, capsys):
    model = model_of(photo.parent, "llava")
    words = {
        "eval": ["--model", str(model), "--output_dir", str(photo.parent / "run")],
        "ask": [str(photo), "Which?", "--model", str(model), "--output", str(photo.parent / "page.html")],
    }
    trained = ["--model_name_or_path", str(model), "--use_cpu", "true", "--output_dir", str(photo.parent / "run")]
    trained += ["--tasks", "sample:vstar-tiny", *(["--traces", "m:traces"] if command == "sft" else [])]
    assert main([command, *words.get(command, trained)]) == 2
    told = capsys.readouterr().err
    assert "its model_type is 'llava'" in told and "Give --dialect: default, qwen2.5-vl" in told
    assert not (photo.parent / "run").exists()


def test_a_folder_that_does_not_say_its_type_is_refused(photo, capsys):
    model = model_of(photo.parent)
    (model / "config.json").write_text("{")
    code, _ = evaluated(photo, model)
    assert code == 2 and "the model_type in its config.json cannot be read" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------- by what is kept beside it


def test_what_is_kept_beside_a_checkpoint_is_taken_dialect_pixels_limits_and_prompt(photo, scripted, capsys):
    convention = Convention("released:vcot", SMALL, Limits(2, 3, 4000), "\n\nSay it in \\boxed{}.")
    model = model_of(photo.parent, convention=convention)
    code, folder = evaluated(photo, model)
    kept = recorded(folder)
    assert code == 0 and kept["dialect"] == "released:vcot"
    assert [kept[name] for name in ("max_turns", "max_images", "max_tokens")] == [2, 3, 4000]
    assert kept["pixel_budgets"] == SMALL.to_row() and read_evaluation(folder).budgets == SMALL
    assert kept["prompts"]["question"].endswith("Say it in \\boxed{{}}.") and kept["prompt_sha256"]
    told = capsys.readouterr().err
    assert f"dialect and pixel budgets of {model}, by {model / FILE_NAME}" in told
    assert "Limits as in training: max_turns 2, max_images 3, max_tokens 4000" in told


def test_flags_go_before_what_is_kept(photo, capsys):
    convention = Convention("released", SMALL, Limits(2, 3, 4000), "\n\nSay it in \\boxed{}.")
    (photo.parent / "own.txt").write_text(" Think.")
    flags = ["--max_turns", "5", "--prompt_file", str(photo.parent / "own.txt")]
    code, folder = evaluated(photo, model_of(photo.parent, convention=convention), *flags)
    kept = recorded(folder)
    assert (code, kept["max_turns"], kept["max_images"]) == (0, 5, 3)
    assert kept["prompts"]["question"] == "{question} Think."
    assert "max_turns" not in capsys.readouterr().err


def test_the_dialect_that_is_kept_may_be_named_and_changes_nothing(photo, capsys):
    model = model_of(photo.parent, convention=Convention("released", SMALL))
    code, folder = evaluated(photo, model, "--dialect", "released")
    assert code == 0 and recorded(folder)["pixel_budgets"] == SMALL.to_row()
    assert "released" not in capsys.readouterr().err


def test_another_dialect_than_the_models_is_played_and_warned_of_naming_both(photo, capsys):
    model = model_of(photo.parent, convention=Convention("released", SMALL))
    code, folder = evaluated(photo, model, "--dialect", "qwen2.5-vl")
    told = capsys.readouterr().err
    assert code == 0 and recorded(folder)["dialect"] == "qwen2.5-vl"
    assert recorded(folder)["pixel_budgets"] == DIALECTS["qwen2.5-vl"].budgets.to_row()
    assert f"--dialect is 'qwen2.5-vl', but {model} was taught 'released' ({model / FILE_NAME})" in told


@pytest.mark.parametrize(("kept", "name"), [("released:vcot", "released:vcot+rotate"), (None, "qwen2.5-vl+rotate")])
def test_further_operations_are_added_to_the_models_dialect(photo, kept, name, capsys):
    model = model_of(photo.parent, convention=kept and Convention(kept, SMALL))
    code, folder = evaluated(photo, model, "--operations", "rotate")
    assert code == 0 and recorded(folder)["dialect"] == name
    assert '"rotate"' in recorded(folder)["prompts"]["system"]
    assert recorded(folder)["pixel_budgets"] == (SMALL if kept else DIALECTS["qwen2.5-vl"].budgets).to_row()


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_an_embedded_model_and_a_copy_of_its_folder_have_their_dialect(photo, name, capsys):
    for model in (name, checkpoint_path(name)):
        code, folder = evaluated(photo, model, "--output_dir", str(photo.parent / f"of_{len(str(model))}"))
        folder = photo.parent / f"of_{len(str(model))}"
        assert code == 0 and recorded(folder)["dialect"] == "tiny" and "Dialect tiny:" in capsys.readouterr().err


def test_a_run_that_kept_only_its_configuration_says_the_dialect_of_its_checkpoints(photo, capsys):
    run = model_of(photo.parent, name="grpo")
    (run / "configuration.json").write_text('{"dialect": "released:vcot", "learning_rate": 0.1}')
    model_of(run, name="checkpoint-20")
    for model in (run, run / "checkpoint-20"):
        code, folder = evaluated(photo, model)
        assert code == 0 and recorded(folder)["dialect"] == "released:vcot"
        assert str(run / "configuration.json") in capsys.readouterr().err
        (folder / "configuration.json").unlink()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ("[" * 100_000, "cannot be read (RecursionError"),
        ('{"version": 1, "dialect": "tiny", "limits": {"max_turns": null}}', "max_turns must be at least 1"),
        ('{"version": 9, "dialect": "tiny"}', "of version 9"),
        ('{"version": 1}', "KeyError"),
        ('{"version": 1, "dialect": 7}', "wanted: its name"),
        ('{"version": 1, "dialect": "tiny", "budgets": {"original": 3}}', "cannot be read"),
        ('{"version": 1, "dialect": "nobodys"}', "names the dialect 'nobodys', which cannot be used"),
    ],
)
def test_a_broken_file_is_named_with_the_way_out(photo, text, told, capsys):
    model = model_of(photo.parent)
    (model / FILE_NAME).write_text(text)
    code, _ = evaluated(photo, model)
    error = capsys.readouterr().err
    assert code == 2 and told in error and str(model / FILE_NAME) in error and "--dialect" in error


# ---------------------------------------------------------------------------------------------- engines without weights


@pytest.mark.parametrize("flags", [(), ("--operations", "rotate")])
def test_at_an_endpoint_the_dialect_has_to_be_named(photo, flags, monkeypatch, capsys):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    far = ["--engine", "endpoint", "--base_url", "http://127.0.0.1:9/v1", *flags]
    code, folder = evaluated(photo, "its-name", *far)
    told = capsys.readouterr().err
    assert code == 2 and "The engine 'endpoint' knows 'its-name' by name only" in told and "Give --dialect" in told
    asked = ["ask", str(photo), "Which?", "--model", "its-name", "--output", str(photo.parent / "page.html"), *far]
    assert main(asked) == 2 and "Give --dialect" in capsys.readouterr().err
    assert not folder.exists()
    assert evaluated(photo, "its-name", *far, "--dialect", "default")[0] == 0


def test_a_player_without_a_model_can_use_any_and_says_which(photo, capsys):
    code, folder = evaluated(photo, "oracle", "--engine", "scripted", "--policies", "no_zoom")
    assert code == 0 and recorded(folder)["dialect"] == "default"
    assert "Dialect default: the player 'oracle' can use any" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------ of the hub


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A repository of the hub, as a folder that files are fetched from."""
    folder = tmp_path / "hub"
    folder.mkdir()

    def fetched(model, name):
        if model != "someone/model" or not (folder / name).is_file():
            raise FileNotFoundError(name)
        return str(folder / name)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fetched)
    return folder


@pytest.mark.parametrize("name", ["my.yaml:notool", "stolen:ROW"])
def test_a_repository_that_names_a_file_or_a_module_is_never_given_one_of_this_machine(
    hub, name, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.yaml").write_text("base: tiny\n")
    (tmp_path / "stolen.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    (hub / FILE_NAME).write_text(json.dumps({"version": 1, "dialect": name}))
    message = f"someone/model was taught in the dialect {name!r}, and its repository has no dialect.yaml"
    with pytest.raises(ConfigError, match=re.escape(message)):
        convention_of("someone/model")
    (hub / "dialect.yaml").write_text("base: default:notool\n")
    convention = convention_of("someone/model")
    assert convention is not None and not convention.value().offers_calls


def test_a_repository_names_a_row_of_the_table(hub):
    (hub / FILE_NAME).write_text('{"version": 1, "dialect": "released:vcot"}')
    assert convention_of("someone/model").value().name == "released:vcot"
    (hub / FILE_NAME).write_text('{"version": 1, "dialect": "of-a-newer-release"}')
    with pytest.raises(ConfigError, match="No dialect named 'of-a-newer-release'"):
        convention_of("someone/model").value()
