"""Types of fields that name a dialect, engine, reward, grader or operation: an unknown name is refused as it is read.

`--operations` is a flag of every command with `--dialect`. It becomes part of the dialect's name, so that the name
alone records what was played: `--dialect default --operations rotate` is `--dialect default+rotate`. Depends on the
registries; independent of the commands that have such a field.

Where no dialect is given, it is the model's (`model_dialect.py`), and `+rotate` stands for that one with operations.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from agents.engines.registry import engine_named
from pixel_env.command_line.values import NameOf
from pixel_env.dialects.table import dialect_named
from pixel_env.grading import grader_named
from pixel_env.operations.registry import OPERATIONS, operation_named
from rewards.shaping import group_reward_named


def _dialect_or_operations(name: str) -> object:
    """Raises UnknownNameError for a name that is no dialect; "+rotate" adds operations to the model's own."""
    first, *added = name.split("+")
    return [operation_named(operation) for operation in added] if added and not first else dialect_named(name)


DialectName = Annotated[str, NameOf(_dialect_or_operations)]
GraderName = Annotated[str, NameOf(grader_named)]
RewardName = Annotated[str, NameOf(group_reward_named)]
EngineName = Annotated[str, NameOf(engine_named)]
OperationName = Annotated[str, NameOf(operation_named)]

FURTHER = "operations"
"""The flag and key of further operations."""
FURTHER_HELP = f"operations to add to those of the dialect: {', '.join(OPERATIONS)}, or your own as 'module:Class'"


def takes_operations(fields: Iterable[str]) -> bool:
    """Whether a command with these fields has the flag."""
    return "dialect" in fields


def with_operations(values: Mapping[str, Any], default_dialect: str | None) -> dict[str, Any]:
    """`values` of fields with the further operations in the dialect's name. Raises UnknownNameError, ConfigError.

    `default_dialect`: of a command without `--dialect`; None: the model's, to which "+rotate" adds an operation.
    """
    named = {name: value for name, value in values.items() if name != FURTHER}
    further = values.get(FURTHER, ())
    if further:
        named["dialect"] = "+".join([named.get("dialect") or default_dialect or "", *further])
        _dialect_or_operations(named["dialect"])
    return named
