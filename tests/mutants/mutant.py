"""What a mutant is: one text of one definition, and what it becomes.

Depends on `definitions`; independent of how mutants are tried.
"""

from dataclasses import dataclass
from pathlib import Path

from tests.definitions import Definition, definition_named


@dataclass(frozen=True, slots=True)
class Mutant:
    """In the definition `target`, `old`, which stands there once, becomes `new`; one of `tests` must then fail.

    `target` is the name of a function, class, method ("Class.method") or constant, wherever it is; `tests` are files
    or single tests.
    """

    name: str
    target: str
    old: str
    new: str
    tests: tuple[str, ...]


class StaleMutantError(Exception):
    """The mutant cannot be made of this checkout; the message says why."""


def definition_of(mutant: Mutant, root: Path) -> Definition:
    """The definition in which the mutant's text stands exactly once."""
    try:
        definition = definition_named(mutant.target, root)
    except LookupError as error:
        raise StaleMutantError(f"{error} Correct the target of {mutant.name!r}.") from error
    count = definition.text.count(mutant.old)
    if count != 1:
        where = f"{definition.name} ({definition.file})"
        raise StaleMutantError(
            f"its text is found {count} times in {where}, wanted: once. Correct the text of {mutant.name!r}."
        )
    return definition


def make(mutant: Mutant, root: Path, copy: Path) -> None:
    """Writes the mutant of the checkout at `root` into `copy`, a copy of that checkout."""
    definition = definition_of(mutant, root)
    path = copy / definition.file
    whole = path.read_text(encoding="utf-8")
    changed = definition.text.replace(mutant.old, mutant.new)
    path.write_text(whole[: definition.start] + changed + whole[definition.end :], encoding="utf-8")
