"""Gymnasium environments in which a vision-language model reasons in pixel space: it crops, sees more, answers.

Importing this registers the environment ids, at once or when Gymnasium is imported. The names below are loaded when
they are first used; everything that an agent needs is among them:

    import gymnasium as gym
    from pixel_env import Answer, Box, CropImage, dialect_named, write

    env = gym.make("PixelReasoning-VStar-v0")
    observation, info = env.reset(seed=0)
    env.step(write(CropImage(image=0, box=Box(0.5, 0.0, 1.0, 0.5)), dialect_named("default")))
    env.step(write(Answer("7"), dialect_named("default")))
"""

from typing import TYPE_CHECKING

from pixel_env.lazy_names import lazy_names
from pixel_env.neighbours import install
from pixel_env.registration import register_with_gymnasium

if TYPE_CHECKING:
    from pixel_env.actions import write
    from pixel_env.boxes import Box
    from pixel_env.dialects import Dialect, dialect_named
    from pixel_env.env import PixelEnv
    from pixel_env.errors import PixelEnvError
    from pixel_env.tasks import load_tasks
    from pixel_env.types import Answer, CropImage, Evidence, Limits, SelectFrames, Task, TaskSet, Text, Trajectory

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "Box",
    "CropImage",
    "Dialect",
    "Evidence",
    "Limits",
    "PixelEnv",
    "PixelEnvError",
    "SelectFrames",
    "Task",
    "TaskSet",
    "Text",
    "Trajectory",
    "__version__",
    "dialect_named",
    "load_tasks",
    "write",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Answer": "pixel_env.types",
        "Box": "pixel_env.boxes",
        "CropImage": "pixel_env.types",
        "Dialect": "pixel_env.dialects",
        "Evidence": "pixel_env.types",
        "Limits": "pixel_env.types",
        "PixelEnv": "pixel_env.env",
        "PixelEnvError": "pixel_env.errors",
        "SelectFrames": "pixel_env.types",
        "Task": "pixel_env.types",
        "TaskSet": "pixel_env.types",
        "Text": "pixel_env.types",
        "Trajectory": "pixel_env.types",
        "dialect_named": "pixel_env.dialects",
        "load_tasks": "pixel_env.tasks",
        "write": "pixel_env.actions",
    },
)

install()
register_with_gymnasium()
