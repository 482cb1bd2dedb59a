"""A call's arguments as an operation, and back: `read_call`, `write_call`, `schema_of`.

Depends on declared arguments and conventions; independent of the syntax that a call is written in.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from pixel_env.failures import Failure, FailureCode
from pixel_env.operations.argument_kinds import ImageNumber, Region
from pixel_env.operations.coordinates import Convention
from pixel_env.operations.keys import BoxKeys, Keys, number_or_text
from pixel_env.operations.list_keys import list_name, packed, packed_schema, unpacked
from pixel_env.operations.operation import Operation


def read_call(
    operation: type[Operation], given: object, convention: Convention, keys: Keys, called: str
) -> Operation | Failure:
    """The operation that a call with the arguments `given` requests; `called`: its name in the dialect."""
    declared = operation.arguments()
    optional = _optional(operation, convention)
    of_calls = keys.of_calls(operation)
    names = of_calls.names
    expected = partial(_expected, operation, convention, keys, called, optional)  # its text is needed seldom
    if not isinstance(given, dict):
        return expected()
    if not of_calls.are_plain:
        if any(given.get(key) != text for key, text in of_calls.constants.items()):
            return expected()
        given = keys.merged(operation, unpacked(given, [*names, *of_calls.box]), convention)
    if unknown := [key for key in given if key not in names]:
        # Some of the four keys of a box, without the others, are no keys that the operation does not have.
        named = [key for key in unknown if key not in {*of_calls.box, *map(list_name, of_calls.box)}]
        failure = expected()
        return Failure(failure.code, f"{failure.message} It has no {_shortened(named[0])}.") if named else failure
    if not {names[key] for key in given} | set(optional) >= set(declared):
        return expected()
    by_name = convention.image_names is not None
    if by_name and any(_is_unknown_name(declared[names[key]], value, convention) for key, value in given.items()):
        return _no_image_of_that_name(convention)
    values = {names[key]: _adapted(declared[names[key]], value, convention) for key, value in given.items()}
    if not all(declared[name].is_well_formed(value) for name, value in values.items()):
        return expected()
    # The image first: pixel coordinates depend on its size.
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
    written = {
        keys.of(type(operation), name): kind.write(getattr(operation, name), convention, image)
        for name, kind in operation.arguments().items()
        if name not in optional or getattr(operation, name) != optional[name]
    }
    split = keys.split(type(operation), written)
    return packed(split, split)


def schema_of(operation: type[Operation], convention: Convention, keys: Keys, called: str) -> dict[str, Any]:
    """The operation as a JSON schema (OpenAI function format)."""
    declared, optional = operation.arguments(), _optional(operation, convention)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for name, kind in declared.items():
        schema, of_argument = kind.schema(convention), [keys.of(operation, name)]
        if name in optional and of_argument[0] in keys.ignored:
            continue
        if isinstance(kind, Region) and keys.box is not None:
            of_argument = list(keys.box)
            sides = ("left edge", "top edge", "width", "height")
            described = convention.coordinates.described()
            schemas = [{"type": "number", "description": f"The region's {side}. {described}"} for side in sides]
        else:
            schemas = [schema]
        properties |= dict(zip(of_argument, schemas, strict=True))
        required += [] if name in optional else of_argument
    constants = keys.constants_of(operation)
    properties |= {key: {"type": "string", "enum": [text]} for key, text in constants.items()}
    required += list(constants)
    required = list(dict.fromkeys(map(list_name, required)))
    parameters = {"type": "object", "properties": packed_schema(properties), "required": required}
    return {
        "type": "function",
        "function": {"name": called, "description": operation.description, "parameters": parameters},
    }


def _optional(operation: type[Operation], convention: Convention) -> dict[str, Any]:
    """The arguments that a call may leave out, with the values that they then have."""
    default = convention.default_image
    if default is None:
        return dict(operation.optional())
    images = [name for name, kind in operation.arguments().items() if isinstance(kind, ImageNumber)]
    return {**operation.optional(), **dict.fromkeys(images, default)}


def _adapted(kind: Any, value: object, convention: Convention) -> object:
    adapted = kind.adapted(value, convention)
    if not convention.digits_as_text or kind.is_well_formed(adapted):
        return adapted
    return [number_or_text(item) for item in adapted] if isinstance(adapted, list) else number_or_text(adapted)


def _is_unknown_name(kind: Any, value: object, convention: Convention) -> bool:
    """Whether the image is not called as the dialect calls images: by another name, or by a number."""
    names = convention.image_names
    if names is None or not isinstance(kind, ImageNumber):
        return False
    return not isinstance(value, str) or names.number_of(value, convention.first_index) is None


def _no_image_of_that_name(convention: Convention) -> Failure:
    names, first = convention.image_names, convention.first_index
    assert names is not None
    listed = f"{names.name_of(0, first)}, {names.name_of(1, first)}, ..."
    return Failure(FailureCode.NO_SUCH_IMAGE, f"There is no image of that name; images are called {listed}")


def _shortened(key: object) -> str:
    text = repr(str(key))
    return text if len(text) <= 42 else f"{text[:40]}...'"


def _expected(
    operation: type[Operation], convention: Convention, keys: Keys, called: str, optional: Mapping[str, Any]
) -> Failure:
    parts = []
    for name, kind in operation.arguments().items():
        can_be_left_out = ", optional" if name in optional else ""
        if isinstance(kind, Region) and keys.box is not None:
            parts += [f"{part}{can_be_left_out})" for part in _box_parts(keys.box)]
        else:
            named = _image_name(convention) if isinstance(kind, ImageNumber) else ""
            parts.append(f"{keys.of(operation, name)} ({named or kind.expected}{can_be_left_out})")
    parts += [f'{key} ("{text}")' for key, text in keys.constants_of(operation).items()]
    listed = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts) or "no arguments"
    return Failure(FailureCode.BAD_ARGUMENTS, f"The call cannot be read: {called} takes {listed}.")


def _box_parts(box: BoxKeys) -> list[str]:
    """The keys of a box with what each holds, each without its closing bracket; items of a list stand together."""
    sides = dict(zip(box, ("left", "top", "width", "height"), strict=True))
    found = packed(sides, sides)
    return [
        f"{key} (a list of {len(value)} numbers: {', '.join(value)}" if isinstance(value, list) else f"{key} (a number"
        for key, value in found.items()
    ]


def _image_name(convention: Convention) -> str:
    """What a call says for an image, if the dialect names images; "" if it numbers them."""
    names, first = convention.image_names, convention.first_index
    return "" if names is None else f'the name of an image, such as "{names.name_of(0, first)}"'
