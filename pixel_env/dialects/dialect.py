"""A dialect: one wire format, as a value.

A dialect declares its operations and their names, its call syntax, coordinates, index base, answer rule, wording, edge
rules and pixel budgets. Nothing is guessed from the numbers that a model writes, unless the dialect declares the guess
(`Coordinates`): `[0.5, 0.5, 1, 1]` is the lower right quarter in a fraction dialect and a refused box in the others.

Depends on operations and call syntaxes; independent of the rows of the table and of episodes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from pixel_env.dialects.call_syntax import Call, CallSyntax
from pixel_env.edges import Edges
from pixel_env.errors import ConfigError, UnknownNameError
from pixel_env.once import once_for_each
from pixel_env.operations.calls import write_call
from pixel_env.operations.coordinates import Convention, Coordinates, ImageNames, Size
from pixel_env.operations.frame_rule import FrameRule
from pixel_env.operations.keys import BoxKeys, Keys
from pixel_env.operations.operation import Operation, OperationRule
from pixel_env.operations.registry import DEFAULT, operation_named
from pixel_env.views import Colors, PixelBudget, ViewBudgets

_ANY_SIZE = (1000, 1000)

SeveralCalls = Literal["refuse", "first", "last", "all"]


@dataclass(frozen=True, slots=True)
class Wording:
    """The texts of the environment. Each is a `str.format` template; the comments name the fields it may use.

    `{images}` is where the images of a message stand, between the texts before and after it; without it they come
    before the text. The prompt and the observations say it independently.

    `observations`: by an operation's name, the text that comes back with its images, if not the operation's own text;
    the fields are those of `Operation.observation`, `{call}` (how many operations were called before, from 0) and
    `{question}` (the task's question with its options). `image`: what stands for each image in `{images}`.

    `requests`: by the name of a grader, what the prompt asks the answer to be, such as "Answer with a number.". It
    stands where `question` has `{request}`; without that field, on a line of its own below the options. A grader
    without a request, and `choice` for a task without options, asks for nothing.
    """

    observations: Mapping[str, str] = field(default_factory=dict)
    failure: str = "Error ({code}): {message}"  # code, message, call, question
    expected: str = "Call a tool, or give the final answer within \\boxed{{}}."  # question
    question: str = "{question}"  # question, options, request, images, width, height, source_width, source_height
    requests: Mapping[str, str] = field(default_factory=dict)  # no fields
    option: str = "({letter}) {text}"  # letter, text
    image: str = "{image}"  # image, number, index (in its message, from 0), width, height, frame and time (of a video)
    separator: str = ""  # between the images of one message
    last_turn: str = ""  # appended to the observation before the last turn: question


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Dialect:
    """One wire format.

    Operations. `calls`: the syntax of calls. `operations`: what can be called, by `Operation.name` or 'module:Class'.
    `names`: the name of an operation in this dialect, if not its own name; `aliases`: further names, each with the
    operation that it calls, too. `keys`: the key of an argument in a call, by field ("box") or by operation and field
    ("crop_image.box"), if not the argument's own key. `ignored_keys`: keys that a call may have and that mean nothing.
    `box_keys`: four keys of a box's left, top, width and height instead of one; items of one list are named as in
    `("box[0]", "box[1]", "box[2]", "box[3]")`. `constants`: by "operation.key", texts that a call must have and that
    mean nothing. `digits_as_text`: numbers may be written as texts ("2"). `several_calls`: what a turn with several
    calls does: nothing (it is refused), its first or last one alone, or all, up to `max_calls`. `offers_calls`: False:
    every call is refused.

    Images and frames. `coordinates`: their unit. `default_image`: the image (from 0) of a call that names none; None: a
    call must name its image. `first_index`: the number of the first image and frame. `image_names`: names instead of
    numbers. `edges`: how a box becomes the region that is cut. `crops_source`: an operation works on the pixels of the
    source; False: on those of the view that was shown. `max_frames`: of one selection. `frames`: how a segment or a
    range of a video becomes frames. `budgets`: pixels of each kind of view. `video_entry`: if the chat format allows
    it, a video is one entry of the prompt (`agents/chat/video_entry.py`) instead of one image per frame; what is shown
    later are images in both cases.

    Turns. Up to the last `thought_closing` a turn is a thought: neither call nor answer. `answer_rule`: `boxed` (the
    last `\\boxed{}`), `marker` (what follows the last `answer_marker`, up to `answer_closing` if there is one, and in
    it what is boxed) or `any` (a turn without a call is the answer: what is marked or boxed in it, or all of it).
    `text_continues`: a turn without call and answer is continued; False needs the rule `any`. `stop`: texts that end a
    turn when it is generated, such as the closing mark of calls. `prefill`: the beginning of every turn, which the
    model continues; `last_prefill`: of the last turn that the limits allow, such as the marker of answers.
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
    edges: Edges = Edges()  # noqa: RUF009  # frozen
    crops_source: bool = True
    max_frames: int = 8
    answer_rule: Literal["boxed", "marker", "any"] = "boxed"
    answer_marker: str = "<answer>"
    answer_closing: str = ""
    text_continues: bool = True
    video_entry: bool = False
    operations: tuple[str, ...] = DEFAULT
    names: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    ignored_keys: tuple[str, ...] = ()
    box_keys: BoxKeys | None = None
    constants: Mapping[str, str] = field(default_factory=dict)
    digits_as_text: bool = False
    default_image: int | None = None
    image_names: ImageNames | None = None
    several_calls: SeveralCalls = "refuse"
    max_calls: int = 8
    thought_closing: str = "</think>"
    stop: tuple[str, ...] = ()
    prefill: str = ""
    last_prefill: str = ""
    frames: FrameRule = field(default_factory=FrameRule)

    def __post_init__(self) -> None:
        if self.text_continues == (self.answer_rule == "any"):
            raise ValueError(
                f"dialect {self.name!r}: text_continues is False with answer_rule 'any' and True with the others, "
                f"got {self.text_continues} with {self.answer_rule!r}"
            )
        for name, choices in (("answer_rule", ("boxed", "marker", "any")), ("several_calls", get_args(SeveralCalls))):
            if getattr(self, name) not in choices:
                raise UnknownNameError.among(name, str(getattr(self, name)), choices, f"It stands in {self.name!r}.")
        if self.max_calls < 1:
            raise ConfigError(f"the dialect {self.name!r} has max_calls {self.max_calls}; give 1 or more")
        if self.shows_tools and not self.offers_calls:
            raise ValueError(f"dialect {self.name!r} shows tools whose calls it refuses; set shows_tools to False")

    @property
    @once_for_each
    def offered(self) -> tuple[type[Operation], ...]:
        """The operations that can be called, in the order of the prompt. Raises UnknownNameError, ConfigError."""
        operations = [operation_named(name) for name in self.operations]
        return tuple(operation for operation in operations if self.calls.can_say(self.name_of(operation)))

    def name_of(self, operation: type[Operation]) -> str:
        """The name of the operation in this dialect."""
        return self.names.get(operation.name, operation.name)

    @property
    @once_for_each
    def by_name(self) -> dict[str, type[Operation]]:
        """The operations that can be called, by each of their names in this dialect."""
        offered = {operation.name: operation for operation in self.offered}
        aliases = {alias: offered[name] for alias, name in self.aliases.items() if name in offered}
        return aliases | {self.name_of(operation): operation for operation in offered.values()}

    def can_call(self, name: str) -> bool:
        """Whether the operation `name` can be called."""
        return self.offers_calls and any(operation.name == name for operation in self.offered)

    def can_say(self, operation: Operation) -> bool:
        """Whether this dialect's syntax can write the call, whether or not it is offered."""
        number = operation.image_number or 0
        sizes = [_ANY_SIZE] * (number + 1)
        try:
            arguments = write_call(operation, self.convention(sizes, sizes), self.argument_keys)
            self.calls.write(Call(self.name_of(type(operation)), arguments))
        except ValueError:
            return False
        return True

    @property
    def interleaves(self) -> bool:
        """Whether a message has images between or after its texts, or may have them (several calls in one turn)."""
        wording = self.wording
        templates = [wording.question, *wording.observations.values(), *(one.observation for one in self.offered)]
        return self.several_calls == "all" or any("{images}" in template for template in templates)

    @property
    @once_for_each
    def argument_keys(self) -> Keys:
        """The keys of arguments in calls."""
        return Keys(self.keys, self.ignored_keys, self.box_keys, self.constants)

    @property
    @once_for_each
    def rule(self) -> OperationRule:
        """The rules of the dialect that operations need."""
        return OperationRule(
            self.first_index, self.edges, self.crops_source, self.max_frames, self.frames, self.image_names
        )

    def convention(self, shown_sizes: Sequence[Size] = (), source_sizes: Sequence[Size] = ()) -> Convention:
        """What reading and writing arguments needs; the sizes of the images so far: as shown, and in the source."""
        return Convention(
            self.coordinates,
            self.first_index,
            self.max_frames,
            self.default_image,
            shown_sizes,
            source_sizes,
            self.image_names,
            self.digits_as_text,
            self.edges,
        )


def view_budgets(
    original: tuple[int, int],
    crop: tuple[int, int],
    video_frame: tuple[int, int],
    selected_frame: tuple[int, int],
    *,
    factor: int,
    colors: Colors = "srgb",
) -> ViewBudgets:
    """Budgets from (min, max) pairs in pixels; `colors`: see ViewBudgets."""
    given = (original, crop, video_frame, selected_frame)
    return ViewBudgets(*(PixelBudget(low, high, factor) for low, high in given), colors=colors)
