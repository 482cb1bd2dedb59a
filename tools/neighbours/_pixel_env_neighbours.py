"""Loads pixel_env/neighbours.py when one of our four general names is imported first, in whatever way.

The line of `_pixel_env_neighbours.pth` runs `install` whenever Python starts: nothing but `sys` may be needed for it.
"""

import sys

NAMES = ("agents", "rewards", "synth", "benchmarks")


class NeighbourFinderAtStart:
    """Stands in for the finder of pixel_env/neighbours.py until one of the names is imported."""

    def find_spec(self, fullname, path=None, target=None):
        """What the real finder answers, which takes the place of this one; None without a `pixel_env`."""
        if fullname.partition(".")[0] not in NAMES or not _replaced_by_the_finder():
            return None
        return sys.meta_path[0].find_spec(fullname, path, target)


def install() -> None:
    """Puts the stand-in before all other finders."""
    sys.meta_path.insert(0, NeighbourFinderAtStart())


def _replaced_by_the_finder() -> bool:
    from importlib.machinery import PathFinder, SourceFileLoader
    from pathlib import Path

    spec = PathFinder.find_spec("pixel_env")
    if spec is None or spec.origin is None:
        return False
    path = Path(spec.origin).with_name("neighbours.py")
    if not path.is_file():
        return False
    # By its file: `import pixel_env` would import Gymnasium for a script that may want another project's `agents`.
    neighbours = type(sys)("_pixel_env_neighbours_finder")
    neighbours.__file__ = str(path)
    SourceFileLoader(neighbours.__name__, str(path)).exec_module(neighbours)
    neighbours.install()
    return True
