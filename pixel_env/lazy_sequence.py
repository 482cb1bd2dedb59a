"""A sequence whose items are made on access, each time anew and always equal.

Depends on indices and slices; independent of what an item is.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TypeVar, overload

Item = TypeVar("Item", covariant=True)


class LazySequence(Sequence[Item]):
    """A sequence; a subclass defines its length (`__len__`) and its items (`at`)."""

    @abstractmethod
    def at(self, position: int) -> Item:
        """The item at `position`, from 0 to the length minus one."""

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> list[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | list[Item]:
        if isinstance(index, slice):
            return [self.at(position) for position in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"there are {len(self)} items, got the index {index}")
        return self.at(index % len(self))
