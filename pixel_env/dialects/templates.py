"""The templates of a dialect's wording, checked: fields that exist, and braces that are doubled.

Depends on texts and the sign of images; independent of dialects. What the fields stand for: `Wording`, and
`wording.py`, which fills them.
"""

import string
from collections.abc import Mapping, Sequence

from pixel_env.episode import IMAGE_SIGN
from pixel_env.errors import ConfigError, UnknownNameError

_SIZES = ("width", "height")
FIELDS: Mapping[str, tuple[str, ...]] = {
    "observations": ("number", "first", "last", "count", *_SIZES, "images", "call", "question"),
    "failure": ("code", "message", "call", "question"),
    "expected": ("question",),
    "question": ("question", "options", "request", "images", *_SIZES, "source_width", "source_height"),
    "requests": (),
    "option": ("letter", "text"),
    "image": ("image", "number", "index", "frame", "time", *_SIZES),
    "last_turn": ("question",),
}
"""The fields of each template of `Wording`; those of `observations` and `requests` are of each of their values."""


def fields_of(template: str) -> list[str]:
    """The names of the fields in a template. Raises ValueError for one that is none."""
    return [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]


def check_template(template: str, kind: str, where: str, more: Sequence[str] = ()) -> None:
    """Raises ConfigError or UnknownNameError for a template that cannot be filled; `where` names it in messages.

    `more`: fields that this template has beside those of its kind.
    """
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ConfigError(f"{where} is no template: {error}. Write {{{{ and }}}} for braces of the text.") from error
    fields = [name for _, name, _, _ in parts if name is not None]
    known = (*FIELDS[kind], *more)
    for name in fields:
        if not name.isidentifier():
            raise ConfigError(
                f"{where} has the field {{{name}}}; wanted: {', '.join(known) or 'no field'}. Write {{{{ and }}}} for "
                "braces of the text, as in \\boxed{{}}."
            )
        if not known:
            raise ConfigError(f"{where} has the field {{{name}}}, but it can have none. Write the text without it.")
        if name not in known:
            raise UnknownNameError.among("field of a template", name, known, f"It stands in {where}.")
    if any(form or conversion for _, _, form, conversion in parts):
        raise ConfigError(
            f"{where} gives a field a format, with ':' or '!'; write the field alone, as in {{{known[0]}}}."
        )
    check_image_fields(template, kind, fields, where)


def check_image_fields(template: str, kind: str, fields: Sequence[str], where: str) -> None:
    """Raises ConfigError for a template that does not show each image once."""
    check_text(template, where)
    if fields.count("images") > 1:
        raise ConfigError(f"{where} has {{images}} more than once, and each image is shown once. Write it once.")
    if kind == "image" and fields.count("image") != 1:
        raise ConfigError(f"{where} is {template!r}; it must hold {{image}} once, where the image stands.")


def check_text(text: str, where: str) -> None:
    """Raises ConfigError for a text with the sign of images, which would stand for an image that is not there."""
    if IMAGE_SIGN in text:
        raise ConfigError(f"{where} has the character U+FFFC, which stands for images here. Leave it out.")
