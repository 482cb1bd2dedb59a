"""`pixel-env dialect`: the rows of the table, one dialect with played examples, and whether a model fits it.

Parses arguments and prints. Depends on dialects and played examples; independent of models: `check` loads its module by
name, because it needs the training libraries.
"""

import importlib
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple
from typing import Annotated, Any

from pixel_env.command_line.parser import CommandParser, value
from pixel_env.command_line.values import AtLeastOne, NameOf
from pixel_env.dialect_report.examples import (
    Example,
    answer_of,
    calls_of,
    prompt_of,
    refused_call,
    turn_without_effect,
)
from pixel_env.dialect_report.words import Summary, answer_text, edges_text, field_lines, stop_text, summary_of
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.files import dialect_text
from pixel_env.dialects.table import DIALECTS, dialect_named
from pixel_env.errors import PixelEnvError
from pixel_env.neighbours import hidden_package
from pixel_env.task import TaskSet
from pixel_env.tasks import load_tasks

DOES_NOT_FIT = 1
_CHECK = "agents.dialect_check.check"
"""The module of `check`, whose `findings` yields values with `kind` ("ok", "note", "problem") and `text`."""

_NAME = "a row of the list, NAME:variant, NAME+operation, module:NAME, or file.yaml"


def main(argv: Sequence[str]) -> int:
    """Runs the subcommand, `list` without one; 0, or 1 if a model does not fit."""
    options = _parser().parse_args(argv)
    match options.command:
        case "show":
            return _show(dialect_named(options.name), options.name, options.task, is_yaml=options.yaml)
        case "check":
            return _check(options)
        case _:
            return _list()


def _parser() -> CommandParser:
    text = "List the dialects (formats of calls and answers), show one with examples, or check whether a model fits it."
    parser = CommandParser("dialect", usage="[list|show|check ...]", description=text)
    commands = parser.add_subparsers(dest="command", prog=parser.prog, metavar="SUBCOMMAND")
    text = "print the rows of the table, one line each"
    commands.add_parser("list", help=text, description=text, usage="[--help]")
    text = "print a dialect, its prompt, one call of each operation and what comes back"
    showing = commands.add_parser("show", help=text, description=text, usage="NAME [--task TASKS] [--yaml]")
    showing.add_argument("name", metavar="NAME", help=_NAME)
    _add_task(showing)
    showing.add_argument("--yaml", action="store_true", help="print it as a whole YAML file, for --dialect FILE")
    text = "tell whether a model's tokenizer, template and image processor fit a dialect; the exit code is 1 if not"
    checking = commands.add_parser("check", help=text, description=text, usage="NAME --model FOLDER [--NAME VALUE ...]")
    checking.add_argument("name", metavar="NAME", type=value(Annotated[str, NameOf(dialect_named)]), help=_NAME)
    checking.add_argument(
        "--model", metavar="FOLDER", required=True, help="checkpoint: a folder, a hub id or the name of an embedded one"
    )
    _add_task(checking)
    checking.add_argument(
        "--max_new_tokens",
        type=value(AtLeastOne),
        metavar="N",
        default=64,
        help="tokens of the turn that is sampled (default: %(default)s)",
    )
    checking.add_argument("--no_sample", action="store_true", help="load no weights, and sample no turn")
    return parser


def _add_task(parser: Any) -> None:
    parser.add_argument(
        "--task",
        metavar="TASKS",
        default="sample:vstar",
        help="task set whose first task is played: a sample set, a path or a hub id (default: %(default)s)",
    )


# ---------------------------------------------------------------------------------------------------------------- list


def _list() -> int:
    head = Summary("dialect", "calls", "coordinates", "operations", "answers")
    rows = [astuple(row) for row in (head, *map(summary_of, DIALECTS.values()))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print("\nOne of them with examples: pixel-env dialect show NAME")
    return 0


# ---------------------------------------------------------------------------------------------------------------- show


def _show(dialect: Dialect, name: str, task: str, *, is_yaml: bool) -> int:
    if is_yaml:
        print(dialect_text(dialect), end="")
        return 0
    task_set = load_tasks(task, count=1)
    print(f"{name}: what differs from the defaults")
    _print_pairs(field_lines(dialect))
    print(f"\nthe prompt of {task_set.tasks[0].task_id}")
    for role, text in prompt_of(dialect, task_set):
        _print_block(role, text)
    for example in _examples(dialect, task_set):
        print(f"\n{example.title}, on {example.task_id}")
        _print_block("model", example.turn)
        _print_block("back", example.back)
    print()
    _print_pairs(
        [
            ("answer", f"{answer_of(dialect, task_set)} (read: {answer_text(dialect)})"),
            ("end of a turn", stop_text(dialect)),
            ("edge rules", edges_text(dialect.edges)),
        ]
    )
    return 0


def _examples(dialect: Dialect, task_set: TaskSet) -> Iterator[Example]:
    yield from calls_of(dialect, task_set)
    for title, example in (
        ("a refused call", refused_call(dialect, task_set)),
        ("a turn without effect", turn_without_effect(dialect, task_set)),
    ):
        if example is not None:
            yield Example(f"{title} ({example.title})", example.task_id, example.turn, example.back)


def _print_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    lines = list(pairs)
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        wrapped = textwrap.wrap(text, 110 - width, break_on_hyphens=False, break_long_words=False) or [""]
        print(f"  {name:<{width}}  {wrapped[0]}")
        for line in wrapped[1:]:
            print(f"  {'':<{width}}  {line}")


def _print_block(role: str, text: str) -> None:
    """The lines of a message as they are, each behind the role of who writes it."""
    for line in text.split("\n"):
        print(f"  {role:>6} | {line}".rstrip())


# --------------------------------------------------------------------------------------------------------------- check


def _check(options: Any) -> int:
    if (hidden := hidden_package()) is not None:
        raise PixelEnvError(hidden)
    findings: Callable[..., Iterable[Any]] = importlib.import_module(_CHECK).findings
    fits = True
    for finding in findings(
        dialect_named(options.name),
        options.model,
        load_tasks(options.task, count=1),
        max_new_tokens=None if options.no_sample else options.max_new_tokens,
    ):
        fits = fits and finding.kind != "problem"
        print(f"{finding.kind}: {finding.text}", flush=True)
    print(f"{options.name} {'fits' if fits else 'does not fit'} {options.model}")
    return 0 if fits else DOES_NOT_FIT
