"""Values of YAML and JSON as the types that the fields of a dataclass declare, and back.

Depends on type annotations and error types; independent of dialects and of what a field means.
"""

import types
import typing
from collections.abc import Mapping
from typing import Any

from pixel_env.errors import ConfigError


def checked_value(name: str, value: Any, hint: Any, where: str) -> Any:
    """`value` as the type that `hint` wants. Raises ConfigError for another type."""
    typed = _typed(value, hint)
    if typed is _WRONG:
        raise ConfigError(f"{name!r} is {value!r}, {kind_of(value)}; wanted: {_described(hint)}. It stands in {where}.")
    if _has_lone_surrogate(typed):
        raise ConfigError(f"{name!r} has half of a character (a lone surrogate). Leave it out. It stands in {where}.")
    return typed


def _has_lone_surrogate(value: Any) -> bool:
    if isinstance(value, str):
        return any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, Mapping):
        return any(map(_has_lone_surrogate, (*value, *value.values())))
    return isinstance(value, tuple) and any(map(_has_lone_surrogate, value))


def _described(hint: Any) -> str:
    """The type that `hint` wants, in words."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return " or ".join(map(str, arguments))
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_described(one) for one in arguments)
    if origin is tuple:
        count = "" if arguments[1:] == (...,) else f" of {len(arguments)}"
        return f"a list{count}, each {_described(arguments[0])}"
    if origin is not None:
        return "keys and values that are texts"
    names = {str: "a text", bool: "true or false", int: "a whole number", float: "a number", types.NoneType: "null"}
    return names.get(hint, str(hint))


_WRONG = object()


def _typed(value: Any, hint: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return value if value in arguments else _WRONG
    if origin in (typing.Union, types.UnionType):
        return next((typed for one in arguments if (typed := _typed(value, one)) is not _WRONG), _WRONG)
    if hint is types.NoneType:
        return None if value is None else _WRONG
    if origin is tuple:
        return _typed_tuple(value, arguments)
    if origin is not None:  # the mappings of texts to texts
        if not isinstance(value, dict) or not all(isinstance(one, str) for pair in value.items() for one in pair):
            return _WRONG
        return dict(value)
    if hint is float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if is_number else _WRONG
    is_right = isinstance(value, hint) and (hint is bool or not isinstance(value, bool))
    return value if is_right else _WRONG


def _typed_tuple(value: Any, arguments: tuple[Any, ...]) -> Any:
    if not isinstance(value, list | tuple):
        return _WRONG
    kinds = [arguments[0]] * len(value) if arguments[1:] == (...,) else list(arguments)
    if len(kinds) != len(value):
        return _WRONG
    typed = tuple(_typed(one, kind) for one, kind in zip(value, kinds, strict=True))
    return _WRONG if _WRONG in typed else typed


def kind_of(value: Any) -> str:
    """What a value of YAML is, in words, for messages."""
    names = {
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "a mapping",
    }
    return "nothing" if value is None else names.get(type(value), f"a {type(value).__name__}")


def plain(value: Any) -> Any:
    """`value` as JSON and YAML hold it: tuples as lists, mappings as dicts."""
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, tuple | list) else value
