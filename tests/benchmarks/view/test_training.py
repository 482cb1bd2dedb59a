import json
import re

import pytest

from agents.run_log.rollouts import ROLLOUTS, RolloutLog, Scored
from benchmarks.view.command import main
from benchmarks.view.page import read_run
from pixel_env.env import PixelEnv
from pixel_env.errors import ConfigError, PixelEnvError
from pixel_env.tasks import load_tasks

CONFIGURATION = {"tasks": "sample:vstar-tiny", "task_count": 4, "eval_tasks": "sample:vstar-tiny", "eval_task_count": 2}
CONFIGURATION |= {"grader": None, "follow_links": False, "media_root": None, "dialect": "tiny"}
PARTS = {"correctness": 0.0, "curiosity": 0.125}
WEIGHTS = {"correctness": 1.0, "curiosity": 0.5, "group_reward": 1.0, "letters": 2.0}


def played(task, *turns):
    env = PixelEnv([task], dialect="tiny")
    env.reset(seed=0)
    for turn in turns:
        env.step(turn)
    return env.trajectory


def scored(use, advantage=0.25):
    functions = {"group_reward": 0.0625, "letters": 0.25}
    total = None if use in ("replayed", "failed") else 0.5625
    return Scored(use, total, advantage, functions, PARTS, WEIGHTS, prompt_tokens=34, runs=(6, 75, 3), loss_tokens=9)


@pytest.fixture
def run(tmp_path):
    """Two groups of two rollouts at step 1, one of which is replayed at step 10, and held-out ones at step 10."""
    (tmp_path / "configuration.json").write_text(json.dumps(CONFIGURATION))
    trained, held_out = (load_tasks("sample:vstar-tiny", split=split, count=2).tasks for split in ("train", "test"))
    log = RolloutLog(tmp_path, 10, 2)
    looks, guesses = ("<crop> 0 0 8 8", "<answer>7"), ("<answer>7",)
    groups = [played(task, *turns) for task in trained for turns in (looks, guesses)]
    log.keep("train", 1, groups, [scored("trained"), scored("filtered", 0.0)] * 2, 2)
    log.keep("train", 10, [*groups[:2], groups[2]], [scored("filtered", 0.0)] * 2 + [scored("replayed")], 2)
    log.keep("eval", 10, [played(held_out[0], *looks)] * 2, [scored("played")] * 2, 2)
    return tmp_path


def data_of(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page.read_text(), re.S)[1])


def test_the_rollouts_of_a_training_are_shown_with_their_steps_and_what_the_update_did(run):
    assert main([str(run)]) == 0
    data = data_of(run / "view.html")
    shown = [
        (row["training"]["step"], row["training"]["played"], row["training"]["use"]) for row in data["trajectories"]
    ]
    assert sorted(shown) == sorted(
        [(1, "training", "trained"), (1, "training", "filtered")] * 2
        + [(10, "training", "filtered")] * 2
        + [(10, "replayed", "replayed"), *[(10, "held-out", "played")] * 2]
    )
    assert len({row["id"] for row in data["trajectories"]}) == 9
    assert data["parts"] == ["correctness", "curiosity", "letters"]
    first = data["trajectories"][0]
    assert first["parts"] == {**PARTS, "letters": 0.25} and first["weights"]["curiosity"] == 0.5
    assert first["total"] == 0.5625 and first["advantage"] == 0.25
    assert first["training"]["tokens"] == "34 of the prompt, 84 after it; 9 sampled, 9 in the loss"


def test_a_summary_has_the_figures_of_each_step(run):
    main([str(run)])
    figures = data_of(run / "view.html")["runs"][0]["figures"]
    assert [row["policy"] for row in figures] == [
        "training, step 1",
        "training, step 10",
        "replayed, step 10",
        "held-out, step 10",
    ]
    assert [row["rapr"] for row in figures] == [0.5, 0.5, 1.0, 1.0]


def test_a_limit_takes_the_first_questions(run):
    assert len({record.trajectory.task.task_id for record in read_run(run, limit=1).records}) == 1


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"kind": "else"}, "line 1 is not a row of a training"),
        ({"runs": 3}, "line 1 is not a row of a training"),
        ({"advantage": None}, "line 1 is not a row of a training"),
        ({"task_id": "gone"}, "'gone' of step 1 is not in the task set"),
        ({"turns": [{}]}, "is broken"),
    ],
)
def test_a_broken_row_is_one_line_that_names_the_file_or_the_task(run, row, told):
    first, *rest = (run / ROLLOUTS).read_text().splitlines()
    (run / ROLLOUTS).write_text("\n".join([json.dumps(json.loads(first) | row), *rest]) + "\n")
    with pytest.raises(Exception, match=told) as raised:
        main([str(run)])
    assert isinstance(raised.value, ConfigError) or type(raised.value).__module__ == "pixel_env.errors"


def test_a_run_whose_tasks_are_not_known_says_so(run):
    (run / "configuration.json").unlink()
    with pytest.raises(ConfigError, match="its tasks are not known"):
        main([str(run)])
    (run / "configuration.json").write_text("{}")
    with pytest.raises(ConfigError, match="not that of pixel-env grpo"):
        main([str(run)])


def test_a_run_that_has_kept_nothing_yet_says_so(run):
    (run / ROLLOUTS).write_text("")
    with pytest.raises(ConfigError, match="kept no rollouts yet"):
        main([str(run)])


BROKEN = {
    "a list for a task id": {"task_id": ["a"]},
    "a list for the kind": {"kind": ["train"]},
    "an unknown kind": {"kind": "else"},
    "a sample of a text": {"sample": "0"},
    "a step below zero": {"step": -1},
    "an advantage that is NaN": {"advantage": float("nan")},
    "a huge total": {"total": 10**400},
    "parts of a list": {"parts": []},
    "parts that are NaN": {"parts": {"correctness": float("nan")}},
    "weights of null": {"weights": {"correctness": None}},
    "functions of texts": {"functions": {"letters": "a"}},
    "runs of a number": {"runs": 3},
    "runs below zero": {"runs": [-1]},
    "turns of numbers": {"turns": [1]},
    "a source of the machine": {"prompt_views": [{"source": "/etc/passwd", "kind": "original", "box": [0, 0, 1, 1]}]},
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_a_hostile_row_is_one_line_that_names_the_file(run, change):
    first, *others = (run / ROLLOUTS).read_text().splitlines()
    (run / ROLLOUTS).write_text("\n".join([json.dumps(json.loads(first) | change), *others, ""]))
    with pytest.raises(PixelEnvError, match=f"^{run / ROLLOUTS}") as raised:
        read_run(run)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 1000


@pytest.mark.parametrize(
    "change",
    [
        {"tasks": ["a"]},
        {"task_count": 10**9},
        {"tasks": "planted_module:tasks"},
        {"grader": "planted_module:grade"},
        {"dialect": "planted_module:DIALECT"},
        {"dialect": 7},
        {"media_root": "/"},
        {"follow_links": True},
        {"follow_links": "yes"},
    ],
)
def test_a_hostile_configuration_of_a_training_is_one_line_and_imports_nothing(run, monkeypatch, change):
    monkeypatch.chdir(run)
    (run / "planted_module.py").write_text("open('marker', 'w')\n")
    (run / "configuration.json").write_text(json.dumps(CONFIGURATION | change))
    with pytest.raises(PixelEnvError, match=str(run / "configuration.json")) as raised:
        read_run(run)
    assert "\n" not in str(raised.value) and not (run / "marker").exists()
