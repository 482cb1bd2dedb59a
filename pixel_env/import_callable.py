"""Import an object of the user's own that a configuration names as 'module:name'.

Importing a module runs its code. The user's word for it is a flag, a recipe, Python, or the variable `TRUST`; a name
that a folder of a run, of traces or of a model records is not (`names_recorded_in`), because anybody may have made it.
Depends on Python's import system; independent of the use of the object.
"""

import difflib
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from pixel_env.errors import ConfigError
from pixel_env.neighbours import NAMES

TRUST = "PIXEL_ENV_TRUST"
"""The environment variable with the modules, separated by commas, that recorded names may import."""
_RECORDED_IN: ContextVar[str | None] = ContextVar("recorded_in", default=None)
_NAMED_BY_USER: set[str] = set()


@contextmanager
def names_recorded_in(where: Path | str) -> Iterator[None]:
    """Inside of it, a name is the word of the file `where`: it imports only a module that the user has named before."""
    token = _RECORDED_IN.set(str(where))
    try:
        yield
    finally:
        _RECORDED_IN.reset(token)


def _check_is_the_users_word(module: str, name: str, kind: str) -> None:
    where = _RECORDED_IN.get()
    if where is None:
        _NAMED_BY_USER.add(module)
    elif module not in _NAMED_BY_USER and module not in os.environ.get(TRUST, "").split(","):
        raise ConfigError(
            f"{where} names the {kind} {name!r}. That is code, and a file cannot say that it may run. If you trust it, "
            f"set {TRUST}={module} before the command, or name it yourself with a flag."
        )


def imported(name: str, kind: str) -> Any:
    """The object that `name` ("module:name") names; the working folder is searched too.

    `kind`: what the object is used as, for messages. Raises ConfigError if it cannot be imported, and for a name that a
    file records, of a module that the user has not named.
    """
    module, _, attribute = name.partition(":")
    _check_is_the_users_word(module, name, kind)
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # the console command, unlike `python -m`, leaves the working folder out
    try:
        return getattr(importlib.import_module(module), attribute)
    except Exception as error:  # the module is the user's own: any error may come
        named = "" if isinstance(error, ImportError | AttributeError) else f"{type(error).__name__}: "
        raise ConfigError(
            f"The {kind} {name!r} cannot be loaded: {named}{error}.{_suggestion(module, attribute)} Wanted: "
            f"'module:name' of a module that can be imported from here. {_advice(module)}"
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
        _NAMED_BY_USER.add(module)
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
