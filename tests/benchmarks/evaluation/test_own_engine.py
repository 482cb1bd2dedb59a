"""An engine of a user's own, defined outside of the package, on every command with `--engine`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.evaluation.policies import FALSIFIED, NO_ZOOM, POLICIES
from benchmarks.evaluation.records import read_evaluation
from pixel_env.cli import main
from tests.own_engine import SOURCE, own_engine
from tests.paths import ROOT

TASKS = ("--dialect", "tiny", "--tasks", "sample:vstar-tiny", "--task_count", "4", "--max_turns", "3")


def evaluated(folder, *flags, engine="my_engine:ENGINE"):
    return main(["eval", "--engine", engine, "--model", "any-name", *TASKS, "--output_dir", str(folder), *flags])


def test_the_command_plays_it_from_a_folder_that_holds_its_module(tmp_path):
    (tmp_path / "my_engine.py").write_text(SOURCE, encoding="utf-8")
    code = "import sys; from pixel_env.cli import main; code = main(sys.argv[1:]); assert 'torch' not in sys.modules"
    flags = ["eval", "--engine", "my_engine:ENGINE", "--model", "any-name", *TASKS, "--output_dir", "run"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", code, *flags], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "any-name on sample:vstar-tiny (4 questions)" in done.stdout
    evaluation = read_evaluation(tmp_path / "run")
    assert evaluation.policies == list(POLICIES) and len(evaluation.records) == 16
    learned, forbidden = evaluation.of("learned_zoom"), evaluation.of(NO_ZOOM)
    assert all(played.valid_operations and played.answer == "red" for played in learned)
    assert not any(played.operations for played in forbidden)


def test_its_name_its_packages_and_nothing_of_a_checkpoint_are_recorded(folder_of_engine):
    (folder_of_engine / "any-name").mkdir()
    (folder_of_engine / "any-name" / "model.safetensors").write_bytes(b"not what plays")
    assert evaluated("run", "--policies", "learned_zoom") == 0
    kept = json.loads((folder_of_engine / "run" / "configuration.json").read_text(encoding="utf-8"))
    assert (kept["engine"], kept["model"]) == ("my_engine:ENGINE", "any-name")
    assert kept["versions"]["PIL"] == kept["versions"]["pillow"]
    assert (kept["weights"], kept["revision"]) == ("", None)


def test_a_run_with_another_engine_does_not_resume_in_its_folder(folder_of_engine, capsys):
    assert evaluated("run", "--policies", "learned_zoom") == 0
    assert evaluated("run", "--policies", "learned_zoom", engine="my_engine:WEAK") == 2
    assert "engine (was 'my_engine:ENGINE', is 'my_engine:WEAK')" in capsys.readouterr().err


def test_its_shards_together_are_its_whole_run(folder_of_engine, capsys):
    assert evaluated("whole") == 0
    for shard in ("1/2", "2/2"):
        assert evaluated("parts", "--shard", shard) == 0
    assert evaluated("parts") == 0
    whole, parts = read_evaluation(folder_of_engine / "whole"), read_evaluation(folder_of_engine / "parts")
    assert sorted(map(str, (record.key for record in parts.records))) == sorted(
        map(str, (record.key for record in whole.records))
    )


def test_its_run_is_viewed_and_compared_where_nobody_can_import_it(tmp_path, monkeypatch, capsys):
    home = tmp_path / "home"
    home.mkdir()
    with own_engine(home, monkeypatch):
        assert evaluated(tmp_path / "run") == 0 and evaluated(tmp_path / "again", "--seed", "1") == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    sys.path[:] = [entry for entry in sys.path if entry != str(home)]
    with pytest.raises(ModuleNotFoundError):
        __import__("my_engine")
    page = tmp_path / "page.html"
    assert main(["view", str(tmp_path / "run"), "--output", str(page)]) == 0
    assert "my_engine:ENGINE" in page.read_text(encoding="utf-8")
    assert main(["compare", str(tmp_path / "run"), str(tmp_path / "again")]) == 0


# ------------------------------------------------------------------------------------------ refused by capability


def test_one_that_bans_no_tokens_is_refused_the_policy_that_forbids_calls_and_nothing_is_made(folder_of_engine, capsys):
    assert evaluated("run", engine="my_engine:WEAK") == 2
    error = capsys.readouterr().err
    assert "--engine my_engine:WEAK cannot ban tokens" in error
    assert "Give --policies random_zoom learned_zoom oracle_zoom" in error and not (folder_of_engine / "run").exists()
    assert evaluated("run", "--policies", "learned_zoom", "oracle_zoom", engine="my_engine:WEAK") == 0


def test_the_control_crops_of_one_that_bans_no_tokens_leave_that_policy_out_with_a_note(folder_of_engine, capsys):
    assert evaluated("weak", "--ablate", engine="my_engine:WEAK") == 0
    out = capsys.readouterr().out
    assert "no zoom is left out" in out and ":notool" in out
    assert NO_ZOOM not in read_evaluation(folder_of_engine / "weak").policies
    assert evaluated("able", "--ablate") == 0
    assert "is left out" not in capsys.readouterr().out
    assert read_evaluation(folder_of_engine / "able").policies == [*POLICIES, *FALSIFIED]


def test_one_that_takes_no_video_entries_is_refused_the_released_dialects_videos_and_takes_their_frames(
    folder_of_engine, capsys
):
    videos = ("--tasks", "sample:mvbench", "--task_count", "1", "--policies", "learned_zoom")
    assert evaluated("run", *videos, "--dialect", "released", engine="my_engine:WEAK") == 2
    error = capsys.readouterr().err
    assert "does not support a video as one entry of the prompt" in error and "--dialect released:frames" in error
    assert not (folder_of_engine / "run").exists()
    assert evaluated("run", *videos, "--dialect", "released:frames", engine="my_engine:WEAK") == 0
    assert evaluated("entries", *videos, "--dialect", "released") == 0


@pytest.mark.parametrize(
    ("engine", "flags", "told"),
    [
        ("my_engine:FAR", (), "--base_url"),
        ("my_engine:ENGINE", ("--base_url", "http://localhost:1"), "generates without a server"),
        ("my_engine:LOCKED", (), "MY_ENGINE_KEY"),
        ("my_engine:ABSENT", (), "pip install no_such_package"),
        ("my_engine:PLANNER", (), "--max_tokens"),
        ("my_engine:PLAYER", (), "scripted player"),
        ("my_engine:NUMBER", (), "wanted: an EngineSpec"),
        ("no_engine:ENGINE", (), "cannot be loaded"),
        ("scirpted", (), "Did you mean 'scripted'?"),
    ],
)
def test_what_it_lacks_is_said_before_any_task_is_read(folder_of_engine, engine, flags, told, capsys):
    assert evaluated("run", "--tasks", "no/such/tasks.jsonl", *flags, engine=engine) == 2
    error = capsys.readouterr().err
    assert (
        told in error
        and "tasks.jsonl" not in error
        and "Traceback" not in error
        and not (folder_of_engine / "run").exists()
    )


def test_one_without_a_model_plays_what_is_known_of_the_tasks(folder_of_engine, capsys):
    assert evaluated("run", "--model", "oracle", "--policies", "learned_zoom", engine="my_engine:PLAYER") == 0
    assert all(played.reward == 1.0 for played in read_evaluation(folder_of_engine / "run").of("learned_zoom"))


# ------------------------------------------------------------------------------------------------- other commands


def test_it_is_asked_a_question(folder_of_engine, capsys):
    Image.new("RGB", (400, 300), "navy").save("photo.png")
    words = ["ask", "photo.png", "Which colour?", "--dialect", "tiny", "--model", "any-name", "--output", "page.html"]
    assert main([*words, "--engine", "my_engine:ENGINE"]) == 0
    out = capsys.readouterr().out
    assert "Turn 1: <crop> 4 4 8 8" in out and "Answer: red" in out
    assert "my_engine:ENGINE" in Path("page.html").read_text(encoding="utf-8")
    for engine, told in (
        ("my_engine:PLAYER", "has no model"),
        ("my_engine:FAR", "--base_url"),
        ("scripted", "pixel-env ask needs one"),
    ):
        assert main([*words, "--engine", engine]) == 2
        assert told in capsys.readouterr().err


def test_it_is_the_student_of_a_synthesis(folder_of_engine, capsys):
    words = ["synth", "--count", "2", "--workers", "1", "--seeds", "sample:vstar-tiny", "--media", "image=1"]
    words += ["--dialect", "tiny", "--student", "any-name", "--max_turns", "3"]
    for engine in ("my_engine:ENGINE", "my_engine:WEAK"):
        assert main([*words, "--engine", engine, "--out", engine.partition(":")[2]]) == 0
    assert main([*words, "--engine", "my_engine:PLAYER", "--out", "none"]) == 2
    assert "has no model" in capsys.readouterr().err and not (folder_of_engine / "none").exists()
