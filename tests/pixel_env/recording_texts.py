"""What an assistant may say, in any dialect: calls that are right and wrong, endings, messages in chunks.

Texts are made from `write()` alone, by changing what it wrote, so that they fit dialects of which this knows nothing.
"""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pixel_env.types import Unfinished
from tests.pixel_env.recording import written
from tests.pixel_env.recording_files import Row

Sizes = Sequence[Sequence[int]]
Said = str | Callable[[Sizes], str | None]
"""A text, or what makes one from the sizes of the pictures so far (None: this dialect cannot say it)."""


def writer(dialect: str) -> str:
    """The dialect by which a text is made: one that offers calls."""
    return dialect.replace(":notool", "")


_MORE = [(448, 448)] * 50


def crop(image: int, *corners: float) -> Row:
    return {"kind": "crop_image", "image": image, "box": list(corners)}


def frames(*numbers: int) -> Row:
    return {"kind": "select_frames", "frames": list(numbers)}


def answer(text: str) -> Row:
    return {"kind": "answer", "text": text}


def said(row: Row, dialect: str, before: str = "", after: str = "") -> Said:
    """`row` as the dialect writes it, with words around; a picture that is not there counts as 448 x 448."""

    def make(sizes: Sizes) -> str | None:
        text = written(row, writer(dialect), [*sizes, *_MORE])
        return None if text is None else before + text + after

    return make


def changed(row: Row, dialect: str, change: Callable[[dict[str, Any]], Any]) -> Said:
    """A call in JSON whose object was changed (in place, or to what `change` returns)."""

    def make(sizes: Sizes) -> str | None:
        text = written(row, writer(dialect), [*sizes, *_MORE])
        if text is None or "{" not in text:
            return None
        start, end = text.index("{"), text.rindex("}") + 1
        call = json.loads(text[start:end])
        body = change(call)
        return text[:start] + (body if isinstance(body, str) else json.dumps(call)) + text[end:]

    return make


def numbers(dialect: str, *fractions: float, image: int = 0) -> Said:
    """A crop with any numbers, given as fractions of the picture and written in the dialect's unit."""

    def make(sizes: Sizes) -> str | None:
        full = written(crop(image, 0.0, 0.0, 1.0, 1.0), writer(dialect), sizes)
        if full is None:
            return None
        if "{" not in full:
            opening, *corners = full.split(" ")
            ends = [int(corners[2]), int(corners[3])]
            return " ".join([opening, *(str(round(value * ends[at % 2])) for at, value in enumerate(fractions))])
        key, (_, _, *ends) = box_of(json.loads(full[full.index("{") : full.rindex("}") + 1]))
        values = [round(value * ends[at % 2], 6) for at, value in enumerate(fractions)]
        return changed(crop(image, 0.0, 0.0, 1.0, 1.0), dialect, lambda call: call["arguments"].update({key: values}))(
            sizes
        )

    return make


def box_of(call: dict[str, Any]) -> tuple[str, list[Any]]:
    """The key and the value of the only list among a call's arguments."""
    [found] = [(key, value) for key, value in call["arguments"].items() if isinstance(value, list)]
    return found


def image_key(call: dict[str, Any]) -> str:
    [found] = [key for key, value in call["arguments"].items() if not isinstance(value, list)]
    return found


def put(value: Any, *, is_box: bool) -> Callable[[dict[str, Any]], None]:
    """The change that puts `value` in place of the box, or of the image's number."""

    def change(call: dict[str, Any]) -> None:
        call["arguments"][box_of(call)[0] if is_box else image_key(call)] = value

    return change


MIDDLE = crop(0, 0.25, 0.25, 0.75, 0.75)


def unreadable_calls(dialect: str) -> Iterator[Said]:
    """Calls that are not one readable call, and odd ones that are."""
    changes: list[Callable[[dict[str, Any]], Any]] = [
        lambda call: "{",
        lambda call: "",
        lambda call: "[" * 3000,
        lambda call: "[]",
        lambda call: "null",
        lambda call: str(call),  # single quotes
        lambda call: json.dumps(call) + json.dumps(call),
        lambda call: "\n" + json.dumps(call, indent=1) + "\n",
        lambda call: json.dumps({"name": 3, "arguments": {}}),
        lambda call: json.dumps({"name": call["name"]}),
        lambda call: json.dumps({"arguments": call["arguments"]}),
        lambda call: json.dumps({**call, "name": "zoom"}),
        lambda call: json.dumps({**call, "name": "crop_image"}),
        lambda call: json.dumps({**call, "name": "crop_image_normalized"}),
        lambda call: json.dumps({**call, "name": ""}),
        lambda call: json.dumps({**call, "id": 4}),
        lambda call: json.dumps({**call, "arguments": None}),
        lambda call: json.dumps({**call, "arguments": list(call["arguments"].values())}),
        lambda call: json.dumps({**call, "arguments": {**call["arguments"], "label": "a"}}),
        lambda call: json.dumps({**call, "arguments": {image_key(call): 1}}),
        lambda call: json.dumps({**call, "arguments": {box_of(call)[0]: [0, 0, 1, 1]}}),
        *(put(value, is_box=False) for value in ("1", True, None, 1.5, 1.0, [1], 0, -1, 7, 10**30, 1e30)),
        *(put(value, is_box=True) for value in ("0 0 1 1", None, [[0, 0, 1, 1]], [0, 0, True, 1], [0, 0, "1", 1])),
        *(put(value, is_box=True) for value in ([], [0.5], [0, 0, 1], [0, 0, 1, 1, 1])),
        *(put([0, 0, value, 1], is_box=True) for value in (float("nan"), float("inf"), float("-inf"), 10**400)),
    ]
    for change in changes:
        yield changed(MIDDLE, dialect, change)
    call = said(MIDDLE, dialect)
    yield lambda sizes: (call(sizes) or "") * 2
    yield lambda sizes: f"{call(sizes)}\n{(call(sizes) or '')[:11]}"
    yield lambda sizes: (call(sizes) or "")[:-5]
    yield lambda sizes: (call(sizes) or "")[:14]
    yield lambda sizes: Unfinished((call(sizes) or "")[:-5])
    yield lambda sizes: Unfinished(call(sizes) or "")


def integer_calls() -> tuple[str, ...]:
    """What goes wrong, and does not, with a call of integers."""
    return (
        "<crop>",
        "<crop> 1 2 3",
        "<crop> 0 0 8 8 8",
        "<crop> a b c d",
        "<crop> 0.5 0 8 8",
        "<crop> 0 0 8 1234567890",
        "<crop> 4 4 4 8",
        "<crop> 8 4 4 8",
        "<crop> 0 0 17 8",
        "<crop> -1 0 8 8",
        "<crop> 0 0 1 1",
        "<crop>0 0 8 8",
        "Look. <crop>\n2  2 9\t9 \n",
        "<crop> 0 0 8 8 <answer>7",
        "<crop> 0 0 8 8<crop> 0 0 8 8",
    )


def boxes(dialect: str) -> Iterator[Said]:
    """Every edge rule of a box, on either side of its border."""
    for corners in (
        (0.0, 0.0, 1.0, 1.0),
        (0.5, 0.5, 1.02, 1.0),
        (0.5, 0.5, 1.0, 1.021),
        (-0.02, -0.019, 0.5, 0.5),
        (0.0, -0.0201, 0.5, 0.5),
        (1.0, 0.0, 1.02, 1.0),
        (-0.02, 0.0, 0.0, 1.0),
        (5.0, 5.0, 100.0, 100.0),
        (0.5, 0.25, 0.5, 0.75),
        (0.25, 0.5, 0.75, 0.5000001),
        (0.75, 0.25, 0.25, 0.75),
        (0.25, 0.75, 0.75, 0.25),
        (0.5, 0.5, 0.51, 0.51),
        (0.0, 0.0, 0.1, 0.1),
        (0.0, 0.0, 0.0964, 0.1),
        (0.9, 0.9, 1.0, 1.0),
        (0.13, 0.27, 0.61, 0.83),
        (1 / 3, 0.1, 2 / 3, 0.7777),
    ):
        yield numbers(dialect, *corners)


def frame_calls(dialect: str) -> Iterator[Said]:
    """Every rule of selected frames."""
    for chosen in ((), (0,), (15,), (16,), (-1,), (3, 3), (9, 2), tuple(range(8)), tuple(range(9))):
        yield said(frames(*chosen), dialect)
    for value in ("1", None, [1.0, 2], [1.5], ["1"], [True], [None], [10**30], [[1, 2]]):
        yield changed(frames(0), dialect, put(value, is_box=True))
    yield changed(frames(0), dialect, lambda call: json.dumps({**call, "arguments": {**call["arguments"], "more": 1}}))
    yield changed(frames(0), dialect, lambda call: json.dumps({**call, "arguments": {}}))


ENDINGS = (
    "\\boxed{7}",
    "So it is \\boxed{ 7 }, I think.",
    "\\boxed{6} or \\boxed{7}",
    "\\boxed{\\text{{7}}}",
    "\\boxed {7}",
    "\\boxed{\\boxed{7}}",
    "\\boxed{7",
    "} \\boxed{7} \\boxed{",
    "\\boxed{}",
    "<answer>7",
    "<answer>6<answer> 7 ",
    "<answer>7</answer>",
    "<answer>",
    "7",
    "seven",
    "",
    " \n",
    "Bild \ud800 \u4f60\u597d \\boxed{\u00df}",
    Unfinished("<answer>7"),
    Unfinished("so \\boxed{7}"),
)
"""Ways to end, or not: what each is depends on the dialect's answer rule."""

CHUNKS: tuple[tuple[str, ...], ...] = (
    (Unfinished("so \\box"), "ed{7}"),
    (Unfinished("so "), Unfinished("\\boxed{"), "7}"),
    (Unfinished("so \\box"), "ed", "{7}", "<answer>7"),
    (Unfinished("<ans"), Unfinished("wer>"), "7"),
    (Unfinished("Let me think"), "", "\\boxed{7} <answer>7"),
    (Unfinished(""), Unfinished(""), "7"),
)


def cut_call(dialect: str, *places: int) -> list[Said]:
    """A call that comes in chunks."""

    def part(low: int, high: int | None) -> Said:
        def make(sizes: Sizes) -> str:
            text = (said(MIDDLE, dialect)(sizes) or "")[low:high]
            return text if high is None else Unfinished(text)

        return make

    return [part(low, high) for low, high in itertools.pairwise([0, *places, None])]


def sayable(plan: Sequence[Said]) -> list[Said]:
    """What of `plan` the dialect can say."""
    return [item for item in plan if isinstance(item, str) or item(_MORE) is not None]
