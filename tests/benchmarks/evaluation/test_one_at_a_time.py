"""Of two evaluations of one folder at a time the second is refused by name, and no row is lost or played twice."""

import json
import os
import signal
import subprocess
import sys

import pytest
from PIL import Image

from agents.run_folder.configuration import FILE_NAME
from benchmarks.evaluation.policies import LEARNED_ZOOM
from benchmarks.evaluation.records import ROWS, read_evaluation
from pixel_env.cli import main
from pixel_env.locks import LOCK_NAME
from tests.waiting import until

SLOWLY = """
import os, sys, time
from pathlib import Path
from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from benchmarks.evaluation import evaluate
from pixel_env.cli import main

answered = []

def answer(conversation):
    answered.append(conversation)
    while len(answered) > int(os.environ["ANSWERS"]) and not Path(os.environ["GO"]).exists():
        time.sleep(0.02)
    return "\\\\boxed{red}"

def engine_of(plan):
    chat = PlainChat(plan.settings.dialect)
    return ScriptedEngine(answer, chat), chat

evaluate.engine_of = engine_of
evaluate.played_by_oracle = lambda policy, settings: policy
sys.exit(main(sys.argv[1:]))
"""
"""Answers so many greedy requests as there are, and then waits with the sampled ones until there is a file GO."""
COUNT = 12


@pytest.fixture
def tasks(tmp_path):
    Image.new("RGB", (448, 448), "red").save(tmp_path / "red.png")
    evidence = [{"image": 0, "box": [0.4, 0.4, 0.6, 0.6]}]
    rows = [
        {"id": f"q{n}", "question": "Which?", "image": "red.png", "answer": "red", "evidence": evidence}
        for n in range(COUNT)
    ]
    (tmp_path / "tasks.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return tmp_path / "tasks.jsonl"


def words(tasks, *more):
    shared = ["eval", "--engine", "scripted", "--model", "oracle", "--dialect", "default", "--tasks", str(tasks)]
    return [*shared, "--policies", LEARNED_ZOOM, "--output_dir", str(tasks.parent / "run"), *more]


@pytest.fixture
def playing(tasks):
    """Starts an evaluation in another process, and returns when it has played some questions and waits."""
    processes = []

    def start(*more, folder="run", answers=COUNT):
        command = [sys.executable, "-c", SLOWLY, *words(tasks, "--samples", "1", *more)]
        environment = {**os.environ, "GO": str(tasks.parent / "go"), "ANSWERS": str(answers)}
        processes.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
        rows = tasks.parent / folder / ROWS
        until(lambda: (rows.exists() and rows.stat().st_size) or processes[-1].poll() is not None)
        assert processes[-1].poll() is None
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def keys(folder):
    rows = [json.loads(line) for line in (folder / ROWS).read_text().splitlines()]
    return [(row["policy"], row["task_id"], row["sample"]) for row in rows]


def test_the_second_evaluation_of_a_folder_is_refused_by_name_and_the_first_is_not_disturbed(tasks, playing, capsys):
    first = playing()
    configuration = (tasks.parent / "run" / FILE_NAME).read_bytes()
    assert main(words(tasks, "--samples", "1")) == 2
    told = capsys.readouterr().err
    for text in (str(tasks.parent / "run"), f"process {first.pid} on ", "since", "Wait until", "another folder"):
        assert text in told
    assert main(words(tasks, "--seed", "1")) == 2  # not even another configuration is looked at
    assert f"process {first.pid} on " in capsys.readouterr().err
    (tasks.parent / "go").touch()
    assert first.wait(timeout=300) == 0
    assert (tasks.parent / "run" / FILE_NAME).read_bytes() == configuration
    found = keys(tasks.parent / "run")
    assert len(found) == len(set(found)) == 2 * COUNT
    assert not (tasks.parent / "run" / LOCK_NAME).exists()


def test_a_killed_evaluation_leaves_the_folder_to_the_next_which_plays_what_is_missing(tasks, playing):
    first = playing()
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = keys(tasks.parent / "run")
    assert 0 < len(before) < 2 * COUNT
    assert main(words(tasks, "--samples", "1")) == 0
    after = keys(tasks.parent / "run")
    assert after[: len(before)] == before and len(after) == len(set(after)) == 2 * COUNT


def test_an_evaluation_that_is_running_can_be_read_and_viewed(tasks, playing, tmp_path):
    first = playing()
    assert 0 < len(read_evaluation(tasks.parent / "run").records) < 2 * COUNT
    assert main(["view", str(tasks.parent / "run"), "--limit", "1", "--output", str(tmp_path / "page.html")]) == 0
    assert main(["compare", str(tasks.parent / "run"), str(tasks.parent / "run")]) == 0
    (tasks.parent / "go").touch()
    assert first.wait(timeout=300) == 0
    assert len(keys(tasks.parent / "run")) == 2 * COUNT


def test_shards_run_beside_each_other_and_the_whole_waits_for_them_by_name(tasks, playing, capsys):
    one, two = (
        playing("--shard", f"{number}/2", folder=f"run/shard-{number}-of-2", answers=COUNT // 2) for number in (1, 2)
    )
    assert main(words(tasks, "--samples", "1")) == 2
    told = capsys.readouterr().err
    assert "shard-1-of-2 is in use" in told and f"process {one.pid} on " in told
    (tasks.parent / "go").touch()
    assert (one.wait(timeout=300), two.wait(timeout=300)) == (0, 0)
    assert main(words(tasks, "--samples", "1")) == 0
    found = keys(tasks.parent / "run")
    assert len(found) == len(set(found)) == 2 * COUNT
