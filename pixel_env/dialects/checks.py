"""A dialect, checked before an episode: its operations, names, keys and templates.

Depends on dialects, operations and the names of graders; independent of the rows of the table.
"""

from collections.abc import Mapping

from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.templates import FIELDS, check_template, check_text, fields_of
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.grading import GRADERS
from pixel_env.once import once_for_each
from pixel_env.operations.coordinates import Coordinates
from pixel_env.operations.registry import DEFAULT, OPERATIONS, operation_named


def checked_operations(dialect: Dialect) -> Dialect:
    """`dialect`, if its operations exist, names and keys are unambiguous, and templates can be filled.

    Raises UnknownNameError, ConfigError.
    """
    _check(dialect)
    return dialect


@once_for_each  # every episode has an environment of its own, which checks its dialect
def _check(dialect: Dialect) -> None:
    named = [(operation_named(name), name) for name in dialect.operations]
    _check_marks_and_numbers(dialect)
    _check_templates(dialect)
    _check_coordinates_names_and_keys(dialect)
    called = [dialect.name_of(operation) for operation, _ in named]
    for index, name_in_dialect in enumerate(called):
        if name_in_dialect in called[:index]:
            raise ConfigError(
                f"the dialect {dialect.name!r} calls two operations {name_in_dialect!r}. Name each operation once."
            )
    for operation, name in named:
        if not dialect.calls.can_say(dialect.name_of(operation)) and operation.name not in DEFAULT:
            raise ConfigError(
                f"the dialect {dialect.name!r} cannot call the operation {name!r}. Leave the operation out, or give a "
                "dialect whose calls are JSON."
            )


def _check_marks_and_numbers(dialect: Dialect) -> None:
    where = f"of the dialect {dialect.name!r}"
    marks = {f"{mark} of calls": getattr(dialect.calls, mark, mark) for mark in ("opening", "closing")}
    marks |= {"answer_marker": dialect.answer_marker, "text in stop": min(dialect.stop, key=len, default="none")}
    for name, mark in marks.items():
        if not mark:
            raise ConfigError(f"the {name} {where} is empty, so that every turn holds it. Give a text.")
    for name, least in (("max_frames", 1), ("first_index", 0), ("default_image", 0)):
        value = getattr(dialect, name)
        if value is not None and value < least:
            raise ConfigError(f"{name} {where} is {value}; give {least} or more")
    for name in ("system", "prefill", "last_prefill"):
        check_text(getattr(dialect, name), f"{name!r} {where}")


def _check_templates(dialect: Dialect) -> None:
    for kind in FIELDS:
        given = getattr(dialect.wording, kind)
        for name, template in given.items() if isinstance(given, Mapping) else [("", given)]:
            more = fields_of(OPERATIONS[name].observation) if name in OPERATIONS else ()
            where = f"{'.'.join(filter(None, (kind, name)))!r} of the dialect {dialect.name!r}"
            check_template(template, kind, where, more)
    for name in dialect.wording.requests:
        if name not in GRADERS and ":" not in name:
            advice = f"It stands in 'requests' of the dialect {dialect.name!r}. Your own is given as 'module:function'."
            raise UnknownNameError.among("grader", name, GRADERS, advice)
    check_text(dialect.wording.separator, f"'separator' of the dialect {dialect.name!r}")


def _check_coordinates_names_and_keys(dialect: Dialect) -> None:
    where = f"It stands in the dialect {dialect.name!r}."
    if not isinstance(dialect.coordinates, Coordinates):
        raise ConfigError(
            f"the coordinates of the dialect {dialect.name!r} are {dialect.coordinates!r}; wanted: such as "
            "Coordinates('grid', 1000)"
        )
    for name in (*dialect.names, *dialect.aliases.values()):
        if name not in OPERATIONS:
            raise UnknownNameError.among("operation", name, OPERATIONS, where)
    declared = [(operation.name, name) for operation in OPERATIONS.values() for name in operation.arguments()]
    arguments = {name for _, name in declared} | {".".join(pair) for pair in declared}
    for name in dialect.keys:
        if name not in arguments:
            raise UnknownNameError.among("argument of an operation", name, arguments, where)
    if dialect.box_keys is not None and len(set(dialect.box_keys)) < len(dialect.box_keys):
        raise ConfigError(
            f"box_keys of the dialect {dialect.name!r} are {', '.join(dialect.box_keys)}; give four different keys"
        )
    for key in dialect.constants:
        owner, _, name = key.partition(".")
        if owner not in OPERATIONS or not name:
            raise UnknownNameError.among("operation of a constant", owner, OPERATIONS, f"It is {key!r}. {where}")
    for operation in dialect.offered:
        keys = [dialect.argument_keys.of(operation, name) for name in operation.arguments()]
        if len(set(keys)) < len(keys):
            raise ConfigError(
                f"the dialect {dialect.name!r} gives two arguments of {operation.name!r} one key: {', '.join(keys)}. "
                "Give each its own."
            )
