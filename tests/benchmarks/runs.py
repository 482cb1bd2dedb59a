"""A finished run without a training: episodes are played by rules, and written as the commands write them."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.evaluation.policies import LEARNED_ZOOM, NO_ZOOM, POLICIES, oracle_window, random_window
from benchmarks.evaluation.records import ROWS, Record, append
from benchmarks.pipeline.chain import EASY, GALLERY_SAMPLES, HARD
from benchmarks.studies.trap.findings import CHECKPOINTS, WARM_START, WITH, WITHOUT
from pixel_env.actions import write
from pixel_env.boxes import Box
from pixel_env.dialects.table import dialect_named
from pixel_env.env import PixelEnv
from pixel_env.operations.crop_image import CropImage
from pixel_env.store import TrajectoryStore
from pixel_env.task import Task, TaskSet
from pixel_env.tasks import load_tasks
from pixel_env.types import Answer, Limits, Trajectory

TINY = dialect_named("tiny")
SET = "sample:vstar-tiny"


@dataclass(frozen=True)
class Habit:
    """How a made-up checkpoint behaves: how often it looks, how often at the right place, and how well it answers."""

    looks: float
    finds: float
    reads: float
    guesses: float = 0.05
    easy: float = 0.97


HABITS = {
    WARM_START: Habit(looks=0.3, finds=0.1, reads=0.8),
    WITHOUT: Habit(looks=0.0, finds=0.1, reads=0.8),
    WITH: Habit(looks=0.98, finds=0.95, reads=0.82),
}


def make_run(run: Path, habits: dict[str, Habit] | None = None, *, questions: int = 40) -> Path:
    """The folder of a finished demo whose checkpoints have these habits."""
    habits = habits or HABITS
    run.mkdir(parents=True, exist_ok=True)
    (run / "configuration.json").write_text(json.dumps({"seed": 0, "quick": False, "base": "tiny-base"}))
    stages = {"warm_start": 130.0, "look": 61.0, "learning": 701.5, "evaluation": 102.0, "report": 2.0}
    (run / "stages.json").write_text(
        json.dumps({name: {"seconds": value, "peak_memory_gb": 2.5} for name, value in stages.items()})
    )
    for name in CHECKPOINTS:
        write_evaluation(run / f"{name}_evaluation", habits[name], POLICIES, count=questions, samples=1)
    write_evaluation(run / f"{WARM_START}_look", habits[WARM_START], (), count=questions, samples=4, split="train")
    write_evaluation(run / "gallery", habits[WITH], (), count=40, samples=GALLERY_SAMPLES)
    for name in (WITH, WITHOUT):
        write_training(run / name, habits[WARM_START], habits[name])
    return run


def write_evaluation(
    folder: Path, habit: Habit, policies: tuple[str, ...], *, count: int, samples: int, split: str = "test"
) -> None:
    """What `pixel-env eval` leaves behind."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"tasks": SET, "split": split, "task_count": count, "policies": policies, "dialect": "tiny"}
    (folder / "configuration.json").write_text(json.dumps(config))
    store = TrajectoryStore(folder / ROWS)
    task_set = load_tasks(SET, split=split, count=count)
    rng = np.random.default_rng(1)
    for place in range(count):
        task = task_set.tasks[place]
        for policy in policies:
            append(store, Record(played(task, habit, policy, rng, task_set), policy, None))
        for number in range(samples):
            append(store, Record(played(task, habit, LEARNED_ZOOM, rng, task_set), LEARNED_ZOOM, number))


def played(task: Task, habit: Habit, policy: str, rng: np.random.Generator, task_set: TaskSet) -> Trajectory:
    """One episode as the habit has it."""
    window = _window(task, habit, policy, rng)
    seen = window is not None and window.contains(task.evidence[0].box)
    share = habit.easy if task.category == EASY else habit.reads if seen else habit.guesses
    wrong = "unseen" if task.category == HARD else "up"
    answer = task.answers[0] if rng.random() < share else wrong
    texts = [] if window is None else [write(CropImage(0, window), TINY)]
    env = PixelEnv([task], dialect=TINY, budgets=task_set.budgets, limits=Limits(2))
    env.reset(seed=0)
    for text in [*texts, write(Answer(answer), TINY)]:
        env.step(text)
    return env.trajectory


def _window(task: Task, habit: Habit, policy: str, rng: np.random.Generator) -> Box | None:
    if policy == NO_ZOOM or (policy == LEARNED_ZOOM and rng.random() >= habit.looks):
        return None
    finds = {"random_zoom": 0.0, "oracle_zoom": 1.0}.get(policy, habit.finds)
    return oracle_window(task) if rng.random() < finds else random_window(task, int(rng.integers(1000)))


def write_training(folder: Path, before: Habit, after: Habit, steps: int = 200) -> None:
    """What `pixel-env grpo` leaves behind of its figures."""
    rng = np.random.default_rng(0)
    history: list[dict[str, float]] = []
    for step in range(1, steps + 1):
        share = 1 / (1 + np.exp(-(step - steps / 4) / (steps / 20)))
        looks = before.looks + share * (after.looks - before.looks)
        right = looks * after.finds * after.reads * share + (1 - looks) * before.guesses
        row = {"rapr": looks, "accuracy": right}
        noisy = {f"{k}/{HARD}": float(np.clip(v + 0.06 * rng.normal(), 0, 1)) for k, v in row.items()}
        history.append({"step": step, "loss": 0.0, **noisy})
    (folder / f"checkpoint-{steps}").mkdir(parents=True, exist_ok=True)
    (folder / f"checkpoint-{steps}" / "trainer_state.json").write_text(json.dumps({"log_history": history}))
    (folder / "configuration.json").write_text(json.dumps({"group_reward": "paper"}))
