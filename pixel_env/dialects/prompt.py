"""The JSON schemas of a dialect's operations, and its system text.

Depends on dialects; independent of episodes.
"""

from typing import Any

from pixel_env.dialects.call_syntax import ONE_CALL
from pixel_env.dialects.dialect import Dialect
from pixel_env.once import once_for_each
from pixel_env.operations.calls import schema_of


def tool_schemas(dialect: Dialect) -> list[dict[str, Any]]:
    """The operations that can be called, as JSON schemas (OpenAI function format).

    Empty if the dialect's syntax describes no tools.
    """
    schemas = [
        schema_of(operation, dialect.convention(), dialect.argument_keys, dialect.name_of(operation))
        for operation in dialect.offered
    ]
    return schemas if dialect.calls.tool_text(schemas) else []


@once_for_each
def system_text(dialect: Dialect) -> str:
    """The system message: the dialect's own text and, where it shows its tools, their description."""
    tools = dialect.calls.tool_text(tool_schemas(dialect)) if dialect.shows_tools else ""
    if dialect.several_calls == "all":
        tools = tools.replace(ONE_CALL, f"You may call up to {dialect.max_calls} functions per turn to look closer.")
    return f"{dialect.system}\n\n{tools}" if tools else dialect.system
