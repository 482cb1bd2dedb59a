"""Core data types, under one name: actions, views, tasks, turns, trajectories.

Values only. Inside the library images and frames count from 0 and a box is fractions (`boxes.py`); dialects translate
to what a model writes and reads. Each type is defined in the module that is about it; import it from here.
"""

from pixel_env.episode import (
    Action,
    Answer,
    Limits,
    Malformed,
    Observation,
    Prompt,
    Stop,
    Text,
    Trajectory,
    Turn,
    Unfinished,
    operations_spent,
)
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.operation import ImageOperation, Operation
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.task import VIDEO_FRAMES, Evidence, MediaKind, Task, TaskSet
from pixel_env.views import PixelBudget, Source, View, ViewBudgets, ViewKind

__all__ = [
    "VIDEO_FRAMES",
    "Action",
    "Answer",
    "CropImage",
    "Evidence",
    "ImageOperation",
    "Limits",
    "Malformed",
    "MediaKind",
    "Observation",
    "Operation",
    "PixelBudget",
    "Prompt",
    "SelectFrames",
    "Source",
    "Stop",
    "Task",
    "TaskSet",
    "Text",
    "Trajectory",
    "Turn",
    "Unfinished",
    "View",
    "ViewBudgets",
    "ViewKind",
    "operations_spent",
]
