"""The player without a model: it looks at all evidence, answers right, and needs no training library."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine, in_turn
from agents.metrics.trajectories import accuracy, failures_by_code, rapr
from agents.rollout import EpisodeSettings, Sampling, rollout
from benchmarks.evaluation.evaluate import main
from benchmarks.evaluation.oracle import oracle_answer, oracle_operations, oracle_turns
from benchmarks.evaluation.policies import LEARNED_ZOOM, NO_ZOOM, RANDOM_ZOOM, policy_named
from benchmarks.evaluation.questions import shuffled
from benchmarks.evaluation.records import ROWS, read_evaluation
from pixel_env import PixelEnv
from pixel_env.actions import parse
from pixel_env.boxes import Box
from pixel_env.budgets import budgets_for
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.frame_rule import FrameRule
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.samples import sample_set
from pixel_env.task import Evidence, Task
from pixel_env.types import Limits
from tests.paths import ROOT

SETS = ("vstar", "tallyqa", "infographics", "mvbench")


def settings_of(task_set, dialect="default", limits=Limits()):  # noqa: B008  # frozen
    dialect = dialect_named(dialect)
    return EpisodeSettings(dialect, limits, budgets_for(None, task_set, dialect))


def play(name, *, count=30, dialect="default"):
    """The oracle's episodes of a sample set."""
    task_set = shuffled(sample_set(name, count=count), seed=0)
    settings = settings_of(task_set, dialect)
    chat = PlainChat(settings.dialect)
    played = rollout(
        list(task_set.tasks),
        ScriptedEngine(in_turn(""), chat),
        chat,
        settings=settings,
        sampling=Sampling(0.0),
        seed=0,
        forced=lambda task: oracle_turns(task, settings),
    )
    return [one.trajectory for one in played]


def shows_all_evidence(trajectory):
    looks = [view for turn in trajectory.turns for view in turn.views]
    return all(
        any(
            view.source.key == trajectory.task.sources[item.image].key and view.box.padded(1e-3).contains(item.box)
            for view in looks
        )
        for item in trajectory.task.evidence
    )


@pytest.mark.parametrize("name", SETS)
def test_the_oracle_is_always_right_and_always_looks_at_all_evidence(name):
    trajectories = play(name)
    assert (accuracy(trajectories).value, rapr(trajectories)) == (1.0, 1.0)
    assert failures_by_code(trajectories) == {}
    assert all(map(shows_all_evidence, trajectories))


@pytest.mark.parametrize("dialect", ["qwen2.5-vl", "qwen3-vl", "released"])
def test_the_oracle_speaks_every_dialect_with_calls_in_json(dialect):
    for name in ("tallyqa", "mvbench"):
        trajectories = play(name, count=8, dialect=dialect)
        assert (accuracy(trajectories).value, rapr(trajectories)) == (1.0, 1.0) and not failures_by_code(trajectories)


def actions(looks, dialect="default"):
    return [parse(text, dialect_named(dialect)) for text in looks]


def test_of_a_video_the_frames_of_the_evidence_come_first_and_then_a_crop_of_the_first_of_them():
    task_set = sample_set("mvbench", count=2)
    task = task_set.tasks[1]
    select, crop = actions(oracle_operations(task, settings_of(task_set)))
    assert select == SelectFrames(tuple(dict.fromkeys(item.image for item in task.evidence)))
    assert isinstance(crop, CropImage) and crop.image == len(task.sources)


VIDEO_ZOOMER = FrameRule(edges="before", spacing="down", min_frames=0)
LONG_VT = FrameRule(min_frames=2, multiple=2, excess="spread", overhang="refuse")
FRAME_THINKER = FrameRule(range_ends=False, short_range="refuse", overhang="refuse", spacing="down")


@pytest.mark.parametrize(
    ("operations", "frames", "max_frames", "can_show_both_ends"),
    [
        (("select_segment", "crop_image"), FrameRule(), 8, True),
        (("select_segment",), VIDEO_ZOOMER, 16, False),
        (("select_segment",), LONG_VT, 128, True),
        (("select_range", "crop_image"), FrameRule(), 8, True),
        (("select_range", "frame_at_time"), FRAME_THINKER, 8, False),
    ],
)
def test_the_oracle_shows_the_evidence_as_segments_and_ranges_where_frames_cannot_be_named(
    operations, frames, max_frames, can_show_both_ends
):
    dialect = replace(dialect_named("default"), operations=operations, frames=frames, max_frames=max_frames)
    task_set = sample_set("mvbench", count=10)
    settings = EpisodeSettings(dialect, Limits(6, max_images=64), budgets_for(None, task_set, dialect))
    for task in task_set.tasks:
        env = PixelEnv([task], dialect=dialect, budgets=settings.budgets, limits=settings.limits)
        env.reset(seed=0)
        for text in (*oracle_operations(task, settings), oracle_answer(task, settings)):
            *_, info = env.step(text)
            assert info["failure"] is None, (text, info["failure"])
        shown = {view.source for turn in env.trajectory.turns for view in turn.views}
        missing = {item.image for item in task.evidence if task.sources[item.image] not in shown}
        assert env.trajectory.reward == 1.0 and missing <= (set() if can_show_both_ends else {0, 15})


def test_looks_leave_a_turn_for_the_answer_and_room_for_their_pictures():
    tallyqa, mvbench = sample_set("tallyqa", count=20), sample_set("mvbench", count=20)
    assert all(len(oracle_operations(task, settings_of(tallyqa, limits=Limits(2)))) == 1 for task in tallyqa.tasks)
    assert all(oracle_operations(task, settings_of(tallyqa, limits=Limits(1))) == [] for task in tallyqa.tasks)
    for room in range(1, 5):
        for task in mvbench.tasks:
            looks = actions(oracle_operations(task, settings_of(mvbench, limits=Limits(4, max_images=room))))
            shown = sum(len(look.frames) if isinstance(look, SelectFrames) else 1 for look in looks)
            assert 1 + shown <= room


def test_more_frames_of_evidence_than_may_be_selected_are_thinned_and_the_first_stays():
    task = sample_set("mvbench", count=1).tasks[0]
    everywhere = replace(task, evidence=tuple(Evidence(frame, Box(0, 0, 1, 1)) for frame in range(16)))
    [select] = actions(oracle_operations(everywhere, settings_of(sample_set("mvbench"))))
    assert len(select.frames) == 8 and select.frames[0] == 0 and select.frames[-1] == 15


def test_a_question_that_no_offered_operation_helps_is_answered_directly_and_not_scripted_for_a_model():
    task_set = sample_set("mvbench", count=1)
    video = replace(task_set.tasks[0], evidence=(Evidence(3, Box(0, 0, 0.1, 0.1)),))
    settings = settings_of(task_set, "tiny")  # it can name the first image alone
    assert oracle_operations(video, settings) == []
    policy = policy_named("oracle_zoom", settings, PlainChat(settings.dialect), seed=0)
    assert not policy.can_play(video, settings.dialect)
    with pytest.raises(ConfigError, match=r"no operation that the dialect 'tiny' offers.*another --dialect"):
        policy.forced(video)


def test_what_the_oracle_cannot_know_is_an_error_that_says_the_way_out():
    video = sample_set("mvbench", count=1)
    unknown = Task("t", "What?", answers=())
    with pytest.raises(ConfigError, match=r"no evidence box.*another --engine and --model"):
        oracle_operations(unknown, settings_of(video))
    with pytest.raises(ConfigError, match="has no reference answer"):
        oracle_answer(unknown, settings_of(video))


# ------------------------------------------------------------------------------------------------ as a command


def evaluate(folder, *flags):
    arguments = ["--engine", "scripted", "--model", "oracle", "--dialect", "default", "--output_dir", str(folder)]
    assert main([*arguments, "--tasks", "sample:vstar", "--task_count", "4", *flags]) == 0
    return read_evaluation(folder)


def test_eval_plays_the_oracle_under_the_policies(tmp_path, capsys):
    evaluation = evaluate(tmp_path / "run", "--policies", NO_ZOOM, RANDOM_ZOOM, LEARNED_ZOOM, "--samples", "2")
    assert all(record.trajectory.reward == 1.0 for record in evaluation.records)
    assert rapr(evaluation.of(NO_ZOOM)) == 0.0
    assert rapr(evaluation.of(LEARNED_ZOOM)) == rapr(evaluation.of(LEARNED_ZOOM, sampled=True)) == 1.0
    boxes = [[t.turns[0].action.box for t in evaluation.of(policy)] for policy in (RANDOM_ZOOM, LEARNED_ZOOM)]
    assert boxes[0] != boxes[1]
    assert "is no V* score" in capsys.readouterr().out


def test_two_evaluations_of_the_oracle_are_the_same_rows(tmp_path):
    evaluate(tmp_path / "first", "--policies", LEARNED_ZOOM)
    evaluate(tmp_path / "second", "--policies", LEARNED_ZOOM)
    first, second = (sorted((tmp_path / name / ROWS).read_bytes().splitlines()) for name in ("first", "second"))
    assert first == second and len(first) == 4 and json.loads(first[0])["policy"] == LEARNED_ZOOM


def test_a_player_that_does_not_exist_is_refused_by_name(tmp_path):
    with pytest.raises(UnknownNameError, match=r"'orcale'.*'oracle'"):
        main(["--engine", "scripted", "--model", "orcale", "--output_dir", str(tmp_path)])


def test_the_oracle_is_evaluated_without_a_training_library(tmp_path):
    code = f"""
import sys
from pixel_env.cli import main
flags = "eval --engine scripted --model oracle --tasks sample:vstar --dialect default --task_count 1"
assert main([*flags.split(), "--output_dir", {str(tmp_path / "run")!r}]) == 0
print("loaded:", [name for name in ("torch", "transformers", "vllm") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "loaded: []" in done.stdout
