"""Calls as phrases with gaps between two marks, as FrameThinker writes them.

    <action>choose frames between 12 and 40</action>

Depends on the protocol of call syntaxes; independent of dialects and operations.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pixel_env.dialects.call_syntax import Call, body_of, json_or_text, text_around, text_of_value
from pixel_env.errors import ConfigError
from pixel_env.failures import Failure, FailureCode

_GAP = re.compile(r"\{([A-Za-z_][A-Za-z_0-9]*)\}")
_WORDS = re.compile(r"\s+|\S+")


@dataclass(frozen=True, slots=True)
class PhraseCalls:
    """A call is one of `phrases` between `opening` and `closing`.

    `phrases`: pairs of an operation's name in the dialect and its phrase, in which `{key}` stands for the argument of
    that key: `("choose_frames", "choose frames between {start} and {end}")`. Case and runs of blanks do not matter.
    Raises ConfigError for a phrase without words, or in which two gaps touch.
    """

    phrases: tuple[tuple[str, str], ...]
    opening: str = "<action>"
    closing: str = "</action>"

    def __post_init__(self) -> None:
        for name, phrase in self.phrases:
            if not _GAP.sub("", phrase).strip() or "}{" in phrase:
                raise ConfigError(f"the phrase of {name!r} is {phrase!r}; wanted: words with gaps between them")

    @property
    def markers(self) -> tuple[str, ...]:
        """Both marks."""
        return (self.opening, self.closing)

    @property
    def exact_grid(self) -> bool:
        """False: any number can be written."""
        return False

    def parse(self, text: str, names: Sequence[str], *, is_unfinished: bool) -> Call | Failure:
        """Failures: two_calls, cut_off, bad_arguments."""
        body = body_of(text, self.opening, self.closing)
        if isinstance(body, Failure):
            return body
        for name, phrase in self.phrases:
            if (values := _values_in(body.strip(), phrase)) is not None:
                return Call(name, values)
        listed = " or ".join(f'"{phrase}"' for name, phrase in self.phrases if name in names)
        return Failure(FailureCode.BAD_ARGUMENTS, f"The call cannot be read: between the marks stands {listed}.")

    def write(self, call: Call) -> str:
        """The operation's first phrase with its arguments. Raises ValueError for one that no phrase can say."""
        for name, phrase in self.phrases:
            if name == call.name and set(_GAP.findall(phrase)) == set(call.arguments):
                said = _GAP.sub(lambda gap: text_of_value(call.arguments[gap[1]]) or '""', phrase)
                if _values_in(said, phrase) != call.arguments:
                    raise ValueError(f"cannot say {said!r} so that it reads as the same arguments")
                return f"{self.opening}{said}{self.closing}"
        arguments = ", ".join(call.arguments) or "nothing"
        raise ValueError(f"has no phrase for {call.name.replace('_', ' ')} with {arguments}")

    def can_say(self, name: str) -> bool:
        """Whether there is a phrase for the operation of this name."""
        return any(named == name for named, _ in self.phrases)

    def tool_text(self, schemas: Sequence[Mapping[str, Any]]) -> str:
        """The phrases and what each does."""
        described = {schema["function"]["name"]: schema["function"]["description"] for schema in schemas}
        listed = "\n".join(
            f"{self.opening}{phrase}{self.closing}: {described[name]}"
            for name, phrase in self.phrases
            if name in described
        )
        return f"# Actions\n\nYou may take one action per turn to look closer:\n{listed}"

    def without_call(self, text: str) -> str:
        """The text before the opening mark and after the closing one."""
        return text_around(text, self.opening, self.closing)


def _values_in(text: str, phrase: str) -> dict[str, Any] | None:
    """What stands in the gaps of `phrase` in `text`; None if `text` is not that phrase."""
    first, *others = [_WORDS.sub(_expression, words) for words in _GAP.split(phrase)[::2]]
    keys = _GAP.findall(phrase)
    if (match := re.match(first, text, re.IGNORECASE)) is None:
        return None
    values, end = [], match.end()
    for number, words in enumerate(others):
        is_last = number == len(others) - 1
        # A value has at least one character. The text between two gaps is searched once: no backtracking.
        match = re.compile(words + (r"\Z" if is_last else ""), re.IGNORECASE).search(text, end + 1)
        if match is None or match.start() <= end:
            return None
        values.append(text[end : match.start()])
        end = match.end()
    return dict(zip(keys, map(json_or_text, values), strict=True)) if end == len(text) else None


def _expression(words: "re.Match[str]") -> str:
    """The regular expression of a run of blanks, which matches any run, or of words."""
    return r"(?<!\s)\s+" if words[0].isspace() else re.escape(words[0])
