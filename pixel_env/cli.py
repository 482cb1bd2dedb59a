"""The command `pixel-env`: a table of commands, of which only the chosen one is imported.

Knows names, and how an error or a warning becomes a message. Knows nothing of what a command does; nothing imports this
module.
"""

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pixel_env import __version__
from pixel_env.errors import MissingExtraError, PixelEnvError, UnknownNameError
from pixel_env.neighbours import HiddenPackageError, hidden_package

USER_ERROR = 2
INTERRUPTED = 130


@dataclass(frozen=True)
class Command:
    """Where a command lives, as "module:function" with `function(argv) -> exit code`, and one line of help."""

    target: str
    help: str


COMMANDS = {
    "play": Command("pixel_env.play:main", "play an environment yourself in the terminal; writes the pictures"),
    "ask": Command("benchmarks.ask.command:main", "ask a model about a picture or a video, and look at what it did"),
    "data": Command("pixel_env.tasks.command:main", "make a data set ready, or say what is wrong with one"),
    "demo": Command(
        "benchmarks.demo.command:main", "the main job: a small model learns to zoom; ends with a table and a report"
    ),
    "trap": Command("benchmarks.studies.trap.study:main", "the learning trap and its cure, over several seeds"),
    "replay-study": Command("benchmarks.studies.replay.study:main", "sample replay and the filter, over several seeds"),
    "sft-study": Command(
        "benchmarks.studies.self_correction.study:main",
        "self-correction traces and masked mistakes, over several seeds",
    ),
    "eval": Command(
        "benchmarks.evaluation.evaluate:main", "measure a checkpoint on a task set under four zoom policies"
    ),
    "eval-demo": Command(
        "benchmarks.demo.evaluations:main", "evaluations on the sample sets, each with a page to look at"
    ),
    "compare": Command("benchmarks.evaluation.compare:main", "the paired test between two evaluations"),
    "report": Command("benchmarks.demo.report:main", "write the HTML report of a finished run"),
    "view": Command("benchmarks.view.command:main", "write a page to look at the trajectories of an evaluation"),
    "synth": Command("synth.generation.command:main", "traces for a warm start, from annotated seeds, verified"),
    "convert": Command("synth.conversion.command:main", "traces to and from the released rows and TRL's messages"),
    "sft": Command("agents.sft.command:main", "warm start: supervised training on traces, mistakes masked"),
    "serve": Command("agents.engines.served.command:main", "replicas of a model behind vLLM's server, for training"),
    "grpo": Command("agents.grpo.command:main", "reinforcement learning with the curiosity bonus"),
}


def main(argv: list[str] | None = None) -> int:
    """Runs the command that `argv` names (without the program's own name); returns the exit code of the process."""
    arguments = sys.argv[1:] if argv is None else argv
    name, rest = (arguments[0], arguments[1:]) if arguments else ("--help", [])
    try:
        with _own_warnings_as_messages():
            return _dispatch(name, rest)
    except (PixelEnvError, HiddenPackageError) as error:
        print(f"pixel-env: {error}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print(f"pixel-env {name}: interrupted", file=sys.stderr)
        return INTERRUPTED


@contextmanager
def _own_warnings_as_messages() -> Iterator[None]:
    """Inside, a warning of a class of this library is printed as its errors are; others as ever."""
    usual = warnings.formatwarning

    def told(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
    ) -> str:
        # By name: the class itself stands in a module that most commands never load.
        if category.__module__.startswith("pixel_env."):
            return f"pixel-env: {message}\n"
        return usual(message, category, filename, lineno, line)

    warnings.formatwarning = told
    try:
        yield
    finally:
        warnings.formatwarning = usual


def _dispatch(name: str, rest: list[str]) -> int:
    if name in ("-h", "--help", "help"):
        print(_help())
        return 0
    if name in ("-V", "--version"):
        print(f"pixel-env {__version__}")
        return 0
    if name not in COMMANDS:
        raise UnknownNameError.among("command", name, COMMANDS, "All of them: pixel-env --help")
    return _run(name, COMMANDS[name], rest)


def _run(name: str, command: Command, rest: list[str]) -> int:
    from pixel_env.installation import extra_that_brings

    if not command.target.startswith("pixel_env.") and (hidden := hidden_package()) is not None:
        raise PixelEnvError(hidden)
    try:
        return _load(command.target)(rest)
    except ModuleNotFoundError as error:
        extra = extra_that_brings(error.name or "")
        if extra is None:
            raise  # not an optional package: a defect, and its traceback is wanted
        raise MissingExtraError.needs(f"pixel-env {name} (module {error.name!r})", extra) from error


def _load(target: str) -> Callable[[list[str]], int]:
    module, _, function = target.partition(":")
    loaded: Callable[[list[str]], int] = getattr(importlib.import_module(module), function)
    return loaded


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.help}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: pixel-env COMMAND [arguments]",
            "",
            "A vision-language model reasons in pixel space: play, train and measure it.",
            "",
            "commands:",
            *lines,
            "",
            "pixel-env COMMAND --help tells the arguments of one; pixel-env --version the version.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
