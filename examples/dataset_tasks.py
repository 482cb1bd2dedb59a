"""A `datasets.Dataset` with images as a task set: played, evaluated, and read by every command.

    python examples/dataset_tasks.py --output_dir runs/example_dataset

`rows` is what a user has; `tasks` turns it into tasks. On the command line the set is `--tasks dataset_tasks:tasks`,
run where this file lies. A row is read when its task is used, so the images are never in memory together.
"""

import argparse
from dataclasses import dataclass

import gymnasium as gym
import numpy as np
from datasets import Dataset, Features, Image, Value
from PIL import Image as Pictures
from PIL import ImageDraw

from benchmarks.evaluation.evaluate import main as evaluate
from pixel_env import Task, TaskSet
from pixel_env.boxes import Box
from pixel_env.lazy_sequence import LazySequence
from pixel_env.types import Evidence

COLOURS = ("red", "green", "blue", "black")
FEATURES = Features(
    {
        "image": Image(),
        "question": Value("string"),
        "choices": [Value("string")],
        "answer": Value("int64"),
        "box": [Value("float64")],
    }
)


def rows(split, count=12):
    """A set as one has it: images, questions, choices, the number of the right choice, where it can be seen."""
    rng = np.random.default_rng(("test", "train").index(split))
    made = []
    for _ in range(count):
        answer, left, top = int(rng.integers(len(COLOURS))), *map(int, rng.integers(0, 600, 2))
        image = Pictures.new("RGB", (640, 640), "white")
        ImageDraw.Draw(image).rectangle((left, top, left + 30, top + 30), fill=COLOURS[answer])
        box = [edge / 640 for edge in (left, top, left + 31, top + 31)]
        question = "Which colour has the square?"
        made.append({"image": image, "question": question, "choices": COLOURS, "answer": answer, "box": box})
    return Dataset.from_list(made, features=FEATURES)


@dataclass(frozen=True)
class DatasetTasks(LazySequence[Task]):
    """The rows of a data set as tasks, each made when it is used."""

    data: Dataset

    def __len__(self):
        return len(self.data)

    def at(self, position):
        row = self.data[position]
        return Task(
            task_id=f"square-{position}",
            question=row["question"],
            answers=(row["choices"][row["answer"]],),
            sources=[row["image"]],  # a path or an array would do, too
            options=tuple(row["choices"]),
            grader="choice",
            evidence=(Evidence(0, Box(*row["box"])),),
        )


def tasks(split):
    """The task set, for `--tasks dataset_tasks:tasks`."""
    return TaskSet("squares", DatasetTasks(rows(split)))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output_dir", default="runs/example_dataset")
    options = parser.parse_args(arguments)

    env = gym.make("pixel_env:PixelReasoning-VStar-v0", tasks=tasks("test"))
    observation, _ = env.reset(seed=0)
    print(observation["text"])
    env.step(r"The square is red. \boxed{A}")

    flags = ["--tasks", "dataset_tasks:tasks", "--engine", "scripted", "--model", "oracle", "--policies", "oracle_zoom"]
    return evaluate([*flags, "--output_dir", options.output_dir])


if __name__ == "__main__":
    raise SystemExit(main())
