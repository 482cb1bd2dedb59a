"""Random turns of an assistant, made of what the rows of dialects write, and read by all rows at once.

A turn is glued from thoughts, calls in the syntax of any row, answers, marks, prose and characters; then a part of it
may be dropped, repeated or moved. Depends on dialects; independent of graders and data sets.
"""

import random
from collections.abc import Iterator, Mapping
from typing import Any

from pixel_env.actions import parse_all
from pixel_env.dialects.call_syntax import Call
from pixel_env.dialects.dialect import Dialect
from pixel_env.operations.operation import Operation
from pixel_env.types import Action, Answer, Malformed, Text, Unfinished

SHOWN, SOURCES = [(640, 480), (28, 28)], [(6400, 4800), (28, 28)]
PROSE = (
    "It is small. ",
    "Let me look closer",
    "\n",
    " ",
    "The answer is B.",
    "because",
    "I could use ",
    "}",
    '"',
    "😀",
)
NUMBERS = (0, 1, 2, -1, 0.5, 0.1, 0.999, 1.02, 28, 500, 1000, 4000, 1e300, float("nan"), float("inf"), 10**400, 1.0)
TEXTS = ("1", " 2 ", "1e5", "NaN", "", "٣", "0.5", "original_image", "observation_1", "img_1", "image_2", "cat", "[1]")
OTHERS = (None, True, [], {}, [[0.1, 0.1, 0.5, 0.5]], {"x": 1})


class RandomTurns:
    """Draws turns; equal seeds draw equal turns."""

    def __init__(self, dialects: Mapping[str, Dialect], seed: int) -> None:
        self._draw = random.Random(seed)
        self._dialects = list(dialects.values())
        marks = {mark for one in self._dialects for mark in (*one.calls.markers, one.answer_marker, one.answer_closing)}
        self._marks = [*sorted(marks - {""}), "<think>", "</think>", r"\boxed{", r"\boxed{7}", "}"]

    def __iter__(self) -> Iterator[str]:
        while True:
            text = "".join(self._part() for _ in range(self._draw.randint(1, 5)))
            yield self._broken(text) if self._draw.random() < 0.3 else text

    def _part(self) -> str:
        kind = self._draw.random()
        if kind < 0.45:
            return self._call()
        if kind < 0.6:
            opening, closing = self._draw.choice(["<think>", ""]), self._draw.choice(["</think>", "</think>", ""])
            return opening + self._call() * self._draw.randint(0, 1) + self._draw.choice(PROSE) + closing
        if kind < 0.7:
            one = self._draw.choice(self._dialects)
            return one.answer_marker + self._draw.choice(["B", "7", r"\boxed{7}", ""]) + one.answer_closing
        if kind < 0.85:
            return self._draw.choice(self._marks)
        return self._draw.choice(PROSE) if kind < 0.97 else chr(self._draw.randrange(0x3000))

    def _call(self) -> str:
        """A call as one row writes it, its arguments right or not."""
        one = self._draw.choice(self._dialects)
        operation = self._draw.choice(one.offered)
        arguments = {one.argument_keys.of(operation, name): self._value(name) for name in operation.arguments()}
        if one.argument_keys.box is not None and self._draw.random() < 0.7:
            arguments = {key: value for key, value in arguments.items() if not isinstance(value, list)}
            arguments |= {key: self._draw.choice(NUMBERS) for key in one.argument_keys.box}
        if self._draw.random() < 0.2:
            arguments[self._draw.choice([*one.ignored_keys, "label", "zoom", "ключ"])] = self._any()
        if self._draw.random() < 0.1 and arguments:
            del arguments[self._draw.choice(list(arguments))]
        name = one.name_of(operation) if self._draw.random() < 0.9 else self._draw.choice(["zoom", "answer", ""])
        try:
            return one.calls.write(Call(name, arguments))
        except (ValueError, TypeError):  # the syntax cannot say it
            return one.calls.opening

    def _value(self, name: str) -> Any:
        if self._draw.random() < 0.1:
            return self._any()
        if name in ("box", "point", "frames"):
            low, high = sorted(self._draw.choice([(0.1, 0.6), (0, 1), (20, 300), (100, 900), (3, 4)]))
            return [low, low, high, high][: {"box": 4, "point": 2, "frames": 3}[name]]
        return self._draw.choice([1, 2, 1.0, 90, "brighter", "horizontal", "1", "img_1", "original_image", 0])

    def _any(self) -> Any:
        return self._draw.choice([self._draw.choice(NUMBERS), self._draw.choice(TEXTS), self._draw.choice(OTHERS)])

    def _broken(self, text: str) -> str:
        start, end = sorted((self._draw.randint(0, len(text)), self._draw.randint(0, len(text))))
        cut = text[start:end]
        return self._draw.choice(
            [text[:start] + text[end:], text[:end] + cut + text[end:], cut, text[end:] + text[:end]]
        )


def read_by_all(text: str, dialects: Mapping[str, Dialect]) -> str:
    """What the rows make of the turn, the most of it: "called", "refused", "answer" or "text".

    Raises AssertionError if a row reads something else than actions, if a turn that was cut is an answer, or if a row
    takes for plain text what another row with the same mark and thoughts executes.
    """
    kinds = set()
    for turn in (Unfinished(text), text):
        readings = {name: parse_all(turn, dialect, SHOWN, SOURCES) for name, dialect in dialects.items()}
        for name, actions in readings.items():
            if not actions or not all(isinstance(action, Action) for action in actions):
                raise AssertionError(f"{name} reads {actions!r}, wanted actions")
            if isinstance(turn, Unfinished) and any(isinstance(action, Answer) for action in actions):
                raise AssertionError(f"{name} reads an answer in a turn that was cut: {actions!r}")
        called = {_grammar(dialects[name]): name for name, actions in readings.items() if _is_called(actions)}
        for name, actions in readings.items():
            if isinstance(actions[0], Text) and (other := called.get(_grammar(dialects[name]))):
                raise AssertionError(f"{other} reads a call and {name} plain text")
        kinds |= {_kind(action) for actions in readings.values() for action in actions}
    return next(kind for kind in ("called", "refused", "answer", "text") if kind in kinds)


def _grammar(dialect: Dialect) -> tuple[str, str]:
    return dialect.calls.opening, dialect.thought_closing


def _is_called(actions: tuple[Action, ...]) -> bool:
    return any(isinstance(action, Operation) for action in actions)


def _kind(action: Action) -> str:
    match action:
        case Operation():
            return "called"
        case Malformed():
            return "refused"
        case Answer():
            return "answer"
        case Text():
            return "text"
