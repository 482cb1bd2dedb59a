"""The registry of operations: those that ship, and how to add one of your own.

Depends on the operations; independent of dialects. An operation is named by its `name`, or by 'module:Class' if it is
defined elsewhere; a package may also list its operations in the entry point group `pixel_env.operations`.
"""

import dataclasses
import re
from importlib.metadata import entry_points
from typing import Any

from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.import_callable import imported
from pixel_env.operations.arguments import Argument
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.enhance import Enhance
from pixel_env.operations.flip import Flip
from pixel_env.operations.frame_at_time import FrameAtTime
from pixel_env.operations.operation import Operation
from pixel_env.operations.point_zoom import PointZoom
from pixel_env.operations.resize import Resize
from pixel_env.operations.rotate import Rotate
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.operations.select_range import SelectRange
from pixel_env.operations.select_segment import SelectSegment

ENTRY_POINTS = "pixel_env.operations"

DEFAULT = (CropImage.name, SelectFrames.name)
"""The operations of the method (arXiv 2505.15966), which every dialect offers unless it says otherwise."""

OPERATIONS: dict[str, type[Operation]] = {
    operation.name: operation
    for operation in (
        CropImage,
        SelectFrames,
        Rotate,
        Flip,
        Resize,
        PointZoom,
        Enhance,
        SelectSegment,
        SelectRange,
        FrameAtTime,
    )
}
"""By name. Those of users are added by `register`, or when they are first named as 'module:Class'."""

_NOT_OPERATIONS = ("answer", "text", "malformed", "cut", "magnified")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def register(operation: type[Operation]) -> type[Operation]:
    """Adds `operation` to the registry and returns it, so that it can be used as a decorator.

    Raises ConfigError, with what is missing, if it is not a valid operation, or if another operation has its name.
    """
    fault = _fault_of(operation)
    if fault:
        raise ConfigError(f"{_called(operation)} cannot be used as an operation: {fault}")
    known = OPERATIONS.setdefault(operation.name, operation)
    if _origin(known) != _origin(operation):
        raise ConfigError(
            f"{_called(operation)} cannot be used as an operation: {_called(known)} has the name {operation.name!r} "
            "already. Give it another name."
        )
    OPERATIONS[operation.name] = operation
    return operation


def operation_named(name: str) -> type[Operation]:
    """The operation called `name`; 'module:Class' imports and registers one. Raises UnknownNameError, ConfigError."""
    if ":" in name:
        return register(imported(name, "operation"))
    if name not in OPERATIONS:
        for point in entry_points(group=ENTRY_POINTS, name=name):
            return register(point.load())
        raise UnknownNameError.among("operation", name, OPERATIONS, "One of your own is named as 'module:Class'.")
    return OPERATIONS[name]


def _fault_of(operation: Any) -> str:
    """Why `operation` is not a valid operation, and how to fix it; "" if it is valid."""
    if not (isinstance(operation, type) and issubclass(operation, Operation)):
        return "it is not a subclass of pixel_env.operations.Operation (or ImageOperation). Derive it from one."
    if "__dataclass_params__" not in vars(operation) or not operation.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        return "it is not a frozen dataclass. Put @dataclass(frozen=True) above it."
    for attribute in ("name", "description"):
        if not isinstance(getattr(operation, attribute, None), str):
            return f"it has no {attribute!r}. Set it to a text."
    if not _NAME.fullmatch(operation.name) or operation.name in _NOT_OPERATIONS:
        return f"its name is {operation.name!r}. Use lower-case words joined by '_', and none of {_NOT_OPERATIONS}."
    fields = dataclasses.fields(operation)  # type: ignore[arg-type]
    undeclared = [field.name for field in fields if not isinstance(field.metadata.get("argument"), Argument)]
    if undeclared:
        return (
            f"its field {undeclared[0]!r} declares no argument. Write {undeclared[0]}: ... = argument(ImageNumber())."
        )
    if operation.wire_order and sorted(operation.wire_order) != sorted(field.name for field in fields):
        return f"its wire_order is {operation.wire_order}. Name each of its fields once."
    if missing := getattr(operation, "__abstractmethods__", None):
        return f"it lacks {', '.join(sorted(missing))}. Define what is missing."
    return ""


def _called(operation: Any) -> str:
    return ":".join(_origin(operation)) if isinstance(operation, type) else repr(operation)


def _origin(operation: type) -> tuple[str, str]:
    return operation.__module__, operation.__qualname__
