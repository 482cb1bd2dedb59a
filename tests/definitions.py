"""Finds a function, class, method or constant of the packages by its name, whatever file it is in.

Depends on Python's syntax tree; independent of who asks: the mutants, and the tests of the pages.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

PACKAGES = ("pixel_env", "agents", "rewards", "synth", "benchmarks")


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition with its whole dotted name, and where its text is: characters `start` to `end` of `file`."""

    name: str
    file: Path
    start: int
    end: int
    text: str


def definition_named(name: str, root: Path) -> Definition:
    """The only definition whose dotted name is `name` or ends in it: "read_box", "PixelEnv.step", "env.PixelEnv.step".

    Raises LookupError where there is none, or more than one.
    """
    found = [one for one in definitions(root) if one.name == name or one.name.endswith(f".{name}")]
    if len(found) == 1:
        return found[0]
    if not found:
        raise LookupError(f"no definition is named {name!r}.")
    names = ", ".join(one.name for one in found)
    raise LookupError(f"{len(found)} definitions are named {name!r}: {names}. Write more of the dotted name.")


@lru_cache(maxsize=4)
def definitions(root: Path) -> tuple[Definition, ...]:
    """All definitions of the packages at `root`, file after file."""
    files = sorted(file for package in PACKAGES for file in (root / package).rglob("*.py"))
    return tuple(definition for file in files for definition in _definitions_in(file.relative_to(root), root))


def _definitions_in(file: Path, root: Path) -> Iterator[Definition]:
    source = (root / file).read_text(encoding="utf-8")
    line_starts = [0, *accumulate(len(line) + 1 for line in source.split("\n"))]
    module = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
    for name, first_line, last_line in _named(ast.parse(source).body, module):
        start, end = line_starts[first_line - 1], line_starts[last_line]
        yield Definition(name, file, start, end, source[start:end])


def _named(body: list[ast.stmt], owner: str) -> Iterator[tuple[str, int, int]]:
    """Dotted name, first line and last line of what is defined at the top of a module or of its classes."""
    for statement in body:
        first, last = statement.lineno, statement.end_lineno or statement.lineno
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                first = min([first, *(decorator.lineno for decorator in statement.decorator_list)])
                yield f"{owner}.{statement.name}", first, last
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield f"{owner}.{name}", first, last
            case _:
                pass
        if isinstance(statement, ast.ClassDef):
            yield from _named(statement.body, f"{owner}.{statement.name}")
