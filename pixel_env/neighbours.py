"""Other packages and files that share a name with `agents`, `rewards`, `synth` or `benchmarks`.

The four are namespace packages: another distribution (openai-agents brings `agents`) installs its modules into the same
folder, and a user's own folder without `__init__.py` adds modules to ours. Two cases are left for the finder below:

- An editable installation. Our folder is the checkout, the other package is in site-packages and is found first. A
  module that is not in the other package is found in ours.
- The user's own `agents.py`, or a package `agents/__init__.py`, in the working folder or on PYTHONPATH. It hides ours:
  the import of a module of ours says which file to rename. Its own modules are imported as if we were not there.

The finder is installed by tools/neighbours, whose two files are put into site-packages and run when Python starts, and
by `import pixel_env`, for a checkout that is not installed. So this module has to load without the package.

Depends on the import system; independent of every other module of the library.
"""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec, SourceFileLoader
    from types import FrameType, ModuleType

NAMES = frozenset({"agents", "rewards", "synth", "benchmarks"})
"""Our top-level packages whose names others use, too."""

_INSTALLED = ("site-packages", "dist-packages")


class HiddenPackageError(ImportError):
    """A module of pixel-env is hidden by a file or folder of the same name. The message names the one to rename."""


class NeighbourFinder:
    """Finds our modules beside a package of the same name, or raises `HiddenPackageError`; see the module."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """The spec of a module in one of the four packages where Python alone would find none; else None."""
        top, _, inside = fullname.partition(".")
        if top not in NAMES or "." in inside:
            return None
        return self._inside(fullname, path) if inside else self._top(fullname)

    def _top(self, name: str) -> "ModuleSpec | None":
        spec = self._found_by_others(name, None)
        if spec is None or spec.submodule_search_locations is not None or spec.loader is None:
            return spec
        from importlib.machinery import SourceFileLoader

        if type(spec.loader) is SourceFileLoader:
            spec.loader = _file_that_may_hide(spec.loader)
        return spec

    def _inside(self, fullname: str, path: Sequence[str] | None) -> "ModuleSpec | None":
        top, _, inside = fullname.partition(".")
        ours = our_folder(top)
        if ours is None or _module_file(ours, inside) is None:
            return None
        spec = self._found_by_others(fullname, path)
        if spec is None:
            hiding = _location(top, path)
            if not is_installed(hiding):
                raise HiddenPackageError(message(fullname, hiding, ours), name=fullname)
            from importlib.machinery import PathFinder

            return PathFinder.find_spec(fullname, [ours])
        found = spec.origin or next(iter(spec.submodule_search_locations or ()), "")
        # Another module of this name is for its own importers; it is an error only if our code imports it.
        if not _is_inside(found, ours) and _importer_is_inside(os.path.dirname(ours)):
            raise HiddenPackageError(message(fullname, found, ours), name=fullname)
        return spec

    def _found_by_others(self, fullname: str, path: Sequence[str] | None) -> "ModuleSpec | None":
        for finder in list(sys.meta_path):
            if not is_neighbour_finder(finder) and (find := getattr(finder, "find_spec", None)) is not None:
                spec: ModuleSpec | None = find(fullname, path)
                if spec is not None:
                    return spec
        return None


def install() -> None:
    """Puts the finder before all others, in the place of an earlier one; calling it again changes nothing."""
    sys.meta_path[:] = [NeighbourFinder(), *(finder for finder in sys.meta_path if not is_neighbour_finder(finder))]


def is_neighbour_finder(finder: object) -> bool:
    """Whether `finder` is one of this module, of another copy of it, or the stand-in of tools/neighbours."""
    return type(finder).__name__ in (NeighbourFinder.__name__, "NeighbourFinderAtStart")


def hidden_package() -> str | None:
    """A message that says what to do if one of the four packages is hidden, else None. Imports none of them."""
    for name in sorted(NAMES):
        ours = our_folder(name)
        if ours is not None and (hiding := _hiding(name, ours)) is not None:
            return message(name, hiding, ours)
    return None


def our_folder(name: str) -> str | None:
    """The folder of our package `name`, next to `pixel_env`. None if there is no such folder."""
    found = sys.modules.get("pixel_env")
    if found is None or not getattr(found, "__file__", None):
        from importlib.machinery import PathFinder

        spec = PathFinder.find_spec("pixel_env")
        origin = spec.origin if spec is not None else None
    else:
        origin = found.__file__
    if origin is None:
        return None
    folder = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(origin))), name)
    return folder if os.path.isdir(folder) else None


def is_installed(location: str) -> bool:
    """Whether `location` belongs to an installed distribution and not to the user's own files."""
    return any(part in _INSTALLED for part in location.split(os.sep))


def message(name: str, hiding: str, ours: str) -> str:
    """What is hidden (a package, or one of its modules), by which file or folder, and what to do."""
    return f"{hiding} hides {name!r} of pixel-env, which is in {ours}. {_advice(name.partition('.')[0], hiding)}"


def _advice(package: str, hiding: str) -> str:
    if not is_installed(hiding):
        return "Python searches the working folder, the script's folder and PYTHONPATH first: rename it."
    from importlib.metadata import packages_distributions

    owners = ", ".join(sorted(set(packages_distributions().get(package, [])) - {"pixel-env"})) or "another project"
    return f"It comes from {owners}: install pixel-env and {owners} in two virtual environments."


def _hiding(name: str, ours: str) -> str | None:
    """The file or folder because of which our package `name`, or a module of it, is not found."""
    from importlib.util import find_spec

    spec = find_spec(name)
    if spec is None:
        return None  # the error of the import itself is clearer
    if spec.origin is not None and not _is_inside(spec.origin, ours) and not is_installed(spec.origin):
        folder, file = os.path.split(spec.origin)
        return folder if file == "__init__.py" else spec.origin
    modules = [entry.removesuffix(".py") for entry in os.listdir(ours)]
    for location in map(os.path.realpath, spec.submodule_search_locations or ()):
        if location == ours:
            return None
        for module in modules:
            if _module_file(ours, module) is not None and (hiding := _module_file(location, module)) is not None:
                return hiding
    return None


def _module_file(folder: str, name: str) -> str | None:
    """The file of the module or regular package `name` in `folder`, if there is one."""
    candidates = (os.path.join(folder, name, "__init__.py"), os.path.join(folder, f"{name}.py"))
    return next((path for path in candidates if os.path.isfile(path)), None)


def _location(top: str, path: Sequence[str] | None) -> str:
    """Where the imported package `top` is that is searched for modules in `path`: its folder, or its one file."""
    return next(iter(path or ()), None) or str(getattr(sys.modules.get(top), "__file__", None) or top)


def _is_inside(path: str, folder: str) -> bool:
    return os.path.realpath(path).startswith(folder + os.sep)


def _importer_is_inside(folder: str) -> bool:
    """Whether the importing code, above the frames of the import system, is a file in `folder`."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if not name.startswith("importlib") and frame.f_code.co_filename != __file__:
            parts = (os.path.join(folder, package) for package in ("pixel_env", *NAMES))
            return any(_is_inside(frame.f_code.co_filename, part) for part in parts)
        frame = frame.f_back
    return False


def _file_that_may_hide(loader: "SourceFileLoader") -> "SourceFileLoader":
    """The loader of a single file `agents.py`. The module gets an empty `__path__`: then Python asks the finders for
    `agents.grpo`, which is answered with our message instead of "'agents' is not a package".

    In the module and not in its spec: with a search path in the spec, `python -m agents` would look for a package.
    """

    class FileThatMayHide(type(loader)):  # type: ignore[misc]
        def exec_module(self, module: "ModuleType") -> None:
            module.__path__ = []
            super().exec_module(module)

    return FileThatMayHide(loader.name, loader.path)
