"""A bar on the terminal while a loop runs, where tqdm is installed; the light base works without one."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def progress(items: Iterable[T], what: str, *, unit: str, total: int | None = None, initial: int = 0) -> Iterator[T]:
    """The items; `total`: how many there are with the `initial` ones that were there before, their number if None."""
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        yield from items
        return
    yield from tqdm(items, desc=what, unit=unit, total=total, initial=initial, mininterval=0.5, disable=None)
