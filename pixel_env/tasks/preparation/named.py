"""A data set of the table by its name: "prepared:hr-bench-4k" is where it was prepared.

Depends on the table of data sets, the hub's folders and the index; independent of formats' contents.
"""

import os
from pathlib import Path

from pixel_env.errors import TaskError, UnknownNameError
from pixel_env.tasks.data_sets import DATA_SETS, DataSet
from pixel_env.tasks.formats.recognition import FORMATS
from pixel_env.tasks.preparation.hub import data_home, home_of
from pixel_env.tasks.preparation.index import index_of

PREPARED_PREFIX = "prepared:"


def folder_of(name: str) -> Path:
    """Where the set is, or would be, in the data home."""
    known = _known(name)
    return home_of(known.hub_id, known.files) if known.hub_id else data_home() / name


def prepared_spec(name: str) -> str:
    """The folder of the prepared set, with its format: what `tasks=` takes. Raises TaskError, UnknownNameError.

    The message of a set that is not there is one line, since an environment's id says no more than the name.
    """
    folder = folder_of(name)
    index = index_of(folder)
    if index is None:
        fetched = f"run: pixel-env data prepare {name}, or " if _known(name).hub_id else ""
        raise TaskError(
            f"the data set {name!r} is not in {folder}: {fetched}prepare its files where they are, pixel-env data "
            f"prepare {name} --from FOLDER, and give tasks=FOLDER"
        )
    return f"{index.format_name}:{folder}"


def check_is_no_name(place: str) -> None:
    """Raises TaskError or UnknownNameError if what is no path is a data set's name, or has one of no format before it.

    Such a path would only be said to be missing.
    """
    if place in DATA_SETS:
        raise TaskError(
            f"there is no path {place!r}, but a data set of this name: give {PREPARED_PREFIX}{place}, or the path of "
            "its files"
        )
    prefix, colon, path = place.partition(":")
    if colon and os.path.exists(path):
        raise UnknownNameError.among("task format", prefix, FORMATS, f"Without one the columns tell: {path}.")


def _known(name: str) -> DataSet:
    if name not in DATA_SETS:
        raise UnknownNameError.among("data set", name, DATA_SETS, "All names: pixel-env data list")
    return DATA_SETS[name]
