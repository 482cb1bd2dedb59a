"""Small evaluations to look at: played by the scripted engine, written as the commands write them."""

import json
from pathlib import Path

from PIL import Image

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from agents.rollout import EpisodeSettings, Sampling, rollout
from benchmarks.evaluation.records import ROWS, Record, append
from pixel_env.budgets import budgets_for
from pixel_env.dialects.table import dialect_named
from pixel_env.store import TrajectoryStore
from pixel_env.tasks import load_tasks
from pixel_env.types import Limits

HOSTILE = "</script><script>window.pwned=1</script><!--<img src=x onerror=window.pwned=1> 'quoted' & \u2028"
DEFAULT = dialect_named("default")
POLICY = "learned_zoom"


def call(name, **arguments):
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"


def answer(text):
    return f"\\boxed{{{text}}}"


def crop(x0, y0, x1, y1, image=1):
    return call("crop_image", bbox_2d=[x0, y0, x1, y1], target_image=image)


HOSTILE_PART = "<img src=x onerror=window.pwned=1></script> & 'quoted' " + "long " * 400 + "end"
OWN_REWARD = f"""
import numpy as np
from rewards.shaping import RewardPart


def four_parts(group):
    return {{
        "turns": RewardPart(np.array([len(trajectory.turns) for trajectory in group]), weight=-0.25),
        "7": np.array([trajectory.valid_operations > 0 for trajectory in group]),
        "__proto__": np.full(len(group), 0.125),
        {HOSTILE_PART!r}: RewardPart(np.array([trajectory.operations for trajectory in group]), weight=0),
    }}


def parts_by_task(group):
    return {{group[0].task.task_id: np.zeros(len(group))}}
"""
"""A module of a user: a reward of four parts, two of them with names that a script could stumble over."""

GUESS = (answer("left"),)
LOOK_TWICE = ("I look closer. " + crop(0.1, 0.1, 0.5, 0.6), crop(0.2, 0.2, 0.9, 0.8, image=2), answer("right"))
STUMBLE = (call("zoom", x=1), crop(0.5, 0.5, 0.502, 0.9), crop(0.1, 0.1, 0.5, 0.6, image=9), HOSTILE)
SELECT = (call("select_frames", target_frames=[2, 7, 12]), crop(0.2, 0.2, 0.9, 0.8, image=7), answer("A"))


def write_run(folder, plans, *, tasks="sample:vstar", count=3, greedy=True):
    """An evaluation of `count` questions: sample number n of each plays the n-th plan, the greedy rollout the first."""
    folder = Path(folder)
    folder.mkdir(parents=True)
    config = {"tasks": str(tasks), "split": "test", "task_count": count, "policies": [POLICY], "dialect": "default"}
    (folder / "configuration.json").write_text(json.dumps(config))
    task_set = load_tasks(str(tasks), split="test", count=count)
    settings = EpisodeSettings(DEFAULT, Limits(4), budgets_for(None, task_set, DEFAULT))
    store = TrajectoryStore(folder / ROWS)
    chat = PlainChat(DEFAULT)
    for number, plan in [(None, plans[0])] * greedy + list(enumerate(plans)):
        engine = ScriptedEngine(lambda c, plan=plan: plan[min(c.turn, len(plan) - 1)], chat)
        rollout(
            list(task_set.tasks),
            engine,
            chat,
            settings=settings,
            sampling=Sampling(0.0, 512),
            seed=0,
            on_finish=lambda played, number=number: append(store, Record(played.trajectory, POLICY, number)),
        )
    return folder


def hostile_tasks(folder):
    """A file with one task whose every text is hostile."""
    folder.mkdir(parents=True)
    Image.new("RGB", (320, 240), "grey").save(folder / "grey.png")
    row = {"id": HOSTILE, "question": HOSTILE, "answer": HOSTILE, "image": "grey.png", "category": HOSTILE}
    path = folder / "tasks.jsonl"
    path.write_text(json.dumps(row) + "\n")
    return path
