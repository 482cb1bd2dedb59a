"""The content of LaTeX's boxed marker, which marks a final answer.

Independent of dialects and tasks.
"""

import re


def last_boxed(text: str) -> str | None:
    r"""The content of the last complete `\boxed{...}` in `text`, braces balanced; None if there is none."""
    # One pass: a model that repeats an unclosed marker a thousand times must not cost a thousand scans.
    open_braces: list[int | None] = []  # where the content of a \boxed begins; None for any other brace
    last: tuple[int, int] | None = None
    for match in re.finditer(r"\\boxed\s*\{|[{}]", text):
        if match.group() != "}":
            open_braces.append(None if match.group() == "{" else match.end())
        elif open_braces:
            start = open_braces.pop()
            if start is not None and (last is None or start > last[0]):
                last = (start, match.start())
    return None if last is None else text[last[0] : last[1]].strip()
