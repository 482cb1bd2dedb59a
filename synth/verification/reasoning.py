"""The reasoning of a turn: its text without calls and answer.

Depends on how a dialect marks calls and answers; independent of tasks and episodes.
"""

from agents.traces.trace import Trace
from pixel_env.actions import parse, without_thought
from pixel_env.dialects.dialect import Dialect
from pixel_env.episode import Answer


def reasoning_in(text: str, dialect: Dialect) -> str:
    """`text` without its calls (markers included) and without the answer at its end; a thought is kept whole."""
    said = without_thought(text, dialect)
    thought = text.removesuffix(said)
    return f"{thought}{_reasoning_said(said, dialect)}".strip()


def _reasoning_said(text: str, dialect: Dialect) -> str:
    if dialect.calls.opening in text:
        while dialect.calls.opening in text:
            text = dialect.calls.without_call(text)
        return text
    if not isinstance(parse(text, dialect), Answer):
        return text.strip()
    is_marked = dialect.answer_rule == "marker" or (dialect.answer_closing and dialect.answer_marker in text)
    marker = dialect.answer_marker if is_marked else "\\boxed"
    return text.rpartition(marker)[0].strip() if marker in text else ""


def reasoning_of_trace(trace: Trace, dialect: Dialect) -> str:
    """The reasoning of all turns, joined into one text."""
    return " ".join(reasoning_in(turn.text, dialect) for turn in trace.turns).strip()
