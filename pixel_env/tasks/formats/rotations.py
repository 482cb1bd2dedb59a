"""Rows that ask one question several times with its options in another order, as HR-Bench does.

Pure functions of values; independent of files and formats.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """What a row asks: the question, its options in the row's order, and the text of the right one."""

    question: str
    options: tuple[str, ...]
    right: str


def rotations(rows: Iterable[Asked]) -> list[tuple[int, int]]:
    """For each row the number of its question and of its rotation, both from 0.

    Neighbours ask one question if they agree in it, in the set of the options and in the right one, while the place of
    the right one is new: two questions with equal texts about two images are told apart by it.
    """
    numbers: list[tuple[int, int]] = []
    previous: Asked | None = None
    places: set[int] = set()
    for row in rows:
        place = row.options.index(row.right) if row.right in row.options else -1
        question, rotation = numbers[-1] if numbers else (-1, -1)
        if previous is None or not _is_same(row, previous) or place in places:
            numbers.append((question + 1, 0))
            places = set()
        else:
            numbers.append((question, rotation + 1))
        places.add(place)
        previous = row
    return numbers


def are_all_rotated(numbers: Sequence[tuple[int, int]], rows: Sequence[Asked]) -> bool:
    """Whether every question comes as often as it has options, as in a set that rotates all of them."""
    counts = dict(numbers)  # the last rotation of each question
    complete = (counts[question] + 1 == len(row.options) > 1 for (question, _), row in zip(numbers, rows, strict=True))
    return bool(numbers) and all(complete)


def _is_same(row: Asked, other: Asked) -> bool:
    return (row.question, row.right, sorted(row.options)) == (other.question, other.right, sorted(other.options))
