"""A call's arguments as an operation, and back: `read_call`, `write_call`, `schema_of`.

Depends on declared arguments and conventions; independent of the syntax that a call is written in.
"""

from collections.abc import Mapping
from typing import Any

from pixel_env.failures import Failure, FailureCode
from pixel_env.operations.argument_kinds import ImageNumber
from pixel_env.operations.coordinates import Convention
from pixel_env.operations.list_keys import list_name, packed, packed_schema, unpacked
from pixel_env.operations.operation import Operation

Keys = Mapping[str, str]
"""A dialect's own names of arguments: from a field's name ("box"), or "operation.field", to the key in a call.

A key "segment[0]" is the first item of a list under the key "segment" (`list_keys.py`).
"""


def key_of(operation: type[Operation], name: str, keys: Keys) -> str:
    """The key of the argument `name` in a call."""
    return keys.get(f"{operation.name}.{name}", keys.get(name, operation.arguments()[name].key))


def read_call(
    operation: type[Operation], given: object, convention: Convention, keys: Keys, called: str
) -> Operation | Failure:
    """The operation that a call with the arguments `given` requests; `called`: its name in the dialect."""
    declared = operation.arguments()
    optional = _optional(operation, convention)
    names = {key_of(operation, name, keys): name for name in declared}
    expected = _expected(operation, keys, called, optional)
    if not isinstance(given, dict):
        return expected
    given = unpacked(given, names)
    if not set(given) <= set(names):
        return expected
    values = {names[key]: value for key, value in given.items()}
    if not set(values) | set(optional) >= set(declared):
        return expected
    if not all(declared[name].is_well_formed(value) for name, value in values.items()):
        return expected
    # The image first: pixel coordinates depend on its shown size.
    image_field = operation.image_field()
    read: dict[str, Any] = {}
    for name in sorted(values, key=lambda name: name != image_field):
        image = read.get(image_field or "", optional.get(image_field or "", 0))
        value = declared[name].read(values[name], convention, image)
        if isinstance(value, Failure):
            return value
        read[name] = value
    return operation(**(optional | read))


def write_call(operation: Operation, convention: Convention, keys: Keys) -> dict[str, Any]:
    """The arguments of a call for `operation`, by key; arguments with their default value are left out."""
    optional = _optional(type(operation), convention)
    image = operation.image_number or 0
    values = {
        key_of(type(operation), name, keys): kind.write(getattr(operation, name), convention, image)
        for name, kind in operation.arguments().items()
        if name not in optional or getattr(operation, name) != optional[name]
    }
    return packed(values, values)


def schema_of(operation: type[Operation], convention: Convention, keys: Keys, called: str) -> dict[str, Any]:
    """The operation as a JSON schema (OpenAI function format)."""
    declared, optional = operation.arguments(), _optional(operation, convention)
    properties = {key_of(operation, name, keys): kind.schema(convention) for name, kind in declared.items()}
    required = [key_of(operation, name, keys) for name in declared if name not in optional]
    parameters = {
        "type": "object",
        "properties": packed_schema(properties),
        "required": list(dict.fromkeys(map(list_name, required))),
    }
    return {
        "type": "function",
        "function": {"name": called, "description": operation.description, "parameters": parameters},
    }


def _optional(operation: type[Operation], convention: Convention) -> dict[str, Any]:
    """The arguments that a call may leave out, with the values that they then have."""
    default = convention.default_image
    images = [name for name, kind in operation.arguments().items() if isinstance(kind, ImageNumber)]
    return operation.optional() | ({} if default is None else dict.fromkeys(images, default))


def _expected(operation: type[Operation], keys: Keys, called: str, optional: Mapping[str, Any]) -> Failure:
    parts = []
    for name, kind in operation.arguments().items():
        can_be_left_out = ", optional" if name in optional else ""
        parts.append(f"{key_of(operation, name, keys)} ({kind.expected}{can_be_left_out})")
    listed = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts) or "no arguments"
    return Failure(FailureCode.BAD_ARGUMENTS, f"The call cannot be read: {called} takes {listed}.")
