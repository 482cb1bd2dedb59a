"""The templates of a dialect's wording, checked: fields that exist, and braces that are doubled.

Depends on texts; independent of dialects. What the fields stand for: `Wording`, and `wording.py`, which fills them.
"""

import string
from collections.abc import Mapping, Sequence

from pixel_env.errors import ConfigError, UnknownNameError

_SIZES = ("width", "height")
FIELDS: Mapping[str, tuple[str, ...]] = {
    "observations": ("number", "first", "last", "count", *_SIZES, "images", "call", "question"),
    "failure": ("code", "message", "call", "question"),
    "expected": ("question",),
    "question": ("question", "options", "images", *_SIZES, "source_width", "source_height"),
    "option": ("letter", "text"),
    "image": ("image", "number", "index", "frame", "time", *_SIZES),
    "last_turn": ("question",),
}
"""The fields of each template of `Wording`; those of `observations` are of each of its values."""


def fields_of(template: str) -> list[str]:
    """The names of the fields in a template. Raises ValueError for one that is none."""
    return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]


def check_template(template: str, kind: str, where: str, more: Sequence[str] = ()) -> None:
    """Raises ConfigError or UnknownNameError for a template that cannot be filled; `where` names it in messages.

    `more`: fields that this template has beside those of its kind.
    """
    try:
        fields = fields_of(template)
    except ValueError as error:
        raise ConfigError(f"{where} is no template: {error}. Write {{{{ and }}}} for braces of the text.") from error
    known = (*FIELDS[kind], *more)
    for name in fields:
        if not name.isidentifier():
            raise ConfigError(
                f"{where} has the field {{{name}}}; wanted: {', '.join(known)}. Write {{{{ and }}}} for braces of the "
                "text, as in \\boxed{{}}."
            )
        if name not in known:
            raise UnknownNameError.among("field of a template", name, known, f"It stands in {where}.")
