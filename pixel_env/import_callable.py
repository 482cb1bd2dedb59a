"""Import an object of the user's own that a configuration names as 'module:name'.

Depends on Python's import system; independent of the use of the object.
"""

import difflib
import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

from pixel_env.errors import ConfigError
from pixel_env.neighbours import NAMES


def imported(name: str, kind: str) -> Any:
    """The object that `name` ("module:name") names; the working folder is searched too.

    `kind`: what the object is used as, for messages. Raises ConfigError if it cannot be imported.
    """
    module, _, attribute = name.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # the console command, unlike `python -m`, leaves the working folder out
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError, SyntaxError) as error:
        raise ConfigError(
            f"The {kind} {name!r} cannot be loaded: {error}.{_suggestion(module, attribute)} Wanted: 'module:name' of "
            f"a module that can be imported from here. {_advice(module)}"
        ) from error


def _advice(module: str) -> str:
    if module in NAMES:
        return f"{module!r} is a package of pixel-env, which is found instead of a file {module}.py: rename your file."
    return "Check both names, or run from the folder that holds the module."


def imported_callable(name: str, kind: str) -> Callable[..., Any]:
    """The function that `name` names. Raises ConfigError if it cannot be imported or called."""
    value = imported(name, kind)
    if not callable(value):
        raise ConfigError(f"The {kind} {name!r} is a {type(value).__name__}. Wanted: a function.")
    return value


def name_of(function: object, kind: str) -> str:
    """The name 'module:name' by which other processes and later commands find `function` again.

    Raises ConfigError for one that cannot be found by a name: a lambda, a function within a function, a method.
    """
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if module and name and getattr(sys.modules.get(module), name, None) is function:
        return f"{module}:{name}"
    raise ConfigError(
        f"The {kind} {name or type(function).__name__!r} cannot be named, so no other process and no later command "
        "would find it: it is a lambda, a method, or a function within another. Wanted: a function that stands at the "
        f"top of a module. Write it there with 'def', and give it or its name 'module:function' as the {kind}."
    )


def _suggestion(module: str, attribute: str) -> str:
    """The public name of the module that is closest to `attribute`, if the module could be imported and has one."""
    public = [name for name in dir(sys.modules.get(module)) if not name.startswith("_")]
    close = difflib.get_close_matches(attribute, public, n=1)
    return f" Did you mean '{module}:{close[0]}'?" if close else ""
