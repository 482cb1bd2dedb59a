"""A dialect in words that a person reads: what differs from the defaults, and its edge rules in a sentence.

Depends on dialects; independent of episodes. A field without words of its own is shown with its value.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any

from pixel_env.dialects.dialect import Dialect, Wording
from pixel_env.dialects.files import SYNTAXES
from pixel_env.edges import Edges
from pixel_env.operations.coordinates import Coordinates
from pixel_env.views import ViewKind


@dataclass(frozen=True, slots=True)
class Summary:
    """A row in one line: its call syntax, unit of coordinates, operations and answers."""

    name: str
    syntax: str
    unit: str
    operations: str
    answers: str


def summary_of(dialect: Dialect) -> Summary:
    """The line of `dialect` in the list of rows."""
    operations = ", ".join(dialect.name_of(operation) for operation in dialect.offered) if dialect.offers_calls else ""
    unit = unit_text(dialect.coordinates)
    return Summary(dialect.name, syntax_text(dialect), unit, operations or "none", answer_text(dialect))


def syntax_text(dialect: Dialect) -> str:
    """The call syntax, such as "json <tool_call>...</tool_call>"."""
    calls = dialect.calls
    name = next((name for name, kind in SYNTAXES.items() if type(calls) is kind), type(calls).__name__)
    return f"{name} {'...'.join(map(_quoted_if_odd, calls.markers))}"


def unit_text(coordinates: Coordinates) -> str:
    """The unit of coordinates."""
    names = {"fraction": "fractions", "pixel": "pixels as shown", "source_pixel": "pixels of the source"}
    match coordinates.unit:
        case "grid":
            return f"0 to {coordinates.cells}"
        case "guessed":
            return f"fractions, else {names[coordinates.otherwise]}"
        case unit:
            return names[unit]


def answer_text(dialect: Dialect) -> str:
    """What a turn's answer is."""
    closed = f"...{dialect.answer_closing}" if dialect.answer_closing else ""
    marked = f"{dialect.answer_marker}{closed}"
    match dialect.answer_rule:
        case "boxed":
            return "\\boxed{}"
        case "marker":
            return marked
        case "any":
            return f"{f'{marked}, ' if closed else ''}\\boxed{{}}, else the whole turn"


def stop_text(dialect: Dialect) -> str:
    """What ends a turn."""
    if not dialect.stop:
        return "the model's end token alone"
    return f"{' or '.join(map(_quoted, dialect.stop))}, or the model's end token"


# ---------------------------------------------------------------------------------------------------------- edge rules


def edges_text(edges: Edges) -> str:
    """The edge rules in a sentence, in the order in which they are applied."""
    parts = [_outside(edges)]
    if edges.enlarge != 1.0:
        parts.append(f"the box is enlarged by {edges.enlarge:g} about its centre")
    if edges.padding:
        most = "" if edges.padding_pixels is None else f", at most {edges.padding_pixels} pixels"
        before = ", before all checks" if edges.pads_first else ""
        parts.append(f"{edges.padding:.0%} of the image's side is added on each side{most}{before}")
    small = "refused" if edges.small_box == "refuse" else "expanded to that"
    if edges.min_side > 1:
        parts.append(f"a side below {edges.min_side} pixels of the source is {small}")
    if edges.max_aspect < math.inf:
        parts.append(f"a region longer than {edges.max_aspect:g} to 1 is refused")
    parts.append({"outward": "edges are rounded outward"}.get(edges.rounding, f"edges are rounded {edges.rounding}"))
    if edges.last_pixel:
        parts.append("the right and the bottom edge stop one pixel before the border")
    if edges.magnify != 1.0:
        most = "" if edges.magnified_pixels is None else f", to at most {edges.magnified_pixels} pixels"
        parts.append(f"the region is magnified by {edges.magnify:g}{most}")
    if edges.whole_image_on_failure:
        parts.append("where a box would be refused, the whole image is shown")
    shown = {"overhang", "enlarge", "padding", "padding_pixels", "pads_first", "min_side", "small_box", "max_aspect"}
    shown |= {"rounding", "last_pixel", "magnify", "magnified_pixels", "whole_image_on_failure"}
    parts += [f"{name} is {value}" for name, value in _changed(edges).items() if name not in shown]
    return f"{'; '.join(parts)}."


def _outside(edges: Edges) -> str:
    if edges.overhang == math.inf:
        return "an edge outside of the image is moved onto its border"
    if edges.overhang == 0:
        return "a box that leaves the image is refused"
    return (
        f"an edge may lie outside of the image by {edges.overhang:.0%} of the side, and is moved onto its border; "
        "farther out the box is refused"
    )


# -------------------------------------------------------------------------------------------------------------- fields


def field_lines(dialect: Dialect) -> list[tuple[str, str]]:
    """Pairs of a field and its words, for the fields that differ from their defaults.

    Edge rules, answers and stop texts are left out: `edges_text`, `answer_text` and `stop_text` say them.
    """
    lines = [
        ("calls", syntax_text(dialect)),
        *((f"calls.{name}", _quoted(value)) for name, value in _changed(dialect.calls).items()),
        ("coordinates", unit_text(dialect.coordinates)),
        *((f"budgets.{kind}", words) for kind, words in _budgets(dialect).items()),
    ]
    for name, value in _changed(dialect).items():
        if name == "wording":
            lines += [(f"wording.{part}", _quoted(template)) for part, template in _changed(value, Wording()).items()]
        elif name not in _ELSEWHERE:
            lines.append((name, _WORDS[name](dialect) if name in _WORDS else _quoted(value)))
    return lines


_ELSEWHERE = frozenset(
    {"name", "calls", "coordinates", "budgets", "edges", "answer_rule", "answer_marker", "answer_closing", "stop"}
) | {"text_continues", "max_calls"}

_SEVERAL = {"first": "the first one counts", "last": "the last one counts", "all": "all are executed, up to"}

_WORDS: dict[str, Callable[[Dialect], str]] = {
    "shows_tools": lambda dialect: "the prompt describes no tools",
    "offers_calls": lambda dialect: "every call is refused",
    "first_index": lambda dialect: f"images and frames count from {dialect.first_index}",
    "crops_source": lambda dialect: "operations work on the pixels that were shown, not on those of the source",
    "max_frames": lambda dialect: f"one selection has at most {dialect.max_frames} frames",
    "video_entry": lambda dialect: "a video is one entry of the prompt, if the chat format allows it",
    "operations": lambda dialect: ", ".join(dialect.operations) or "none",
    "names": lambda dialect: _pairs(dialect.names, "is called"),
    "keys": lambda dialect: _pairs(dialect.keys, "is written as"),
    "ignored_keys": lambda dialect: f"a call may have {', '.join(dialect.ignored_keys)}, which mean nothing",
    "box_keys": lambda dialect: f"left, top, width and height of a box are {', '.join(dialect.box_keys or ())}",
    "digits_as_text": lambda dialect: 'numbers may be written as texts ("2")',
    "default_image": lambda dialect: f"a call that names no image acts on image {_default_image(dialect)}",
    "image_names": lambda dialect: f"images are called {', '.join(map(_image_name(dialect), range(3)))}, ...",
    "several_calls": lambda dialect: f"of several calls in one turn {_several(dialect)}",
    "thought_closing": lambda dialect: (
        f"a thought ends with {dialect.thought_closing!r}" if dialect.thought_closing else "no turn has a thought"
    ),
    "prefill": lambda dialect: f"every turn begins with {_quoted(dialect.prefill)}",
    "last_prefill": lambda dialect: f"the last turn begins with {_quoted(dialect.last_prefill)}",
}


def _several(dialect: Dialect) -> str:
    words = _SEVERAL[dialect.several_calls]
    return f"{words} {dialect.max_calls}" if dialect.several_calls == "all" else words


def _default_image(dialect: Dialect) -> int:
    return (dialect.default_image or 0) + dialect.first_index


def _image_name(dialect: Dialect) -> Callable[[int], str]:
    names = dialect.image_names
    return lambda image: "" if names is None else repr(names.name_of(image, dialect.first_index))


def _budgets(dialect: Dialect) -> dict[str, str]:
    budgets = dialect.budgets
    given = {kind.value: getattr(budgets, kind.value) for kind in ViewKind}
    words = {
        kind: f"{budget.min_pixels} to {budget.max_pixels} pixels, sides in multiples of {budget.factor}"
        for kind, budget in given.items()
        if budget is not None
    }
    return words if budgets.colors == "srgb" else {**words, "colors": f"{budgets.colors}, profiles are ignored"}


def _pairs(names: Mapping[str, str], verb: str) -> str:
    return ", ".join(f"{name} {verb} {own!r}" for name, own in names.items())


def _changed(value: Any, default: Any = None) -> dict[str, Any]:
    """The fields of a dataclass that differ from `default`, or from their own defaults; {} for anything else."""
    kinds: tuple[Field[Any], ...] = fields(value) if hasattr(value, "__dataclass_fields__") else ()
    given = {one.name: getattr(value, one.name) for one in kinds}
    usual = {one.name: _default_of(one) if default is None else getattr(default, one.name) for one in kinds}
    return {name: one for name, one in given.items() if one != usual[name]}


def _default_of(field: "Field[Any]") -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _quoted(value: Any) -> str:
    """A text in quotes, with its line breaks as \\n; other values as JSON where they are, else as Python shows them."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except TypeError:
        return repr(value)


def _quoted_if_odd(mark: str) -> str:
    return mark if mark.isprintable() and mark.strip() == mark else _quoted(mark)
