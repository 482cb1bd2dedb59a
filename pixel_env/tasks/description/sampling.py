"""Which items of a long sequence are looked at: evenly spread, always the same, and the smallest, median and largest.

Depends on nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")


def positions(length: int, most: int) -> list[int]:
    """At most `most` positions of a sequence of that length, spread evenly from its first to its last item."""
    if length <= most:
        return list(range(length))
    return sorted({round(step * (length - 1) / max(most - 1, 1)) for step in range(most)})


def spread_over(items: Sequence[Item], most: int) -> list[Item]:
    """The items at `positions`."""
    return [items[position] for position in positions(len(items), most)]


@dataclass(frozen=True, slots=True)
class Range(Generic[Item]):
    """The smallest, the median (of two: the upper) and the largest of some items."""

    smallest: Item
    median: Item
    largest: Item


def range_of(items: Iterable[Item], by: Callable[[Item], Any]) -> Range[Item] | None:
    """The range of `items` in the order of `by`; None without items."""
    ordered = sorted(items, key=by)
    return Range(ordered[0], ordered[len(ordered) // 2], ordered[-1]) if ordered else None
