"""The reasoning of a turn: its text without calls and answer.

Depends on how a dialect marks calls and answers; independent of tasks and episodes.
"""

from agents.traces.trace import Trace
from pixel_env.actions import parse
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Answer


def reasoning_in(text: str, dialect: Dialect) -> str:
    """`text` without its calls (markers included) and without the answer at its end."""
    if dialect.calls.opening in text:
        return dialect.calls.without_call(text)
    if not isinstance(parse(text, dialect), Answer):
        return text.strip()
    marker = dialect.answer_marker if dialect.answer_rule == "marker" else "\\boxed"
    return text.rpartition(marker)[0].strip() if marker in text else ""


def reasoning_of_trace(trace: Trace, dialect: Dialect) -> str:
    """The reasoning of all turns, joined into one text."""
    return " ".join(reasoning_in(turn.text, dialect) for turn in trace.turns).strip()
