"""Sequences whose items are composed when they are asked for, each time anew and always the same.

Knows indices and slices. Knows nothing of what an item is.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TypeVar, overload

Item = TypeVar("Item", covariant=True)


class Composed(Sequence[Item]):
    """A sequence, once it is said how long it is and what stands at a place."""

    @abstractmethod
    def at(self, place: int) -> Item:
        """The item at `place`, from 0 to the length less one."""

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        if isinstance(index, slice):
            return [self.at(place) for place in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"there are {len(self)} items, asked for number {index}")
        return self.at(index % len(self))
