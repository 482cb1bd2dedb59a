"""Which of a folder's files of one format are the set: all, or those of a split.

Depends on names of files and the declarations of a format; independent of what the files contain.
"""

from collections.abc import Mapping
from pathlib import Path

from pixel_env.errors import TaskError
from pixel_env.tasks.files.shards import FileSet, SplitName, joined, split_of
from pixel_env.tasks.formats.format import Format

_SHOWN = 8


def files_of_one_set(
    folder: Path, columns_by_file: Mapping[Path, frozenset[str]], known: Format, split: str
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """The files, shards in order, and what is to be said about the choice.

    The split is told by the words in the names of files and folders. Where there is no test split, that of validation
    serves as one. Raises TaskError where several sets are of the split, or shards are missing.
    """
    single = [file for file, columns in columns_by_file.items() if not known.joins(columns)]
    if not single:
        return tuple(columns_by_file), ()
    single = [file for file in single if file.name.lower().endswith(known.preferred_suffix)] or single
    sets = joined(single)
    if len(sets) == 1:
        return sets[0].complete(), ()
    by_split: dict[SplitName, list[FileSet]] = {}
    for one in sets:
        by_split.setdefault(split_of(one.files[0], folder), []).append(one)
    for wanted in _in_order(split, known):
        match by_split.get(wanted, []):
            case [one]:
                return one.complete(), (_notice(wanted),) if wanted == "validation" and "test" not in by_split else ()
            case [_, *_] as several:
                raise _several(folder, several, known)
    raise _several(folder, sets, known)


def _in_order(split: str, known: Format) -> tuple[SplitName, ...]:
    if split != "test":
        return ("train",)
    # The answers of some test splits are not published.
    return ("validation", "test") if known.test_word == "val" else ("test", "validation")


def _notice(wanted: SplitName) -> str:
    return f"The set has no test split; its {wanted} split is used."


def _several(folder: Path, sets: list[FileSet], known: Format) -> TaskError:
    names = [f"  {one.pattern}" for one in sets[:_SHOWN]]
    more = [f"  ... and {len(sets) - _SHOWN} more"] if len(sets) > _SHOWN else []
    message = f"{folder} holds several files of the format {known.name!r}; give one of them:"
    return TaskError("\n".join([message, *names, *more]))
