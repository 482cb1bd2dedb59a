"""Tiny tasks without files, for tests.

Depends on tasks; independent of episodes. Images are rendered from a formula, so the colour of a pixel shows its
position in the source.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from pixel_env.boxes import Box
from pixel_env.errors import MediaError
from pixel_env.task import Evidence, Task, TaskSet
from pixel_env.views import Source


@dataclass(frozen=True, slots=True)
class PixelSource:
    """An image in which every pixel differs from its neighbours: red counts columns, green rows (modulo 256).

    Blue is `shade`, so that several sources can be distinguished.
    """

    width: int = 280
    height: int = 280
    shade: int = 0

    @property
    def key(self) -> str:
        """The parameters: equal ones render equal pixels."""
        return f"pixels:{self.width}x{self.height}:{self.shade}"

    def decode(self) -> Image.Image:
        """The rendered image."""
        rows, columns = np.mgrid[0 : self.height, 0 : self.width]
        channels = (columns % 256, rows % 256, np.full_like(rows, self.shade))
        return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


@dataclass(frozen=True, slots=True)
class BrokenSource:
    """An image that cannot be read."""

    key: str = "broken"

    def decode(self) -> Image.Image:
        """Raises MediaError, always."""
        raise MediaError("cannot decode the image broken.png: this source always fails; give a readable one")


def tiny_task(
    task_id: str = "tiny-0",
    *,
    question: str = "Which digit is on the red card?",
    answers: tuple[str, ...] = ("7",),
    sources: tuple[Source, ...] = (PixelSource(),),
    **fields: Any,
) -> Task:
    """A task about one small image; `fields` are further fields of `Task`."""
    evidence = (Evidence(0, Box(0.5, 0.5, 0.75, 0.75)),)
    return Task(task_id, question, answers, sources, **{"evidence": evidence, **fields})


def tiny_video_task(frames: int = 16, **fields: Any) -> Task:
    """A task about a video of `frames` small frames; frame number i has the shade i."""
    sources = tuple(PixelSource(84, 56, shade) for shade in range(frames))
    return tiny_task("tiny-video", sources=sources, media="video", evidence=(), **fields)


def tiny_task_set(count: int = 3, notice: str = "") -> TaskSet:
    """`count` tiny tasks with ids tiny-0, tiny-1, ..., each with an image and an answer of its own."""
    tasks = [tiny_task(f"tiny-{i}", answers=(str(i),), sources=(PixelSource(shade=i),)) for i in range(count)]
    return TaskSet("tiny", tasks, notice)
