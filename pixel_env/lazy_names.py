"""Public names of a package that are loaded when they are first used.

Depends on the import system; independent of what the names are.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(package: str, module_of: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` for the `__init__` of `package`: each name comes from the module `module_of` gives.

    `dir(package)` lists the public names and Python's own, and nothing that the package merely imports:

        __getattr__, __dir__ = lazy_names(__name__, {"PixelGRPOTrainer": "agents.grpo.trainer"})
    """

    def loaded(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(module_of[name]), name)

    def listed() -> list[str]:
        of_python = [name for name in vars(sys.modules[package]) if name.startswith("__") and name.endswith("__")]
        return sorted({*of_python, *module_of})

    return loaded, listed
