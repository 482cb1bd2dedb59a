"""argparse as every command uses it: one spelling of flags, short errors, no abbreviations.

Depends on argparse and on the names of flags; independent of what a command does.
"""

import argparse
import difflib
import re
import textwrap
from collections.abc import Callable, Collection, Sequence
from typing import Any, NoReturn

from pixel_env.command_line.names import flag_name, shown_name, suggestion
from pixel_env.command_line.values import read_value
from pixel_env.errors import UsageError

_NEGATIVE_NUMBER = re.compile(r"-(\.?\d|inf|nan)", re.IGNORECASE)
_WRAPPED = "argument "


class CommandParser(argparse.ArgumentParser):
    """The parser of `pixel-env COMMAND`.

    A flag is declared once, as `--output_dir`; `--output-dir` and the command's other names for it (`OTHER_NAMES`) are
    accepted too. A flag is never completed from its beginning. Mistakes raise UsageError.

        parser = CommandParser("play", usage="[--tasks TASKS]", description="Play an environment yourself.")
        parser.add_argument("--seed", type=value(AtLeastZero), help="seed of the tasks")
    """

    def __init__(self, command: str = "", *, usage: str = "", **options: Any) -> None:
        options.setdefault("prog", f"pixel-env {command}")
        options.setdefault("formatter_class", _Formatter)
        super().__init__(allow_abbrev=False, **options)
        self.command = self.prog.removeprefix("pixel-env ")
        if usage:
            self.usage = f"{self.prog} {usage}"

    def flags(self) -> list[str]:
        """The names of the flags that the help shows, without dashes."""
        return [name for word in self._option_string_actions if (name := flag_name(word)) is not None]

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse's, of words in any of the accepted spellings. Raises UsageError for a flag that is unknown."""
        words, commands = list(args or ()), self._subcommands()
        own = words
        if commands:  # a subcommand parses the words after its name itself
            own = words[: next((index for index, word in enumerate(words) if not word.startswith("-")), len(words))]
        spelled, rest = self._spelled(own), words[len(own) :]
        if commands and rest and rest[0] not in commands:
            self._refuse_subcommand(rest[0], commands)
        return super().parse_known_args([*spelled, *rest], namespace)

    def error(self, message: str) -> NoReturn:
        """Raises UsageError: `message` in one line, then the usage."""
        text = message.removeprefix(_WRAPPED)
        text = text.replace("unrecognized arguments: ", "unexpected ")
        text = text.replace("the following arguments are required: ", "missing ")
        raise UsageError(f"{self.command}: {text}\n{self.short_usage()}")

    def short_usage(self) -> str:
        """The usage in a line or two, and where all flags are listed."""
        return f"{self.format_usage().strip()}\nAll flags: {self.prog} --help"

    def refuse_unknown(self, name: str, known: Sequence[str]) -> NoReturn:
        """Raises UsageError for a flag that is none of `known`, with the closest one."""
        close = suggestion(name, known, self.command)
        hint = f" {close.replace('Did you mean ', 'Did you mean --')}" if close else ""
        self.error(f"there is no flag --{name}.{hint}")

    def _subcommands(self) -> dict[str, Any]:
        subparsers = [action for action in self._actions if isinstance(action, argparse._SubParsersAction)]
        return dict(subparsers[0].choices) if subparsers else {}

    def _refuse_subcommand(self, word: str, commands: Collection[str]) -> NoReturn:
        close = difflib.get_close_matches(word, commands, n=1)
        hint = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(commands)}."
        self.error(f"there is no subcommand {word!r}. {hint}")

    def spelled(self, word: str, name: str) -> str:
        """The word of the flag `name` with that name. Raises UsageError for an unknown one."""
        known = self.flags()
        if name not in known:
            self.refuse_unknown(name, known)
        return renamed(word, name)

    def _spelled(self, words: list[str]) -> list[str]:
        """`words` with every flag as it was declared."""
        spelled: list[str] = []
        for index, word in enumerate(words):
            if word == "--":
                return [*spelled, *words[index:]]
            name = flag_name(word)
            if name is not None:
                spelled.append(self.spelled(word, shown_name(name, self.command)))
            elif spelled and _is_bare_flag(spelled[-1]) and _NEGATIVE_NUMBER.match(word):
                spelled[-1] += f"={word}"  # else argparse takes -1e-3 for a flag
            else:
                spelled.append(word)
        return spelled


def renamed(word: str, name: str) -> str:
    """The word of a flag, with the name `name` and the value after `=`, if it has one."""
    _, equals, value = word.partition("=")
    return f"--{name}{equals}{value}"


class _Formatter(argparse.HelpFormatter):
    """Names to the left, and lines of the epilog as they are written."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32, width=110)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(text, width, break_on_hyphens=False)  # names such as tiny-zoom stay whole

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(super(_Formatter, self)._fill_text(line, width, indent) for line in text.splitlines())


def _is_bare_flag(word: str) -> bool:
    return flag_name(word) is not None and "=" not in word


def value(kind: Any) -> Callable[[str], Any]:
    """A `type` for `add_argument`, which reads a word as a `kind` (`read_value`)."""

    def read(text: str) -> Any:
        try:
            return read_value(text, kind)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"got {text!r}; wanted: {error}") from error

    return read
