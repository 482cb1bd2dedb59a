"""What the whole evaluation takes over from its shards."""

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

CHAT = PlainChat(dialect_named("tiny"))


@pytest.fixture
def play(tmp_path, monkeypatch):
    """Runs the command on four questions with further words; gives how many turns the engine was asked for."""
    Image.new("RGB", (448, 448), "red").save(tmp_path / "red.png")
    rows = [{"id": f"q{n}", "question": "Which?", "image": "red.png", "answer": "red"} for n in range(4)]
    tasks = tmp_path / "tasks.jsonl"
    tasks.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")

    def play(*more):
        asked = []
        engine = ScriptedEngine(lambda conversation: asked.append(conversation) or "<answer>red", CHAT)
        monkeypatch.setattr(command, "engine_of", lambda plan: (engine, CHAT))
        shared = ["--model", "none", "--dialect", "tiny", "--tasks", str(tasks), "--policies", LEARNED_ZOOM]
        assert main([*shared, "--output_dir", str(tmp_path / "run"), *more]) == 0
        return len(asked)

    return play


def test_an_episode_of_a_shard_that_broke_is_played_again_by_the_whole_run(play, tmp_path):
    assert [play("--shard", f"{number}/2") for number in (1, 2)] == [2, 2]
    place = tmp_path / "run" / "shard-1-of-2" / ROWS
    first, *others = map(json.loads, place.read_text(encoding="utf-8").splitlines())
    broken = first | {"stop": "failed", "reward": 0.0, "answer": None, "error": "the engine died"}
    place.write_text("".join(f"{json.dumps(row)}\n" for row in (broken, *others)), encoding="utf-8")
    assert play() == 1
    rows = [json.loads(line) for line in (tmp_path / "run" / ROWS).read_text(encoding="utf-8").splitlines()]
    assert {row["task_id"] for row in rows} == {"q0", "q1", "q2", "q3"} and len(rows) == 4
    assert {row["stop"] for row in rows} == {"answered"}
