"""A dialect: one wire format, as a value.

A dialect declares its operations and their names, its call syntax, coordinates, index base, answer rule, wording, crop
rule and pixel budgets. Nothing is guessed from the numbers that a model writes: `[0.5, 0.5, 1, 1]` is the lower right
quarter in a fraction dialect and a refused box in the others.

Depends on operations and call syntaxes; independent of the rows of the table and of episodes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pixel_env.dialects.call_syntax import Call, CallSyntax
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.operations.calls import key_of, write_call
from pixel_env.operations.coordinates import Convention, Coordinates, Size
from pixel_env.operations.frame_rule import FrameRule
from pixel_env.operations.operation import Operation, OperationRule
from pixel_env.operations.registry import DEFAULT, OPERATIONS, operation_named
from pixel_env.views import PixelBudget, ViewBudgets

_ANY_SIZE = (1000, 1000)


@dataclass(frozen=True, slots=True)
class Wording:
    """The texts of the environment. Each is a `str.format` template; the comments name the fields it may use.

    `observations`: by an operation's name, the text that comes back with its images, if not the operation's own text
    (`Operation.observation` documents the fields).
    """

    observations: Mapping[str, str] = field(default_factory=dict)
    failure: str = "Error ({code}): {message}"  # code, message
    expected: str = "Call a tool, or give the final answer within \\boxed{{}}."  # none
    question: str = "{question}"  # question
    option: str = "({letter}) {text}"  # letter, text


@dataclass(frozen=True, slots=True)
class Dialect:
    """One wire format.

    `calls`: the syntax of calls. `operations`: what can be called, by `Operation.name` or 'module:Class'. `names`: the
    name of an operation in this dialect, if not its own name. `keys`: the key of an argument in a call, by field
    ("box") or by operation and field ("crop_image.box"), if not the argument's own key. `default_image`: the image
    (from 0) of a call that names none; None: a call must name its image. `first_index`: the number of the first image
    and frame. `padding`: added on each side of a crop, as a fraction of the image's side. `crops_source`: an operation
    works on the pixels of the source; False: on those of the view that was shown. `min_crop_side`: in pixels of the
    source. `max_frames`: of one selection. `frames`: how a segment of a video becomes frames. `answer_rule`: `boxed`
    (the last `\\boxed{}`), `marker` (what follows `answer_marker`) or `any` (a turn without a call is the answer: its
    last `\\boxed{}`, or all of it). `text_continues`: a turn without call and answer is continued; False needs the
    rule `any`. `offers_calls`: False: every call is refused. `images_first`: images come before the text of their
    message. `video_entry`: if the chat format allows it, a video is one entry of the prompt
    (`agents/chat/video_entry.py`) instead of one image per frame; what is shown later are images in both cases.
    """

    name: str
    calls: CallSyntax
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
    operations: tuple[str, ...] = DEFAULT
    names: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    default_image: int | None = None
    frames: FrameRule = field(default_factory=FrameRule)

    def __post_init__(self) -> None:
        if self.text_continues == (self.answer_rule == "any"):
            raise ValueError(
                f"dialect {self.name!r}: text_continues is False with answer_rule 'any' and True with the others, "
                f"got {self.text_continues} with {self.answer_rule!r}"
            )
        if self.shows_tools and not self.offers_calls:
            raise ValueError(f"dialect {self.name!r} shows tools whose calls it refuses; set shows_tools to False")

    @property
    def offered(self) -> tuple[type[Operation], ...]:
        """The operations that can be called, in the order of the prompt. Raises UnknownNameError, ConfigError."""
        operations = [operation_named(name) for name in self.operations]
        return tuple(operation for operation in operations if self.calls.can_say(self.name_of(operation)))

    def name_of(self, operation: type[Operation]) -> str:
        """The name of the operation in this dialect."""
        return self.names.get(operation.name, operation.name)

    def can_call(self, name: str) -> bool:
        """Whether the operation `name` can be called."""
        return self.offers_calls and any(operation.name == name for operation in self.offered)

    def can_say(self, operation: Operation) -> bool:
        """Whether this dialect's syntax can write the call, whether or not it is offered."""
        number = operation.image_number or 0
        sizes = [_ANY_SIZE] * (number + 1)
        try:
            arguments = write_call(operation, self.convention(sizes), self.keys)
            self.calls.write(Call(self.name_of(type(operation)), arguments))
        except ValueError:
            return False
        return True

    @property
    def rule(self) -> OperationRule:
        """The rules of the dialect that operations need."""
        return OperationRule(
            self.first_index, self.padding, self.crops_source, self.min_crop_side, self.max_frames, self.frames
        )

    def convention(self, shown_sizes: Sequence[Size] = ()) -> Convention:
        """What reading and writing arguments needs; `shown_sizes` are (width, height) of the images so far."""
        return Convention(self.coordinates, self.first_index, self.max_frames, self.default_image, shown_sizes)


def checked_operations(dialect: Dialect) -> Dialect:
    """`dialect`, if its operations exist and names and keys are unambiguous. Raises UnknownNameError, ConfigError."""
    named = [(operation_named(name), name) for name in dialect.operations]
    _check_coordinates_names_and_keys(dialect)
    called = [dialect.name_of(operation) for operation, _ in named]
    for index, name_in_dialect in enumerate(called):
        if name_in_dialect in called[:index]:
            raise ConfigError(
                f"the dialect {dialect.name!r} calls two operations {name_in_dialect!r}. Name each operation once."
            )
    for operation, name in named:
        if not dialect.calls.can_say(dialect.name_of(operation)) and operation.name not in DEFAULT:
            raise ConfigError(
                f"the dialect {dialect.name!r} cannot call the operation {name!r}. Leave the operation out, or give a "
                "dialect whose calls are JSON."
            )
    return dialect


def _check_coordinates_names_and_keys(dialect: Dialect) -> None:
    where = f"It stands in the dialect {dialect.name!r}."
    if not isinstance(dialect.coordinates, Coordinates):
        raise ConfigError(
            f"the coordinates of the dialect {dialect.name!r} are {dialect.coordinates!r}; wanted: such as "
            "Coordinates('grid', 1000)"
        )
    for name in dialect.names:
        if name not in OPERATIONS:
            raise UnknownNameError.among("operation", name, OPERATIONS, where)
    declared = [(operation.name, name) for operation in OPERATIONS.values() for name in operation.arguments()]
    arguments = {name for _, name in declared} | {".".join(pair) for pair in declared}
    for name in dialect.keys:
        if name not in arguments:
            raise UnknownNameError.among("argument of an operation", name, arguments, where)
    for operation in dialect.offered:
        keys = [key_of(operation, name, dialect.keys) for name in operation.arguments()]
        if len(set(keys)) < len(keys):
            raise ConfigError(
                f"the dialect {dialect.name!r} gives two arguments of {operation.name!r} one key: {', '.join(keys)}. "
                "Give each its own."
            )


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
