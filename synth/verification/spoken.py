"""What a turn says, apart from what it does.

Knows how a dialect marks calls and answers. Knows nothing of tasks or episodes.
"""

from agents.traces.trace import Trace
from pixel_env.actions import parse
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Answer


def spoken(text: str, dialect: Dialect) -> str:
    """`text` without its calls, markers included, and without the answer that it ends with."""
    if dialect.calls.opening in text:
        return dialect.calls.without_call(text)
    if not isinstance(parse(text, dialect), Answer):
        return text.strip()
    marker = dialect.answer_marker if dialect.answer_rule == "marker" else "\\boxed"
    return text.rpartition(marker)[0].strip() if marker in text else ""


def words_of(trace: Trace, dialect: Dialect) -> str:
    """All that the trace says, in one text."""
    return " ".join(spoken(turn.text, dialect) for turn in trace.turns).strip()
