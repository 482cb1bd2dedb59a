"""An operation that is defined outside of the package works everywhere, from the prompt to the metrics."""

import json

import pytest

from agents.metrics.zooming import first_box_iou, valid_operations
from agents.rollout import EpisodeSettings
from benchmarks.evaluation.records import ROWS, Record, append, read_evaluation
from benchmarks.view.command import main as view
from benchmarks.view.images import ImageList
from benchmarks.view.rows import Rows, Run
from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.dialects import dialect_named
from pixel_env.env import PixelEnv
from pixel_env.operations import OPERATIONS, CropImage
from pixel_env.operations.rotate import Rotate
from pixel_env.play import main as play
from pixel_env.store import TrajectoryStore, read, trajectory_of, write_rollout
from pixel_env.tasks import load_tasks
from pixel_env.testing import PixelSource, tiny_task
from pixel_env.types import Evidence, Limits
from rewards.shaping import PRESETS
from synth.plans.plan import Plan, PlanKind, PlannedOperation, silent, traced
from synth.verification.verify import verify
from tests.pixel_env.operations.own_operations import Trim

NAME = "tests.pixel_env.operations.own_operations:Trim"
DIALECT = dialect_named(f"default+rotate+{NAME}")
EVIDENCE = Box(0.5, 0.55, 0.6, 0.75)
TASK = tiny_task(sources=(PixelSource(1000, 800),), evidence=(Evidence(0, EVIDENCE),))


def episode(*actions, task=TASK, answer="\\boxed{7}"):
    """The environment after the actions; each may be text, an operation, or made of the views so far."""
    env = PixelEnv([task], dialect=DIALECT, limits=Limits(max_turns=9))
    env.reset(seed=0)
    for action in (*actions, answer):
        action = action(env.trajectory.views) if callable(action) else action
        env.step(action if isinstance(action, str) else write(action, DIALECT))
    return env.trajectory


def zoom_on_evidence(views):
    return CropImage(len(views) - 1, views[-1].from_source(EVIDENCE))


CHAIN = (CropImage(0, Box(0.25, 0.25, 0.9, 0.9)), Rotate(1, 90), Trim(2, 0.1), zoom_on_evidence)


def test_the_prompt_holds_its_schema_and_the_observation_its_words():
    trajectory = episode(Trim(0, 0.2))
    assert '"name": "trim"' in trajectory.prompt.system and "Share of each side" in trajectory.prompt.system
    assert trajectory.turns[0].observation == "Here is the trimmed image (image 2):"
    assert trajectory.turns[0].action == Trim(0, 0.2)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ('"target_image": 1, "margin": 0.9', "bad_arguments", "margin (a number from 0 to 0.4)"),
        ('"margin": 0.1', "bad_arguments", "trim takes target_image"),
        ('"target_image": 5, "margin": 0.1', "no_such_image", "numbered 1 to 1"),
    ],
)
def test_a_bad_call_of_it_is_refused_by_code(arguments, code, message):
    trajectory = episode(f'<tool_call>{{"name": "trim", "arguments": {{{arguments}}}}}</tool_call>')
    [failure] = trajectory.failures
    assert failure.code == code and message in failure.message and trajectory.valid_operations == 0


def test_evidence_is_found_after_crop_rotate_trim_crop_and_the_metrics_know_it_by_type():
    trajectory = episode(*CHAIN)
    assert trajectory.valid_operations == 4
    assert trajectory.views[-1].box.iou(EVIDENCE) == pytest.approx(1.0, abs=1e-3)
    assert {name: share.value for name, share in valid_operations([trajectory]).items()} == {
        "all": 1.0,
        "crop_image": 1.0,
        "rotate": 1.0,
        "trim": 1.0,
    }
    after_rotation = episode(Rotate(0, 270), zoom_on_evidence)
    assert first_box_iou([after_rotation]).value == pytest.approx(1.0, abs=1e-3)


def test_an_episode_with_it_is_stored_and_read_back_the_same(tmp_path):
    trajectory = episode(*CHAIN, Trim(7, 0.1))
    write_rollout(trajectory, TrajectoryStore(tmp_path / "rows.jsonl"))
    [row] = read(tmp_path / "rows.jsonl")
    assert trajectory_of(row, TASK) == trajectory


def write_run(folder, trajectory, count):
    config = {"tasks": "sample:vstar", "split": "test", "task_count": count, "policies": ["p"], "dialect": DIALECT.name}
    folder.mkdir()
    (folder / "configuration.json").write_text(json.dumps(config))
    append(TrajectoryStore(folder / ROWS), Record(trajectory, "p", None))


def test_the_viewer_shows_it(tmp_path):
    task_set = load_tasks("sample:vstar", split="test", count=1)
    trajectory = episode(Trim(0, 0.2), Rotate(1, 90), task=task_set.tasks[0])
    write_run(tmp_path / "run", trajectory, 1)
    OPERATIONS.pop("trim")  # as in a process that has not met it yet
    [record] = read_evaluation(tmp_path / "run").records
    assert record.trajectory == trajectory
    run = Run("run", [record], DIALECT.budgets)
    turns = Rows(ImageList(), PRESETS["paper"].reward).of([run])["trajectories"][0]["turns"]
    assert [turn["action"]["shown"] for turn in turns[:2]] == ["trim image 1 margin 0.2", "rotate image 2 degrees 90"]
    assert view([str(tmp_path / "run")]) == 0
    assert "trim image 1 margin 0.2" in (tmp_path / "run" / "view.html").read_text()


def test_a_plan_may_use_it_and_the_trace_is_verified():
    looks = (
        PlannedOperation(Rotate(0, 90)),
        PlannedOperation(Trim(1, 0.1)),
        PlannedOperation(CropImage(2, Box(0.15, 0.45, 0.5, 0.7))),
    )
    plan = Plan(TASK, PlanKind.SINGLE_PASS, looks)
    trace = traced(plan, silent(plan), DIALECT)
    assert '"trim"' in trace.turns[1].text and '"rotate"' in trace.turns[0].text
    verdict = verify(trace, EpisodeSettings(DIALECT, Limits(max_turns=6), DIALECT.budgets))
    assert verdict.fault is None, verdict.fault


def test_a_person_may_play_with_it(tmp_path, monkeypatch, capsys):
    lines = iter(["trim 1 0.3", "trim 1", "rotate 2 90", "answer 7"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(lines))
    tasks = ["--tasks", "sample:vstar-tiny", "--dialect", DIALECT.name, "--out", str(tmp_path / "played")]
    assert play([*tasks, "--seed", "0"]) == 0
    out = capsys.readouterr().out
    assert "trim IMAGE MARGIN" in out and "Here is the trimmed image (image 2):" in out and "got 1 arguments" in out
