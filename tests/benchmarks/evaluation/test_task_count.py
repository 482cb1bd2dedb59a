"""An evaluation of the first tasks goes on with more of them, and with the episodes that it has."""

import json

import pytest
from PIL import Image

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from benchmarks.evaluation import evaluate as command
from benchmarks.evaluation.evaluate import main
from benchmarks.evaluation.policies import LEARNED_ZOOM
from benchmarks.evaluation.records import ROWS
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError
from tests.benchmarks.evaluation.mortal_engine import Killed

CHAT = PlainChat(dialect_named("tiny"))


@pytest.fixture
def play(tmp_path, monkeypatch):
    """Runs the command on the first of eight questions; gives the task ids of the episodes that were asked for."""
    Image.new("RGB", (448, 448), "red").save(tmp_path / "red.png")
    shared = {"question": "Which?", "image": "red.png", "options": ["red", "green", "blue"], "answer": "red"}
    tasks = tmp_path / "tasks.jsonl"
    tasks.write_text("".join(f"{json.dumps({'id': f'q{n}', **shared})}\n" for n in range(8)), encoding="utf-8")

    def play(count, *more, folder="run", killed_at=None):
        asked = []

        def answer(conversation):
            if len(asked) == killed_at:
                raise Killed
            asked.append(conversation)
            return f"<answer>{'ABC'[conversation.request.seed % 3]}"

        engine = ScriptedEngine(answer, CHAT)
        monkeypatch.setattr(command, "engine_of", lambda plan: (engine, CHAT))
        words = ["--model", "none", "--dialect", "tiny", "--tasks", str(tasks), "--policies", LEARNED_ZOOM]
        words += ["--samples", "2", "--max_batch", "1", "--output_dir", str(tmp_path / folder)]
        words += [] if count is None else ["--task_count", str(count)]
        assert main([*words, *more]) == 0
        return len(asked)

    return play


def rows_in(folder):
    return [json.loads(line) for line in (folder / ROWS).read_text(encoding="utf-8").splitlines()]


def key(row):
    return row["task_id"], row["policy"], -1 if row["sample"] is None else row["sample"]


def test_a_raised_count_plays_the_others_only_and_ends_as_a_direct_run(play, tmp_path):
    assert play(4) == 12
    kept = rows_in(tmp_path / "run")
    assert play(8) == 12 and play(8) == 0
    raised = rows_in(tmp_path / "run")
    assert raised[:12] == kept
    assert play(8, folder="direct") == 24
    assert sorted(raised, key=key) == sorted(rows_in(tmp_path / "direct"), key=key)
    assert len({row["answer"] for row in raised}) > 1 and len({row["prompt"]["question"] for row in raised}) > 1
    assert json.loads((tmp_path / "run" / "configuration.json").read_text())["task_count"] == 8
    figures = [(tmp_path / name / "metrics.json").read_bytes() for name in ("run", "direct")]
    assert figures[0] == figures[1]


def test_all_tasks_are_more_than_any_number(play):
    assert play(3) == 9 and play(None) == 15 and play(8) == 0


def test_a_raised_run_that_was_killed_goes_on(play, tmp_path):
    play(4)
    with pytest.raises(Killed):
        play(8, killed_at=9)
    held = len(rows_in(tmp_path / "run"))
    assert 12 <= held <= 21
    assert play(8) >= 24 - held
    assert play(8, folder="direct") == 24
    assert sorted(rows_in(tmp_path / "run"), key=key) == sorted(rows_in(tmp_path / "direct"), key=key)


@pytest.mark.parametrize("before", [8, None])
def test_a_lowered_count_is_refused_before_a_model_is_loaded_and_changes_nothing(play, tmp_path, monkeypatch, before):
    play(before)
    configuration = (tmp_path / "run" / "configuration.json").read_text()
    engines = []
    monkeypatch.setattr(command, "engine_of", engines.append)
    wanted = (
        rf"started with --task_count {before}, and holds answers to 4 questions that --task_count 4 leaves out.*'q4'"
    )
    with pytest.raises(ConfigError, match=wanted):
        main([
            *("--model", "none", "--dialect", "tiny", "--tasks", str(tmp_path / "tasks.jsonl"), "--samples", "2"),
            *("--policies", LEARNED_ZOOM, "--max_batch", "1", "--output_dir", str(tmp_path / "run")),
            *("--task_count", "4"),
        ])  # fmt: skip
    assert engines == [] and (tmp_path / "run" / "configuration.json").read_text() == configuration
    assert play(before) == 0


def test_the_shards_of_a_raised_run_are_raised_and_taken_over(play, tmp_path):
    assert [play(4, "--shard", f"{number}/2") for number in (1, 2)] == [6, 6]
    assert play(4) == 0
    assert play(8, "--shard", "1/2") == 6
    assert play(8) == 6
    assert len(rows_in(tmp_path / "run")) == 24
