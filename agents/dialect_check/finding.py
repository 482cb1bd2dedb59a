"""One finding of `pixel-env dialect check`.

Depends on nothing; independent of what is checked.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what fits ("ok"), what to know ("note"), or what does not fit and the way out ("problem")."""

    kind: Literal["ok", "note", "problem"]
    text: str


def ok(text: str) -> Finding:
    """Something that fits."""
    return Finding("ok", text)


def note(text: str) -> Finding:
    """Something to know: a consequence that is not a mistake."""
    return Finding("note", text)


def problem(text: str) -> Finding:
    """Something that does not fit, with the way out."""
    return Finding("problem", text)
