"""Spaces of text and images that have no fixed size.

Gymnasium's `Text` holds letters and digits only, and its `Sequence` cannot be shared between processes. These hold any
Unicode text and any number of RGB images, and are registered for vector environments, so that `AsyncVectorEnv` works
without arguments. Depends on dialects and operations; independent of the dynamics of the environment.
"""

import os
import pickle
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector.utils import (
    create_shared_memory,
    read_from_shared_memory,
    write_to_shared_memory,
)

from pixel_env.actions import write
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Answer, Text
from pixel_env.operations.arguments import Drawing
from pixel_env.operations.operation import Operation

_SAMPLE_CHARACTERS = "abcdefghij 0123456789 .,:;!?<>{}[]\"'\\/\n äöüß λπ 你好世界 🔍"


class UnicodeText(gym.Space[str]):
    """Any text, of any length. Samples are short and mix scripts, markup and line breaks."""

    def __init__(self, seed: int | np.random.Generator | None = None) -> None:
        super().__init__(shape=None, dtype=None, seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """False: a text has no fixed size."""
        return False

    def sample(self, mask: None = None, probability: None = None) -> str:
        """A text of 0 to 32 characters. `mask` and `probability` are not supported and must be None."""
        _refuse_masks(mask, probability)
        indices = self.np_random.integers(len(_SAMPLE_CHARACTERS), size=self.np_random.integers(33))
        return "".join(_SAMPLE_CHARACTERS[index] for index in indices)

    def contains(self, x: Any) -> bool:
        """Whether `x` is a `str`."""
        return isinstance(x, str)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __repr__(self) -> str:
        return "UnicodeText()"


class AssistantText(UnicodeText):
    """What an assistant may write: any text. Samples are operations, answers and plain text in the given dialect."""

    def __init__(self, dialect: Dialect, seed: int | np.random.Generator | None = None) -> None:
        super().__init__(seed)
        self.dialect = dialect
        # Only operations on images: a space does not know whether the task has a video.
        offered = dialect.offered if dialect.offers_calls else ()
        self._operations = [operation for operation in offered if operation.image_field() is not None]

    def sample(self, mask: None = None, probability: None = None) -> str:
        """In half of the cases an operation on the first image, else an answer or a plain text."""
        _refuse_masks(mask, probability)
        kind = self.np_random.random()
        if kind < 0.5 and self._operations:
            return write(self._drawn_operation(), self.dialect, [(512, 512)], [(512, 512)])
        if kind < 0.75:
            return write(Answer(str(self.np_random.integers(10))), self.dialect)
        return write(Text(super().sample()), self.dialect)

    def _drawn_operation(self) -> Operation:
        drawing = Drawing(self.np_random)
        count = len(self._operations)
        chosen = self._operations[int(self.np_random.integers(count)) if count > 1 else 0].draw(drawing)
        assert chosen is not None, "only operations that can be drawn without a video are kept"
        return chosen

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AssistantText) and other.dialect == self.dialect

    def __repr__(self) -> str:
        return f"AssistantText({self.dialect.name!r})"


class Images(gym.Space[tuple[np.ndarray, ...]]):
    """Any number of RGB images: a tuple of uint8 arrays of shape (height, width, 3), sizes free."""

    def __init__(self, seed: int | np.random.Generator | None = None) -> None:
        super().__init__(shape=None, dtype=None, seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """False: the number and the sizes are free."""
        return False

    def sample(self, mask: None = None, probability: None = None) -> tuple[np.ndarray, ...]:
        """0 to 2 small images of noise. `mask` and `probability` are not supported and must be None."""
        _refuse_masks(mask, probability)
        sizes = self.np_random.integers(1, 64, size=(self.np_random.integers(3), 2))
        return tuple(self.np_random.integers(0, 256, size=(h, w, 3), dtype=np.uint8) for h, w in sizes)

    def contains(self, x: Any) -> bool:
        """Whether `x` is a tuple of non-empty uint8 arrays of shape (height, width, 3)."""
        return isinstance(x, tuple) and all(_is_image(item) for item in x)

    def to_jsonable(self, sample_n: Iterable[tuple[np.ndarray, ...]]) -> list[Any]:
        """Nested lists of numbers."""
        return [[image.tolist() for image in sample] for sample in sample_n]

    def from_jsonable(self, sample_n: list[Any]) -> list[Any]:
        """The inverse of `to_jsonable`."""
        return [tuple(np.asarray(image, dtype=np.uint8) for image in sample) for sample in sample_n]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Images)

    def __repr__(self) -> str:
        return "Images()"


Pictures = Images
"""An earlier name of `Images`."""


def _is_image(item: object) -> bool:
    return (
        isinstance(item, np.ndarray)
        and item.dtype == np.uint8
        and item.ndim == 3
        and item.shape[2] == 3
        and item.size > 0
    )


def _refuse_masks(mask: object, probability: object) -> None:
    if mask is not None or probability is not None:
        raise ValueError("this space has no fixed size, so sample() takes neither `mask` nor `probability`")


# ------------------------------------------------------------------------------------------------ shared memory
# Gymnasium's shared memory has a fixed size per environment. Ours is one file per environment, of any size.


class SharedFiles:
    """One file per environment, made by the parent process and removed with it. Picklable: children get the path."""

    def __init__(self, count: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pixel_env_"))
        self.count = count
        self._owner = os.getpid()
        for index in range(count):
            self.write(index, ())
        weakref.finalize(self, _remove, self.folder, self._owner)

    def write(self, index: int, value: Any) -> None:
        """Stores `value` as that of environment `index`."""
        (self.folder / str(index)).write_bytes(pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL))

    def read(self, index: int) -> Any:
        """The value of environment `index`."""
        return pickle.loads((self.folder / str(index)).read_bytes())


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked child holds a copy of the object, but the files are the parent's
        shutil.rmtree(folder, ignore_errors=True)


class SharedBatch(Sequence[Any]):
    """The current values of all environments, read from their files on access; a deep copy is a tuple of them.

    Gymnasium calls `read_from_shared_memory` once and copies the result after every step.
    """

    def __init__(self, files: SharedFiles) -> None:
        self._files = files

    def __len__(self) -> int:
        return self._files.count

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return tuple(self)[index]
        if not -len(self) <= index < len(self):
            raise IndexError(f"there are {len(self)} environments, got {index}")
        return self._files.read(index % len(self))

    def __iter__(self) -> Iterator[Any]:
        return (self._files.read(index) for index in range(len(self)))

    def __deepcopy__(self, memo: dict[int, Any]) -> tuple[Any, ...]:
        return tuple(self)


@create_shared_memory.register(UnicodeText)
@create_shared_memory.register(Images)
def _create(space: gym.Space[Any], n: int = 1, ctx: Any = None) -> SharedFiles:
    return SharedFiles(n)


@read_from_shared_memory.register(UnicodeText)
@read_from_shared_memory.register(Images)
def _read(space: gym.Space[Any], shared_memory: SharedFiles, n: int = 1) -> SharedBatch:
    return SharedBatch(shared_memory)


@write_to_shared_memory.register(UnicodeText)
@write_to_shared_memory.register(Images)
def _write(space: gym.Space[Any], index: int, value: Any, shared_memory: SharedFiles) -> None:
    shared_memory.write(index, value)
