"""Options that one cell of a published file holds, with or without letters.

The forms that are published: a list of texts ("(A) a cat" or "a cat"), the text of such a list, and lines of one text
("A. a cat\nB.a dog"). Letters, if any, run from A in order. Depends on texts; independent of files and formats.
"""

import ast
import re
import string
import warnings
from collections.abc import Sequence

from pixel_env.errors import TaskError
from pixel_env.grading.choices import option_meant
from pixel_env.tasks.files.row import check_writable, shortened

_AT_A_LINE = r"^[ \t]*[(（]?{letter}[).:）、．][ \t]*"
_BARE = r"^[ \t]*{letter}[ \t]+"
_WITHIN_A_LINE = r"(?<!\S)[(（]?{letter}[).:）．]\s+"


def options_in(cell: object, column: str) -> tuple[str, ...]:
    """The options in their order, without their letters. Raises TaskError, which names the `column`.

    A letter that stands twice belongs to the option before it: in "(D) none\n(D) both\n(E) all" the fifth option is E,
    as the answer's letter says.
    """
    listed = _listed(cell)
    if listed is not None and not _is_lettered(listed):
        options = [text.strip() for text in listed]
    else:
        text = "\n".join(listed) if listed is not None else _text(cell, column)
        options = _parted(text.replace("\r\n", "\n"), column)
    if len(options) < 2 or not all(options):
        raise TaskError(f"{column!r} must hold at least two options, none empty, got {shortened(cell)}")
    for option in options:
        check_writable(column, option)
    return tuple(options)


def reference_of(answer: str, options: Sequence[str]) -> str:
    """The reference answer for the option that a file names by its letter, or by its text. Raises TaskError.

    It is the letter as given, unless this is the text of another option, too: C of S, D, T, C means T.
    """
    index = ord(answer) - ord("A") if len(answer) == 1 else -1
    text = options[index] if 0 <= index < len(options) else answer
    meant = option_meant(text, options)
    if len(meant) != 1:
        raise TaskError(f"its answer {shortened(answer)} is not one of its {len(options)} option(s)")
    return answer if option_meant(answer, options) == meant else text


def _listed(cell: object) -> list[str] | None:
    """The items of a list, or of the text of one; None for any other cell."""
    if isinstance(cell, str) and cell.lstrip().startswith("["):
        try:
            with warnings.catch_warnings(action="ignore", category=SyntaxWarning):  # "1if", in a text that is no list
                cell = ast.literal_eval(cell.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    if isinstance(cell, list | tuple) and all(isinstance(item, str | int | float) for item in cell):
        return [str(item) for item in cell]
    return None


def _text(cell: object, column: str) -> str:
    if not isinstance(cell, str) or not cell.strip():
        raise TaskError(f"{column!r} must be a list of options or their text, got {shortened(cell)}")
    return cell


def _is_lettered(options: Sequence[str]) -> bool:
    """Whether the options carry letters of their own."""
    return any(_pattern(_AT_A_LINE, "A").match(option) for option in options[:1])


def _parted(text: str, column: str) -> list[str]:
    """The options of one text, parted at A, B, C, ...; a title before A, such as "The choices are:", is left out."""
    form = _AT_A_LINE if _pattern(_AT_A_LINE, "A").search(text) else _BARE
    first = _pattern(form, "A").search(text)
    if first is None or (text[: first.start()].strip() and not text[: first.start()].rstrip().endswith(":")):
        raise TaskError(f"{column!r} must begin with an option A, got {shortened(text)}")
    labels = [first]
    for letter in string.ascii_uppercase[1:]:
        label = _next_label(text, labels[-1].end(), letter, form)
        if label is None:
            break
        labels.append(label)
    ends = [label.start() for label in labels[1:]] + [len(text)]
    return [text[label.end() : end].strip() for label, end in zip(labels, ends, strict=True)]


def _next_label(text: str, start: int, letter: str, form: str) -> re.Match[str] | None:
    """The letter at a line's beginning; within a line only where lines do not part the options.

    That is a text of one line, or one in which a later letter begins a line.
    """
    label = _pattern(form, letter).search(text, start)
    if label is not None:
        return label
    later = string.ascii_uppercase[string.ascii_uppercase.index(letter) + 1 :]
    is_missed = any(_pattern(form, other).search(text, start) for other in later)
    return _pattern(_WITHIN_A_LINE, letter).search(text, start) if is_missed or "\n" not in text.strip() else None


def _pattern(form: str, letter: str) -> re.Pattern[str]:
    return re.compile(form.format(letter=letter), re.MULTILINE)
