"""'module:function': how a user names a function of his own in a configuration."""

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

from pixel_env.errors import ConfigError


def own_function(name: str, kind: str) -> Callable[..., Any]:
    """The function that `name` stands for, searched in the working folder too. Raises ConfigError."""
    module, _, function = name.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # the console command, unlike `python -m`, leaves the working folder out
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"The {kind} {name!r} cannot be loaded: {error}. Wanted: 'module:function' of a module that can be "
            "imported from here. Check both names, or run from the folder that holds the module."
        ) from error
    return found
