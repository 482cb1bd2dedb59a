"""A vision-language model reasons in pixel space: Gymnasium environments with a crop tool.

Importing this registers the environment ids; names below are loaded when they are first used.
"""

from typing import TYPE_CHECKING, Any

from pixel_env.registration import register_all

if TYPE_CHECKING:
    from pixel_env.env import PixelEnv
    from pixel_env.episode import Limits, Trajectory
    from pixel_env.task import Task, TaskSet
    from pixel_env.tasks import load_tasks

__all__ = ["Limits", "PixelEnv", "Task", "TaskSet", "Trajectory", "load_tasks"]

_MODULE_OF = {
    "PixelEnv": "pixel_env.env",
    "load_tasks": "pixel_env.tasks",
    "Limits": "pixel_env.types",
    "Task": "pixel_env.types",
    "TaskSet": "pixel_env.types",
    "Trajectory": "pixel_env.types",
}

register_all()


def __getattr__(name: str) -> Any:
    # Late, so that `pixel-env --help` and `import pixel_env` stay fast.
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULE_OF[name]), name)
