"""The one grammar: an assistant's text -> a typed action, and back.

`parse(text, dialect, shown_sizes)` and `write(action, dialect, shown_sizes)`; `tool_schemas(dialect)` is the same
grammar as JSON schemas. Every wire format of `dialects.py` is read and written here and nowhere else.

`shown_sizes` are (width, height) of the images so far, as the model was shown them: only dialects that count in pixels
need them.
"""

import json
import math
import re
from collections.abc import Sequence
from typing import Any, assert_never

from pixel_env.boxes import Box, read_box
from pixel_env.dialects.table import Dialect, IntegerCalls, JsonCalls
from pixel_env.episode import Action, Answer, Malformed, Text, Unfinished, operations_spent
from pixel_env.failures import Failure, FailureCode, no_such_image
from pixel_env.grading.boxed import last_boxed
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.select_frames import SelectFrames

Size = tuple[int, int]

# ------------------------------------------------------------------------------------------------------ reading


def parse(text: str, dialect: Dialect, shown_sizes: Sequence[Size] = ()) -> Action:
    """What `text`, one whole turn of the assistant, does.

    A call wins over an answer in the same turn: the call is executed, the answer is not yet one. A turn that opens a
    call but does not hold exactly one readable call is `Malformed`, and so is every call where none are offered.
    """
    calls = dialect.calls
    if calls.opening in text:
        if not dialect.offers_calls:
            return Malformed(FailureCode.UNKNOWN_OPERATION, "Nothing can be called here; answer from what is shown.")
        match calls:
            case JsonCalls():
                return _parse_json_call(text, dialect, calls, shown_sizes)
            case IntegerCalls():
                return _parse_integer_call(text, dialect, calls, shown_sizes)
            case _:
                assert_never(calls)
    answer = _answer_in(text, dialect)
    return Text(text) if answer is None else Answer(answer)


def _answer_in(text: str, dialect: Dialect) -> str | None:
    match dialect.answer_rule:
        case "boxed":
            return last_boxed(text)
        case "marker":
            _, marker, answer = text.rpartition(dialect.answer_marker)
            # A marked answer ends with its turn: what the token limit cut is not one yet.
            return answer.strip() if marker and not isinstance(text, Unfinished) else None
        case "any":
            boxed = last_boxed(text)
            return text.strip() if boxed is None else boxed


def _parse_json_call(text: str, dialect: Dialect, calls: JsonCalls, shown_sizes: Sequence[Size]) -> Action:
    if text.count(calls.opening) > 1:
        return Malformed(FailureCode.TWO_CALLS, "Only one call per turn is allowed; nothing was executed.")
    _, _, after = text.partition(calls.opening)
    body, closing, _ = after.partition(calls.closing)
    if not closing:
        return Malformed(FailureCode.CUT_OFF, f"The call was cut off: it must end with {calls.closing}.")
    try:
        call = json.loads(body)
    except (ValueError, RecursionError):
        return Malformed(
            FailureCode.BROKEN_JSON,
            f'The call is not valid JSON; write {calls.opening}{{"name": ..., "arguments": {{...}}}}{calls.closing}.',
        )
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        return _bad_arguments('a call is an object with the keys "name" and "arguments"')
    arguments = call.get("arguments")
    if call["name"] == calls.crop_name:
        return _crop_from(arguments, dialect, calls, shown_sizes)
    if call["name"] == calls.frames_name:
        return _frames_from(arguments, dialect, calls)
    return Malformed(
        FailureCode.UNKNOWN_OPERATION,
        f"There is no operation of that name; there are {calls.crop_name} and {calls.frames_name}.",
    )


def _crop_from(arguments: object, dialect: Dialect, calls: JsonCalls, shown_sizes: Sequence[Size]) -> Action:
    expected = f"{calls.crop_name} takes {calls.box_key} (a list of 4 numbers) and {calls.image_key} (a whole number)"
    if not isinstance(arguments, dict) or set(arguments) != {calls.box_key, calls.image_key}:
        return _bad_arguments(expected)
    numbers, number = arguments[calls.box_key], _whole(arguments[calls.image_key])
    if not isinstance(numbers, list) or not all(_is_number(value) for value in numbers) or number is None:
        return _bad_arguments(expected)
    return _crop(numbers, number - dialect.first_index, dialect, shown_sizes)


def _frames_from(arguments: object, dialect: Dialect, calls: JsonCalls) -> Action:
    expected = f"{calls.frames_name} takes {calls.frames_key} (a list of whole numbers)"
    if not isinstance(arguments, dict) or set(arguments) != {calls.frames_key}:
        return _bad_arguments(expected)
    listed = arguments[calls.frames_key]
    frames = [_whole(value) for value in listed] if isinstance(listed, list) else [None]
    whole = [frame for frame in frames if frame is not None]
    if len(whole) != len(frames):
        return _bad_arguments(expected)
    return SelectFrames(tuple(frame - dialect.first_index for frame in whole))


def _parse_integer_call(text: str, dialect: Dialect, calls: IntegerCalls, shown_sizes: Sequence[Size]) -> Action:
    if text.count(calls.opening) > 1:
        return Malformed(FailureCode.TWO_CALLS, "Only one call per turn is allowed; nothing was executed.")
    words = text.partition(calls.opening)[2].split()
    if isinstance(text, Unfinished):
        return Malformed(FailureCode.CUT_OFF, "The call was cut off: it must end with the turn.")
    if not all(re.fullmatch(r"-?[0-9]{1,9}", word) for word in words):
        return _bad_arguments(f"{calls.opening} takes 4 whole numbers")
    return _crop([int(word) for word in words], 0, dialect, shown_sizes)


def _crop(numbers: Sequence[float], image: int, dialect: Dialect, shown_sizes: Sequence[Size]) -> Action:
    needs_size = dialect.coordinates.unit == "pixel"
    if needs_size and not 0 <= image < len(shown_sizes):
        missing = no_such_image(len(shown_sizes), dialect.first_index)
        return Malformed(missing.code, missing.message)
    width, height = dialect.coordinates.scale(shown_sizes[image] if needs_size else (1, 1))
    try:
        fractions = [float(value) / (height if place % 2 else width) for place, value in enumerate(numbers)]
    except OverflowError:
        fractions = [math.inf] * len(numbers)
    box = read_box(fractions)
    if isinstance(box, Failure):
        return Malformed(box.code, f"{box.message} {_unit_text(dialect)}")
    return CropImage(image, box)


def _unit_text(dialect: Dialect) -> str:
    match dialect.coordinates.unit:
        case "fraction":
            return "Coordinates are fractions from 0 to 1."
        case "pixel":
            return "Coordinates are pixels of the image as shown."
        case "grid":
            return f"Coordinates run from 0 to {dialect.coordinates.cells}."


def _bad_arguments(expected: str) -> Malformed:
    return Malformed(FailureCode.BAD_ARGUMENTS, f"The call cannot be read: {expected}.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: object) -> int | None:
    """`value` as an int if it is a whole number (2 and 2.0 are), else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value  # of any size: isfinite() would overflow
    return int(value) if isinstance(value, float) and value.is_integer() else None


# ------------------------------------------------------------------------------------------------------ writing

_FRACTION_STEPS = 10_000  # four decimals


def write(action: Action, dialect: Dialect, shown_sizes: Sequence[Size] = ()) -> str:
    """The text by which an assistant does `action`: `parse` reads it back, up to the rounding of the unit.

    A box that rounding would empty is one unit wide instead. Raises ValueError for what the dialect cannot say (frames,
    or a second image, in one of integers; any call where none are offered; an answer that reads as something else;
    `Malformed`).
    """
    if operations_spent(action) and not dialect.offers_calls:
        raise ValueError(f"the dialect {dialect.name!r} offers no calls")
    match action:
        case CropImage(image, box):
            return _write_crop(image, box, dialect, shown_sizes)
        case SelectFrames(frames):
            return _write_frames(frames, dialect)
        case Answer(text):
            return _write_answer(text, dialect)
        case Text(text):
            return text
        case Malformed():
            raise ValueError("a Malformed action has no text of its own")


def _write_crop(image: int, box: Box, dialect: Dialect, shown_sizes: Sequence[Size]) -> str:
    calls = dialect.calls
    width, height = dialect.coordinates.scale(shown_sizes[image] if dialect.coordinates.unit == "pixel" else (1, 1))
    steps = _FRACTION_STEPS if dialect.coordinates.unit == "fraction" else 1
    x0, x1 = _rounded_edges(box.x0 * width * steps, box.x1 * width * steps, round(width * steps))
    y0, y1 = _rounded_edges(box.y0 * height * steps, box.y1 * height * steps, round(height * steps))
    numbers: list[float] = [x0, y0, x1, y1] if steps == 1 else [x0 / steps, y0 / steps, x1 / steps, y1 / steps]
    match calls:
        case JsonCalls():
            arguments = {calls.box_key: numbers, calls.image_key: image + dialect.first_index}
            return _json_call(calls.crop_name, arguments, calls)
        case IntegerCalls():
            if image != 0:
                raise ValueError(f"the dialect {dialect.name!r} can only crop the first image")
            return " ".join([calls.opening, *(str(number) for number in numbers)])


def _rounded_edges(low: float, high: float, end: int) -> tuple[int, int]:
    """Both edges as whole numbers in 0..end, at least 1 apart."""
    start = min(round(low), end - 1)
    return start, max(start + 1, round(high))


def _write_frames(frames: tuple[int, ...], dialect: Dialect) -> str:
    if not isinstance(dialect.calls, JsonCalls):
        raise ValueError(f"the dialect {dialect.name!r} cannot select frames")
    numbers = [frame + dialect.first_index for frame in frames]
    return _json_call(dialect.calls.frames_name, {dialect.calls.frames_key: numbers}, dialect.calls)


def _write_answer(text: str, dialect: Dialect) -> str:
    match dialect.answer_rule:
        case "marker":
            written = dialect.answer_marker + text
        case "boxed" | "any":
            written = f"\\boxed{{{text}}}"
    if parse(written, dialect) != Answer(text.strip()):
        raise ValueError(f"the dialect {dialect.name!r} cannot write the answer {text!r}: {written!r} reads otherwise")
    return written


def _json_call(name: str, arguments: dict[str, Any], calls: JsonCalls) -> str:
    return calls.opening + json.dumps({"name": name, "arguments": arguments}) + calls.closing


# ------------------------------------------------------------------------------------------------------ schemas


def tool_schemas(dialect: Dialect) -> list[dict[str, Any]]:
    """The operations as JSON schemas (OpenAI function format); empty if the dialect's calls are not JSON."""
    calls = dialect.calls
    if not isinstance(calls, JsonCalls):
        return []
    first = dialect.first_index
    box = {
        "type": "array",
        "items": {"type": "number"},
        "description": f"x0, y0, x1, y1 of the region. {_unit_text(dialect)}",
    }
    image = {"type": "integer", "description": f"Number of the image, from {first} (the first one given)."}
    frames = {
        "type": "array",
        "items": {"type": "integer"},
        "description": f"Frame numbers from {first}, at most {dialect.max_frames}.",
    }
    return [
        _schema(calls.crop_name, "Zoom in on a region of an image.", {calls.box_key: box, calls.image_key: image}),
        _schema(calls.frames_name, "Look at frames of the video, larger.", {calls.frames_key: frames}),
    ]


def _schema(name: str, description: str, properties: dict[str, Any]) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def system_text(dialect: Dialect) -> str:
    """The system message: the dialect's own text and, where it shows its tools, their schemas (Nous format)."""
    schemas = tool_schemas(dialect) if dialect.shows_tools else []
    if not schemas or not isinstance(dialect.calls, JsonCalls):
        return dialect.system
    listed = "\n".join(json.dumps(schema) for schema in schemas)
    calls = dialect.calls
    return (
        f"{dialect.system}\n\n# Tools\n\nYou may call one function per turn to look closer.\n"
        f"The functions, as JSON signatures:\n<tools>\n{listed}\n</tools>\n\n"
        f"A call is a JSON object with the function's name and arguments:\n"
        f'{calls.opening}\n{{"name": <function-name>, "arguments": <arguments as JSON>}}\n{calls.closing}'
    )
