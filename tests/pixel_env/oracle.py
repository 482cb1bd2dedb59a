"""A scripted player that looks exactly where a task's evidence lies, and then answers."""

from dataclasses import dataclass

from pixel_env.actions import write
from pixel_env.env import PixelEnv
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.samples.mvbench import FINE_DIGIT
from pixel_env.task import Task
from pixel_env.types import Action, Answer, Trajectory


def looks_at_evidence(task: Task) -> list[Action]:
    """The operations that bring the evidence: a crop of each box, or its frames and, of a fine detail, a crop."""
    if task.media != "video":
        return [CropImage(evidence.image, evidence.box) for evidence in task.evidence]
    select = SelectFrames(tuple(dict.fromkeys(evidence.image for evidence in task.evidence)))
    # The first selected frame comes after the video's own.
    crop = CropImage(len(task.sources), task.evidence[0].box)
    return [select, crop] if task.category == FINE_DIGIT else [select]


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it."""

    reward: float
    is_over: bool
    trajectory: Trajectory


def play_by_evidence(env: PixelEnv, task: Task, *, answer: str | None = None) -> Played:
    """Plays `task`, which `env` has, by text alone; `answer` instead of the right one."""
    observation, _ = env.reset(options={"task_id": task.task_id})
    sizes = [(image.shape[1], image.shape[0]) for image in observation["images"]]
    for action in [*looks_at_evidence(task), Answer(task.answers[0] if answer is None else answer)]:
        observation, reward, terminated, truncated, _ = env.step(write(action, env.dialect, sizes))
        sizes += [(image.shape[1], image.shape[0]) for image in observation["images"]]
    return Played(reward, terminated and not truncated, env.trajectory)
