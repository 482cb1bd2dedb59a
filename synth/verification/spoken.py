"""What a turn says, apart from what it does.

Knows how a dialect marks calls and answers. Knows nothing of tasks or episodes.
"""

from agents.traces.trace import Trace
from pixel_env.actions import parse
from pixel_env.dialects.table import Dialect, IntegerCalls
from pixel_env.episode import Answer


def spoken(text: str, dialect: Dialect) -> str:
    """`text` without its calls, markers included, and without the answer that it ends with."""
    before, opening, after = text.partition(dialect.calls.opening)
    if opening:
        after = "" if isinstance(dialect.calls, IntegerCalls) else after.partition(dialect.calls.closing)[2]
        return f"{before} {after}".strip()
    if not isinstance(parse(text, dialect), Answer):
        return text.strip()
    marker = dialect.answer_marker if dialect.answer_rule == "marker" else "\\boxed"
    return text.rpartition(marker)[0].strip() if marker in text else ""


def words_of(trace: Trace, dialect: Dialect) -> str:
    """All that the trace says, in one text."""
    return " ".join(spoken(turn.text, dialect) for turn in trace.turns).strip()
