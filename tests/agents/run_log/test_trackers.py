"""Trackers are given figures and images. Tested with their own packages, on this machine alone."""

import os
import subprocess
import sys

import numpy as np
import pytest

from agents.grpo.trainer import PixelGRPOTrainer
from agents.run_log.pictures import image_of, rewards_text, turns_text
from agents.run_log.rollouts import Scored
from agents.run_log.trackers import check_trackers
from pixel_env.env import PixelEnv
from pixel_env.errors import ConfigError, UnknownNameError
from tests.agents.grpo.test_trainer import config

SCORE = Scored("trained", 0.75, 0.25, {"letters": 0.5, "group_reward": 0.25}, {"correctness": 0.25})
YELLOW, BLUE = (255, 216, 77), (90, 209, 255)


@pytest.fixture
def played(tasks):
    """A crop, a refused crop, a second crop and an answer."""
    env = PixelEnv([tasks.tasks[0]], dialect="tiny")
    env.reset(seed=0)
    for text in ("<crop> 0 0 8 8", "<crop> 4 4 4 9", "<crop> 8 8 15 15", "<answer>7"):
        env.step(text)
    return env.trajectory


def share_of(image, colour):
    return float((np.asarray(image).astype(int) == colour).all(-1).mean())


def test_the_image_is_the_source_with_numbered_boxes(played):
    image = image_of(played)
    assert max(image.size) <= 640 and share_of(image, YELLOW) > 0.002 and share_of(image, BLUE) > 0.002
    # The first box covers the upper left quarter, the second one the lower right.
    half = image.width // 2
    assert share_of(image.crop((0, 0, half // 2, half // 2)), YELLOW) > 0
    assert share_of(image.crop((half + 8, half + 8, *image.size)), YELLOW) == 0


def test_the_texts_are_the_turns_and_the_rewards(played):
    text = turns_text(played)
    assert "[turn 1] <crop> 0 0 8 8\n  view 1" in text and "[turn 2] <crop> 4 4 4 9\n  refused (box_empty)" in text
    assert "[turn 3] <crop> 8 8 15 15\n  view 2" in text and text.endswith("[answered] answer: 7")
    assert rewards_text(SCORE) == "reward 0.75 (correctness 0.25, letters 0.5), advantage +0.25, trained"


def test_tensorboard_gets_figures_images_and_the_real_prompt(tiny_checkpoint, tasks, tmp_path, monkeypatch):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "events"))
    args = config(tmp_path, report_to=["tensorboard"], log_rollouts_groups=1)
    PixelGRPOTrainer(str(tiny_checkpoint), tasks, args).train()
    events = accumulator.EventAccumulator(str(tmp_path / "events"))
    events.Reload()
    tags = events.Tags()
    assert {"train/reward", "train/time/generation", "train/memory/resident_gb"} <= set(tags["scalars"])
    assert tags["images"] == [f"rollouts/train/{number}" for number in range(4)]
    text = events.Tensors("rollouts/train/0/text_summary")[0].tensor_proto.string_val[0].decode()
    assert any(task.question in text for task in tasks.tasks)


def test_a_table_of_trackio_and_wandb_holds_images_and_prompts(tmp_path):
    """In a process of its own: both read their folders from the environment when they are imported."""
    pytest.importorskip("trackio")
    pytest.importorskip("wandb")
    script = f"""
from tests.agents.grpo.test_trainer import config
from agents.grpo.trainer import PixelGRPOTrainer
from agents.checkpoints.names import model_folder
from pixel_env.tasks import load_tasks
options = {{"report_to": ["trackio", "wandb"], "log_rollouts_groups": 1, "project": "looks", "run_name": "one"}}
args = config({str(tmp_path / "run")!r}, **options)
PixelGRPOTrainer(model_folder("tiny-warm"), load_tasks("sample:vstar-tiny", split="train", count=8), args).train()
import wandb; wandb.finish()
from trackio.sqlite_storage import SQLiteStorage
rows = SQLiteStorage.get_logs("looks", "one")
print("reward", any("train/reward" in row for row in rows))
table, = (row["rollouts/train"] for row in rows if "rollouts/train" in row)
print("prompts", "Which digit" in str(table) or "half" in str(table))
print("images", str(table).count("trackio.image"))
"""
    environment = {"TRACKIO_DIR": str(tmp_path / "trackio"), "WANDB_MODE": "offline", "WANDB_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment, "WANDB_SILENT": "true"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert "reward True" in told and "prompts True" in told and "images 4" in told
    assert len(list(tmp_path.glob("wandb/offline-run-*/files/media/images/**/*.png"))) == 4


def test_a_tracker_that_is_missing_or_unknown_is_named_with_the_command_that_brings_it(monkeypatch):
    with pytest.raises(UnknownNameError, match="tensorboard"):
        check_trackers(["tensorbord"])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install wandb"):
        check_trackers(["wandb"])
    with pytest.raises(ConfigError, match="empty entry"):
        check_trackers([None])
    check_trackers([])
    check_trackers(None)


def test_trls_table_of_completions_has_the_real_prompt(tiny_checkpoint, tasks, tmp_path):
    pandas = pytest.importorskip("pandas")
    PixelGRPOTrainer(str(tiny_checkpoint), tasks, config(tmp_path, log_completions=True)).train()
    table = pandas.read_parquet(tmp_path / "completions" / "completions_00001.parquet")
    prompts = {prompt[0]["content"] for prompt in table["prompt"]}
    assert prompts and all(any(task.question in prompt for task in tasks.tasks) for prompt in prompts)
