"""A progress bar on the terminal while a loop runs. Depends on tqdm; independent of what the loop does."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def progress(items: Iterable[T], what: str, *, unit: str, total: int | None = None, initial: int = 0) -> Iterator[T]:
    """The items; `total`: how many there are with the `initial` ones that were there before, their number if None."""
    yield from tqdm(items, desc=what, unit=unit, total=total, initial=initial, mininterval=0.5, disable=None)
