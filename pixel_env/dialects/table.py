"""The table of wire formats: what a model writes and reads, as values.

A dialect declares its tool names, coordinate convention, index base, answer rule, wording, crop rule and pixel budgets.
Nothing is guessed from the numbers that a model writes: `[0.5, 0.5, 1, 1]` is the lower right quarter in a fraction
dialect and a refused box in the others. `actions.py` is the only module that reads or writes these formats.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.views import PixelBudget, ViewBudgets

# --------------------------------------------------------------------------------------------- parts of a dialect


@dataclass(frozen=True, slots=True)
class Coordinates:
    """The unit of a box's numbers: fractions of the image, pixels of the image as shown, or cells of a grid on it."""

    unit: Literal["fraction", "pixel", "grid"]
    cells: int = 1

    def scale(self, shown_size: tuple[int, int]) -> tuple[float, float]:
        """What the whole width and the whole height count, for an image shown at (width, height)."""
        match self.unit:
            case "fraction":
                return (1.0, 1.0)
            case "pixel":
                return (float(shown_size[0]), float(shown_size[1]))
            case "grid":
                return (float(self.cells), float(self.cells))


@dataclass(frozen=True, slots=True)
class JsonCalls:
    """Calls are JSON objects {"name", "arguments"} between `opening` and `closing` (Qwen-Agent's Nous format)."""

    opening: str = "<tool_call>"
    closing: str = "</tool_call>"
    crop_name: str = "crop_image"
    box_key: str = "bbox_2d"
    image_key: str = "target_image"
    frames_name: str = "select_frames"
    frames_key: str = "target_frames"


@dataclass(frozen=True, slots=True)
class IntegerCalls:
    """A call is `opening` and four integers up to the end of the turn; it always crops the task's first image."""

    opening: str = "<crop>"


@dataclass(frozen=True, slots=True)
class Wording:
    """The texts that the environment says. Each is a `str.format` template; the comments name the fields it may use.

    `number`, `first`, `last`: of the new images, counted like the dialect counts; `width`, `height`: as shown.
    """

    crop: str = "Here is the cropped image (image {number}, {width}x{height} pixels):"  # number, width, height
    frames: str = "Here are the selected frames (images {first} to {last}):"  # first, last, width, height
    failure: str = "Error ({code}): {message}"  # code, message
    expected: str = "Call a tool, or give the final answer within \\boxed{{}}."  # none
    question: str = "{question}"  # question
    option: str = "({letter}) {text}"  # letter, text


@dataclass(frozen=True, slots=True)
class Dialect:
    """One wire format.

    `first_index`: the number of the first image and frame. `padding`: added on each side of a crop, as a fraction of
    the image's side. `crops_source`: a crop shows the source's own pixels; False: those of the view that was shown.
    `answer_rule`: `boxed` (the last `\\boxed{}`), `marker` (what follows `answer_marker`) or `any` (a turn without a
    call is the answer: its last `\\boxed{}`, or all of it). `text_continues`: a turn without call and answer goes on;
    False needs the rule `any`. `offers_calls`: False: a call is refused, whatever it asks for. `video_entry`: where a
    chat format can, a video opens the prompt as one entry (`agents/chat/video_entry.py`) and not as an image for each
    frame; what is shown later is images either way. `min_crop_side`: in pixels of the source.
    """

    name: str
    calls: JsonCalls | IntegerCalls
    coordinates: Coordinates
    budgets: ViewBudgets
    system: str = "You are a helpful assistant."
    shows_tools: bool = True
    offers_calls: bool = True
    wording: Wording = field(default_factory=Wording)
    first_index: int = 1
    padding: float = 0.0
    crops_source: bool = True
    min_crop_side: int = 28
    max_frames: int = 8
    answer_rule: Literal["boxed", "marker", "any"] = "boxed"
    answer_marker: str = "<answer>"
    text_continues: bool = True
    images_first: bool = True
    video_entry: bool = False

    def __post_init__(self) -> None:
        if self.text_continues == (self.answer_rule == "any"):
            raise ValueError(
                f"dialect {self.name!r}: text_continues is False with answer_rule 'any' and True with the others, "
                f"got {self.text_continues} with {self.answer_rule!r}"
            )
        if self.shows_tools and not self.offers_calls:
            raise ValueError(f"dialect {self.name!r} shows tools whose calls it refuses; set shows_tools to False")


def view_budgets(
    original: tuple[int, int],
    crop: tuple[int, int],
    video_frame: tuple[int, int],
    selected_frame: tuple[int, int],
    *,
    factor: int,
) -> ViewBudgets:
    """Budgets from (min, max) pairs in pixels."""
    return ViewBudgets(*(PixelBudget(low, high, factor) for low, high in (original, crop, video_frame, selected_frame)))


# ------------------------------------------------------------------------------------------------------ the table

_GUIDELINE = (
    "{question}\n\nThink step by step. Where a detail is too small to see, look closer with a tool. "
    "Give the final answer within \\boxed{{}}."
)
_UNIT_28 = 28 * 28  # Qwen2.5-VL: patch 14, merge 2. The multiples are those of the released code, evaluation mode.

_DEFAULT = Dialect(
    name="default",
    calls=JsonCalls(),
    coordinates=Coordinates("fraction"),
    budgets=view_budgets(
        (256 * _UNIT_28, 5120 * _UNIT_28),
        (64 * _UNIT_28, 2048 * _UNIT_28),
        (16 * _UNIT_28, 512 * _UNIT_28),
        (64 * _UNIT_28, 1024 * _UNIT_28),
        factor=28,
    ),
    wording=Wording(question=_GUIDELINE),
)

_UNIT_32 = 32 * 32  # Qwen3-VL: patch 16, merge 2.
_QWEN3_BUDGETS = view_budgets(
    (256 * _UNIT_32, 4096 * _UNIT_32),
    (64 * _UNIT_32, 2048 * _UNIT_32),
    (16 * _UNIT_32, 512 * _UNIT_32),
    (64 * _UNIT_32, 1024 * _UNIT_32),
    factor=32,
)

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        _DEFAULT,
        # Qwen2.5-VL grounds in pixels of the image as shown, Qwen3-VL in thousandths.
        Dialect(
            name="qwen2.5-vl",
            calls=JsonCalls(),
            coordinates=Coordinates("pixel"),
            budgets=_DEFAULT.budgets,
            wording=Wording(question=_GUIDELINE),
        ),
        Dialect(
            name="qwen3-vl",
            calls=JsonCalls(),
            coordinates=Coordinates("grid", 1000),
            budgets=_QWEN3_BUDGETS,
            wording=Wording(question=_GUIDELINE),
        ),
        # The released Pixel-Reasoner checkpoints (curiosity_driven_rl/.../experience_maker.py, evaluation limits).
        Dialect(
            name="released",
            calls=JsonCalls(crop_name="crop_image_normalized"),
            coordinates=Coordinates("fraction"),
            budgets=view_budgets(
                (256 * _UNIT_28, 8000 * _UNIT_28),
                (256 * _UNIT_28, 5120 * _UNIT_28),
                (4 * _UNIT_28, 512 * _UNIT_28),
                (4 * _UNIT_28, 512 * _UNIT_28),
                factor=28,
            ),
            wording=Wording(
                crop="\nHere is the cropped image (Image Size: {width}x{height}):",
                frames="\nHere are the selected frames (Frame Size: {width}x{height}, Numbered {first} to {last}):",
                failure="\nExecution error:\n{message}\n",
                question=_GUIDELINE,
            ),
            padding=0.1,
            crops_source=False,
            answer_rule="any",
            text_continues=False,
            video_entry=True,
        ),
        # The embedded 2 M-parameter model: no tool text, a call of 6 tokens, short answers.
        Dialect(
            name="tiny",
            calls=IntegerCalls(),
            coordinates=Coordinates("grid", 16),
            budgets=view_budgets(
                (64 * 64, 64 * 64), (128 * 128, 128 * 128), (64 * 64, 64 * 64), (128 * 128, 128 * 128), factor=16
            ),
            system="",
            shows_tools=False,
            wording=Wording(crop="", frames="", failure="{message}", expected="answer"),
            answer_rule="marker",
        ),
    )
}


# --------------------------------------------------------------------------------------------------------- variants


def _vcot(dialect: Dialect, calls: JsonCalls) -> Dialect:
    """The released code's prompt set `vcot`: the question tells when to use which operation. The words are ours.

    Theirs names `crop_image`, which its own checkpoints cannot call; here the name is the dialect's.
    """
    question = (
        "{question}\n\nUnderstand what is shown and what is asked. Decide whether it helps to look closer: in a video "
        f"with `{calls.frames_name}`, in an image with `{calls.crop_name}`. Reason step by step about what you see, "
        "and put the final answer within \\boxed{{}}."
    )
    return replace(dialect, shows_tools=True, offers_calls=True, wording=replace(dialect.wording, question=question))


def _notool(dialect: Dialect, calls: JsonCalls) -> Dialect:
    """The released code's prompt set `notool`: no tool text, and calls are not offered. The words are ours.

    There, a call that the model makes all the same is executed; here it is refused, so that an accuracy without tools
    is one without tools.
    """
    wording = replace(
        dialect.wording,
        question="{question}\n\nThink step by step, and put the final answer within \\boxed{{}}.",
        expected="Put the final answer within \\boxed{{}}.",
    )
    return replace(dialect, shows_tools=False, offers_calls=False, wording=wording)


def _train_pixels(dialect: Dialect, calls: JsonCalls) -> Dialect:
    """The released code's pixel limits while training, in the dialect's own squares of one token each."""
    factor = dialect.budgets.original.factor
    token = factor * factor
    original, crop, video_frame, selected_frame = ((4 * token, most * token) for most in (2000, 1000, 512, 400))
    return replace(dialect, budgets=view_budgets(original, crop, video_frame, selected_frame, factor=factor))


def _frames(dialect: Dialect, calls: JsonCalls) -> Dialect:
    """A video as an image for each frame: for chat templates and engines that do not take it as one entry."""
    return replace(dialect, video_entry=False)


VARIANTS: dict[str, Callable[[Dialect, JsonCalls], Dialect]] = {
    "vcot": _vcot,
    "notool": _notool,
    "train-pixels": _train_pixels,
    "frames": _frames,
}
"""What a name may ask for after a colon, of a dialect whose calls are JSON."""


def dialect_named(name: str) -> Dialect:
    """The dialect called `name`: a row of the table, changed by what follows its name ("released:vcot:train-pixels").

    Of two prompt sets the last one counts. Raises UnknownNameError, or ConfigError where a dialect has no variants.
    """
    row, *variants = name.split(":")
    if row not in DIALECTS:
        way_out = f"After a colon may follow {', '.join(VARIANTS)}. Your own is passed as a Dialect value."
        raise UnknownNameError.among("dialect", row, DIALECTS, way_out)
    dialect = DIALECTS[row]
    for variant in variants:
        if variant not in VARIANTS:
            raise UnknownNameError.among("dialect variant", variant, VARIANTS, f"It stands in {name!r}.")
        if not isinstance(dialect.calls, JsonCalls):
            raise ConfigError(f"{row!r} has no variants: they are for dialects with calls in JSON. Give {row!r} alone.")
        dialect = replace(VARIANTS[variant](dialect, dialect.calls), name=f"{dialect.name}:{variant}")
    return dialect
