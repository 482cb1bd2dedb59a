"""Calls as real checkpoints write them, in every dialect's own language, and what happens here.

The texts are written and parsed, so that what is told is what is done. Depends on the table of dialects; independent of
protocols and models.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pixel_env.actions import parse_all, write
from pixel_env.boxes import Box
from pixel_env.dialects.call_syntax import Call
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.rows.row import PeerRow
from pixel_env.dialects.table import PEERS
from pixel_env.episode import Action, Answer, Malformed
from pixel_env.operations.calls import write_call
from pixel_env.operations.crop_image import CropImage
from pixel_env.operations.frame_at_time import FrameAtTime
from pixel_env.operations.operation import Operation
from pixel_env.operations.point_zoom import PointZoom
from pixel_env.operations.resize import Resize
from pixel_env.operations.select_frames import SelectFrames
from pixel_env.operations.select_range import SelectRange
from pixel_env.operations.select_segment import SelectSegment

SHOWN, SOURCE = (1120, 784), (2240, 1568)
"""The size of the one image of these turns, as shown and in the source."""

_ANSWER = "B"
_EXAMPLES: tuple[tuple[Operation, Operation], ...] = (
    (CropImage(0, Box(0.25, 0.25, 0.5, 0.5)), CropImage(0, Box(0.5, 0.5, 0.75, 0.75))),
    (PointZoom(0, (0.25, 0.5)), PointZoom(0, (0.75, 0.5))),
    (Resize(0), Resize(0)),
    (SelectSegment(1.0, 3.0, 2.0), SelectSegment(4.0, 6.0, 2.0)),
    (SelectSegment(1.0, 3.0), SelectSegment(4.0, 6.0)),
    (SelectRange(0, 12), SelectRange(3, 15)),
    (SelectFrames((0, 1)), SelectFrames((2, 3))),
    (FrameAtTime(3), FrameAtTime(5)),
)
"""Two calls of each operation; a dialect's turns are made from the first two that it can say."""


@dataclass(frozen=True, slots=True)
class Habit:
    """Something that checkpoints write.

    `turn`: the text of such a turn in a dialect; None where the dialect cannot say it. `kinds`: its names among the
    deliberate differences of a row. `rule`: the rule of the dialect that decides.
    """

    name: str
    turn: Callable[[Dialect], str | None]
    kinds: tuple[str, ...]
    rule: Callable[[Dialect], str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a turn does here, and why."""

    habit: str
    text: str | None
    happens: str
    why: str


def examples_of(dialect: Dialect) -> tuple[Operation, Operation]:
    """Two calls of the first operation that the dialect can say. Raises ValueError if it has none of ours."""
    for pair in _EXAMPLES:
        if all(dialect.can_call(one.name) and dialect.can_say(one) for one in pair):
            return pair
    raise ValueError(f"the dialect {dialect.name!r} offers none of the operations that ship")


def call_in(dialect: Dialect, which: int = 0) -> str:
    """The text of one of the two calls."""
    return write(examples_of(dialect)[which], dialect, [SHOWN], [SOURCE])


def _answer(dialect: Dialect) -> str:
    return write(Answer(_ANSWER), dialect)


def _arguments(dialect: Dialect) -> dict[str, Any]:
    return write_call(examples_of(dialect)[0], dialect.convention([SHOWN], [SOURCE]), dialect.argument_keys)


def _written(dialect: Dialect, arguments: Mapping[str, Any]) -> str | None:
    """The call with these arguments, if the syntax can write it and loses nothing of it."""
    try:
        text = dialect.calls.write(Call(dialect.name_of(type(examples_of(dialect)[0])), dict(arguments)))
    except (ValueError, TypeError, KeyError):
        return None
    return None if arguments != _arguments(dialect) and text == call_in(dialect) else text


def _with_label(dialect: Dialect) -> str | None:
    return _written(dialect, {**_arguments(dialect), "label": "the sign"})


def _without_image(dialect: Dialect) -> str | None:
    operation = type(examples_of(dialect)[0])
    field = operation.image_field()
    if field is None:
        return None
    key = dialect.argument_keys.of(operation, field)
    return _written(dialect, {name: value for name, value in _arguments(dialect).items() if name != key})


def _with_digits(dialect: Dialect) -> str | None:
    changed = {name: _as_text(value) for name, value in _arguments(dialect).items()}
    return None if changed == _arguments(dialect) else _written(dialect, changed)


def _as_text(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_as_text(one) for one in value]
    return str(value) if isinstance(value, int | float) else value


def _calls_rule(dialect: Dialect) -> str:
    many = f", at most {dialect.max_calls}" if dialect.several_calls == "all" else ""
    stops = f"; {_stop_rule(dialect)}" if dialect.stop else ""
    return f"several_calls: {dialect.several_calls}{many}{stops}"


def _stop_rule(dialect: Dialect) -> str:
    return f"the engine ends the turn at {dialect.stop[0]}"


def _draft_rule(dialect: Dialect) -> str:
    """A closing mark that ends the turn ends it inside of a thought, too."""
    thought = f"what stands before the last {dialect.thought_closing} is not read"
    return f"{_stop_rule(dialect)}, before the thought ends" if dialect.stop else thought


def _around_rule(what: str) -> Callable[[Dialect], str]:
    """What decides about a text behind a call: the engine, or `what` in a finished turn."""

    def rule(dialect: Dialect) -> str:
        if dialect.stop:
            return _stop_rule(dialect)
        is_read = isinstance(_read(f"{call_in(dialect)}\n{_answer(dialect)}", dialect), Malformed)
        return "the call is all that follows its opening mark" if is_read else what

    return rule


def _label_rule(dialect: Dialect) -> str:
    return f"ignored_keys: {', '.join(dialect.ignored_keys) or 'none'}"


def _image_rule(dialect: Dialect) -> str:
    return "default_image: none" if dialect.default_image is None else "default_image: the first image"


HABITS = (
    Habit("two calls", lambda d: f"{call_in(d)}\n{call_in(d, 1)}", ("two_calls", "two calls"), _calls_rule),
    Habit("a label", _with_label, ("extra_label", "with a label"), _label_rule),
    Habit("no image number", _without_image, ("missing_image",), _image_rule),
    Habit(
        "digits as text",
        _with_digits,
        ("digits_as_text", "digits as text"),
        lambda d: f"digits_as_text: {'yes' if d.digits_as_text else 'no'}",
    ),
    Habit(
        "a draft in a thought, then the answer",
        lambda d: f"<think>Perhaps {call_in(d)}</think>\n{_answer(d)}",
        ("draft_in_think_then_answer", "draft in a thought, and answer"),
        _draft_rule,
    ),
    Habit(
        "a tail after the call",
        lambda d: f"{call_in(d)}\nThe sign is red.",
        ("tail_after_call", "tail after the call"),
        _around_rule("text around a call is ignored"),
    ),
    Habit(
        "a call and an answer in one turn",
        lambda d: f"{call_in(d)}\n{_answer(d)}",
        ("call_then_answer", "call and answer"),
        _around_rule("a call wins over an answer"),
    ),
)
"""What checkpoints write, in the order of the page."""


def outcomes_of(dialect: Dialect, tested: Collection[str]) -> Iterator[Outcome]:
    """What each habit does in a dialect, and why.

    `tested`: the kinds of call texts on which the dialect is tested against the project's own code.
    """
    row = PEERS.get(dialect.name)
    for habit in HABITS:
        text = habit.turn(dialect)
        if text is None:
            yield Outcome(habit.name, None, "cannot be written in this syntax", "-")
            continue
        yield Outcome(
            habit.name, text, _told(_heard(text, dialect), text, dialect), _reason(habit, dialect, row, tested)
        )


def _heard(text: str, dialect: Dialect) -> str:
    """The turn as an engine returns it: it ends at the first of the dialect's closing marks."""
    for stop in dialect.stop:
        text = text[: text.index(stop) + len(stop)] if stop in text else text
    return text


def _told(heard: str, text: str, dialect: Dialect) -> str:
    """What the turn does, in words."""
    actions = parse_all(heard, dialect, [SHOWN], [SOURCE])
    if len(actions) > 1:
        return "both calls are executed"
    return _action_told(actions[0], text, dialect)


def _action_told(action: Action, text: str, dialect: Dialect) -> str:
    match action:
        case Operation():
            if call_in(dialect, 1) not in text or call_in(dialect) == call_in(dialect, 1):
                return "the call is executed"
            is_first = _read(call_in(dialect), dialect) == action
            return "the first call is executed, the second is ignored" if is_first else "the last call is executed"
        case Malformed(_, reason):
            return f"refused: {reason}"
        case Answer(answer):
            return "it is the answer" if answer == _ANSWER else "the whole turn is taken for the answer"
        case _:
            return "no call; the turn is continued"


def _read(text: str, dialect: Dialect) -> Action:
    return parse_all(text, dialect, [SHOWN], [SOURCE])[0]


def _reason(habit: Habit, dialect: Dialect, row: PeerRow | None, tested: Collection[str]) -> str:
    """The rule, and how it stands to the public code that the row follows."""
    rule = habit.rule(dialect)
    if row is None:
        return rule
    differs = next((row.differences[kind] for kind in habit.kinds if kind in row.differences), None)
    if differs is not None:
        return f"{rule}. Unlike its own code: {differs}"
    return f"{rule}. As its own code" if any(kind in tested for kind in habit.kinds) else rule
