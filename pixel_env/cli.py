"""The command `pixel-env`: a table of commands, of which only the chosen one is imported.

Depends on names alone, and turns errors and warnings into messages; independent of what a command does. Nothing imports
this module.
"""

import importlib
import os
import select
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pixel_env import __version__
from pixel_env.command_line.names import flag_name
from pixel_env.errors import MissingExtraError, PixelEnvError, UnknownNameError, UsageError, is_about_writing
from pixel_env.neighbours import HiddenPackageError, hidden_package
from pixel_env.signals import exit_code, sigterm_interrupts

USER_ERROR = 2
READER_GONE = 141
"""As a shell says it of a program that wrote to a pipe without a reader."""


@dataclass(frozen=True)
class Command:
    """Where a command lives, as "module:function" with `function(argv) -> exit code`, and one line of help.

    `goes_on`: an interrupted one resumes when it is given again. `says_what_is_kept`: it does so itself, from the first
    file that it writes on.
    """

    target: str
    help: str
    goes_on: bool = False
    says_what_is_kept: bool = False


COMMANDS = {
    "play": Command("pixel_env.play:main", "play an environment yourself in the terminal"),
    "ask": Command("benchmarks.ask.command:main", "ask a model about an image or a video; writes an HTML page"),
    "data": Command("pixel_env.tasks.command:main", "prepare or check a data set"),
    "dialect": Command("pixel_env.dialect_report.command:main", "show a dialect, or check whether a model fits it"),
    "demo": Command(
        "benchmarks.demo.command:main", "train a small model to zoom; writes a table and an HTML report", goes_on=True
    ),
    "trap": Command(
        "benchmarks.studies.trap.study:main", "study: the learning trap and its cure, over several seeds", goes_on=True
    ),
    "replay-study": Command(
        "benchmarks.studies.replay.study:main",
        "study: sample replay and zero-advantage filtering, over several seeds",
        goes_on=True,
    ),
    "sft-study": Command(
        "benchmarks.studies.self_correction.study:main",
        "study: self-correction traces and masked mistakes, over several seeds",
        goes_on=True,
    ),
    "eval": Command(
        "benchmarks.evaluation.evaluate:main", "evaluate a checkpoint on a task set under zoom policies", goes_on=True
    ),
    "protocol": Command("benchmarks.protocols.command:main", "list evaluation protocols, or show one with its sources"),
    "eval-demo": Command(
        "benchmarks.demo.evaluations:main", "evaluate an embedded model and an oracle on the sample sets", goes_on=True
    ),
    "compare": Command("benchmarks.evaluation.compare:main", "paired test between two evaluations"),
    "report": Command("benchmarks.report.command:main", "write the HTML report of a training run or of a demo"),
    "audit": Command(
        "benchmarks.audit.command:main", "audit a run: crops asked for and delivered, refused boxes, misread texts"
    ),
    "view": Command("benchmarks.view.command:main", "write an HTML page with the trajectories of a run"),
    "synth": Command(
        "synth.generation.command:main", "generate and verify demonstrations (traces) for a warm start", goes_on=True
    ),
    "convert": Command("synth.conversion.command:main", "convert traces to and from the rows of other formats"),
    "sft": Command(
        "agents.sft.command:main", "warm start: supervised training on traces", goes_on=True, says_what_is_kept=True
    ),
    "merge": Command("agents.checkpoints.command:main", "write an adapter and its base as one whole checkpoint"),
    "serve": Command("agents.engines.served.command:main", "serve replicas of a model with vLLM, for training"),
    "grpo": Command(
        "agents.grpo.command:main",
        "reinforcement learning (GRPO) with the curiosity bonus",
        goes_on=True,
        says_what_is_kept=True,
    ),
}


def main(argv: list[str] | None = None) -> int:
    """Runs the command that `argv` names (without the program's own name); returns the exit code of the process."""
    arguments = sys.argv[1:] if argv is None else argv
    name, rest = (arguments[0], arguments[1:]) if arguments else ("--help", [])
    try:
        with _own_warnings_as_messages(), sigterm_interrupts():
            code = _dispatch(name, rest)
        sys.stdout.flush()
        return code
    except UsageError as error:
        print(f"pixel-env {error}", file=sys.stderr)
        return USER_ERROR
    except (PixelEnvError, HiddenPackageError) as error:
        print(f"pixel-env: {error}", file=sys.stderr)
        return USER_ERROR
    except BrokenPipeError:
        if not _reader_is_gone():
            raise  # another pipe, such as a worker's: a defect
        return READER_GONE
    except OSError as error:
        if not is_about_writing(error):
            raise  # a defect: what may be missing or unreadable is reported by name where it is read
        print(f"pixel-env {name}: {_of_writing(error)}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt as interrupt:
        _print_interrupted(name, rest, str(interrupt))
        return exit_code(interrupt)


def _print_interrupted(name: str, words: list[str], kept: str) -> None:
    command = COMMANDS.get(name)
    goes_on = command is not None and command.goes_on
    if not kept and command is not None and goes_on:
        kept = "nothing was written yet" if command.says_what_is_kept else "what is finished is kept"
    print(f"pixel-env {name}: interrupted{f'; {kept}' if kept else ''}", file=sys.stderr)
    if goes_on:
        print(f"This goes on: {_again(name, words)}", file=sys.stderr)


def _of_writing(error: OSError) -> str:
    file = f"{error.filename} cannot be written" if error.filename else "a file cannot be written"
    return f"{file}: {error.strerror}. Free space, or give another folder; what was written before is kept."


_ONCE = ("restart", "resume_from_checkpoint")
"""Flags that an interrupted command is not given again."""


def _again(name: str, words: list[str]) -> str:
    """The command line that goes on with what `words` began."""
    kept: list[str] = []
    drops = False
    for word in words:
        flag = flag_name(word)
        drops = flag in _ONCE if flag is not None else drops  # with the value that follows
        if not drops:
            kept.append(word)
    return shlex.join(["pixel-env", name, *kept])


def _reader_is_gone() -> bool:
    """Whether nobody reads the standard output any more, as behind `| head`; if so it goes nowhere from now on."""
    try:
        output = sys.stdout.fileno()
    except OSError:  # replaced by an object that is no file
        return False
    polled = select.poll()
    polled.register(output, select.POLLOUT)
    is_gone = any(event & (select.POLLERR | select.POLLHUP) for _, event in polled.poll(0))
    if is_gone:
        # Python flushes once more when it exits, which would print an error of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), output)
    return is_gone


@contextmanager
def _own_warnings_as_messages() -> Iterator[None]:
    """Within this context, warnings of this library are printed like its errors; others are unchanged."""
    default = warnings.formatwarning

    def formatted(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
    ) -> str:
        # By name: most commands never import the module of the class.
        if category.__module__.startswith("pixel_env."):
            return f"pixel-env: {message}\n"
        return default(message, category, filename, lineno, line)

    warnings.formatwarning = formatted
    try:
        yield
    finally:
        warnings.formatwarning = default


def _dispatch(name: str, rest: list[str]) -> int:
    if name in ("-h", "--help", "help"):
        print(_help())
        return 0
    if name in ("-V", "--version"):
        print(f"pixel-env {__version__}")
        return 0
    if name not in COMMANDS:
        raise UnknownNameError.among("command", name, COMMANDS, "All commands: pixel-env --help")
    return _run(name, COMMANDS[name], rest)


def _run(name: str, command: Command, rest: list[str]) -> int:
    from pixel_env.installation import extra_with

    if not command.target.startswith("pixel_env.") and (hidden := hidden_package()) is not None:
        raise PixelEnvError(hidden)
    try:
        return _load(command.target)(rest)
    except ModuleNotFoundError as error:
        extra = extra_with(error.name or "")
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
            "Vision-language models that reason in pixel space: environments, training and evaluation.",
            "",
            "commands:",
            *lines,
            "",
            "pixel-env COMMAND --help shows the flags of a command; pixel-env --version the version.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
