"""Small runs to audit, written as `pixel-env eval` writes them."""

import json
from pathlib import Path

from PIL import Image

from benchmarks.evaluation.records import ROWS, Record, append
from pixel_env.boxes import Box
from pixel_env.dialects.table import dialect_named
from pixel_env.env import PixelEnv
from pixel_env.interventions import unchanged
from pixel_env.store import TrajectoryStore
from pixel_env.tasks import load_tasks
from pixel_env.types import Limits

EVIDENCE = Box(0.5, 0.25, 0.75, 0.5)


def call(box, image=1, name="crop_image", **further):
    """The text of a crop in the dialects whose calls are JSON."""
    arguments = {"bbox_2d": list(box), "target_image": image, **further}
    return f"<tool_call>{json.dumps({'name': name, 'arguments': arguments})}</tool_call>"


def answer(text):
    return f"\\boxed{{{text}}}"


def write_tasks(folder, sizes=((640, 480),)):
    """A task file: one question for each size of image, its answer "7", its evidence EVIDENCE."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, size in enumerate(sizes):
        # The pixels differ, because images are told apart by their content.
        Image.new("RGB", size, (number, 0, 90)).save(folder / f"{number}.png")
        evidence = [{"image": 0, "box": list(EVIDENCE.corners)}]
        task = {"id": f"q{number}", "question": f"Which digit is on card {number}?", "answer": "7"}
        rows.append({**task, "image": f"{number}.png", "evidence": evidence})
    path = folder / "tasks.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def write_run(folder, tasks, plays, dialect="default", max_turns=6, intervention=unchanged):
    """The folder of an evaluation: for each task, in order, an episode for each of its `plays` (lists of texts)."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"tasks": str(tasks), "split": "test", "task_count": None, "policies": ["learned_zoom"]}
    (folder / "configuration.json").write_text(json.dumps({**config, "dialect": dialect}))
    store = TrajectoryStore(folder / ROWS)
    for task, episodes in zip(load_tasks(str(tasks)).tasks, plays, strict=True):
        for number, texts in enumerate(episodes):
            env = PixelEnv([task], dialect=dialect_named(dialect), limits=Limits(max_turns), intervention=intervention)
            env.reset(seed=0)
            for text in texts:
                env.step(text)
            append(store, Record(env.trajectory, "learned_zoom", number or None))
    return folder


def figures_in(path: Path, policy="learned_zoom"):
    """The figures over all episodes of a policy, in the JSON file of an audit."""
    return json.loads(path.read_text())["policies"][policy]["all"]
