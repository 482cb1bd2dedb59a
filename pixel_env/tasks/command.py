"""`pixel-env data`: prepare, check or describe a data set, or list names and formats.

Parses arguments and prints. Depends on the readers, the preparation and the description in `tasks/`; independent of
episodes.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pixel_env.budgets import budgets_for
from pixel_env.command_line.parser import CommandParser, value
from pixel_env.command_line.values import AtLeastOne, NameOf
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import TaskError, UnknownNameError
from pixel_env.tasks import locate_spec, media_access, read_spec
from pixel_env.tasks.data_sets import DATA_SETS, DataSet
from pixel_env.tasks.description.facts import described
from pixel_env.tasks.description.sheet import ROWS, check_page, write_sheet
from pixel_env.tasks.description.words import lines_of
from pixel_env.tasks.files.access import MediaAccess
from pixel_env.tasks.formats.outside import own_format
from pixel_env.tasks.formats.recognition import FORMATS
from pixel_env.tasks.preparation.hub import chosen_on_hub, is_hub_id, prepared
from pixel_env.tasks.preparation.preparing import checked_reading, prepare
from pixel_env.tasks.reading import Reading

_HAS_PROBLEMS = 1
_SHOWN = 50
_SAMPLED = 200


def main(argv: Sequence[str]) -> int:
    """Runs the subcommand; 0, or 1 if something is wrong with the data."""
    arguments = _parser().parse_args(argv)
    match arguments.command:
        case "prepare":
            return _prepare(arguments.name, arguments.folder, _access(arguments))
        case "check":
            return _check(arguments, None if arguments.all else _SHOWN)
        case "describe":
            return _describe(arguments)
        case _:
            return _list()


def _parser() -> CommandParser:
    parser = CommandParser(
        "data",
        usage="prepare|check|describe|list ...",
        description="Prepare, check or describe a data set, or list names and formats.",
    )
    commands = parser.add_subparsers(dest="command", required=True, prog=parser.prog, metavar="SUBCOMMAND")
    text = "fetch a data set or take its files from a folder, unpack them, check every row and image, write an index"
    preparing = commands.add_parser("prepare", help=text, description=text, usage="NAME [--NAME VALUE ...]")
    preparing.add_argument(
        "name",
        metavar="NAME",
        help=f"{', '.join(DATA_SETS)}; or owner/name on the hub; or, with --from, a format or module:FORMAT",
    )
    preparing.add_argument(
        "--from", dest="folder", metavar="FOLDER", type=Path, help="folder with the files, instead of the hub"
    )
    _add_access(preparing)
    text = "print what is wrong with a task set; the exit code is 1 if something is"
    checking = commands.add_parser("check", help=text, description=text, usage="PATH [--NAME VALUE ...]")
    _add_path(
        checking, "a file, a folder, FORMAT:PATH, module:FORMAT:PATH, or owner/name or owner/name:PART on the hub"
    )
    checking.add_argument("--all", action="store_true", help=f"print every bad row, not only the first {_SHOWN}")
    text = "print what a task set holds: images, options, graders, evidence, repetitions; the exit code is 1 if nothing"
    describing = commands.add_parser("describe", help=text, description=text, usage="PATH [--NAME VALUE ...]")
    _add_path(describing, "what --tasks takes: also sample:NAME, and module:FUNCTION")
    describing.add_argument("--page", metavar="FILE", type=Path, help="also write a page with sixteen tasks: FILE.html")
    describing.add_argument(
        "--dialect",
        metavar="NAME",
        type=value(Annotated[str, NameOf(dialect_named)]),
        default="default",
        help="dialect in whose pixels evidence is measured (default: %(default)s)",
    )
    describing.add_argument(
        "--sample",
        metavar="N",
        type=value(AtLeastOne),
        default=_SAMPLED,
        help="measure at most so many images, spread over the set (default: %(default)s)",
    )
    text = "print the names of data sets and formats"
    commands.add_parser("list", help=text, description=text, usage="[--help]")
    return parser


def _add_path(parser: Any, help_text: str) -> None:
    parser.add_argument("path", metavar="PATH", help=help_text)
    parser.add_argument(
        "--split",
        type=value(Literal["train", "test"]),
        metavar="train|test",
        default="test",
        help="split of a folder that has both (default: %(default)s)",
    )
    _add_access(parser)


def _add_access(parser: Any) -> None:
    parser.add_argument("--follow_links", action="store_true", help="links in the set's folder may lead out of it")
    parser.add_argument(
        "--media_root", metavar="FOLDER", type=Path, help="folder in which rows name images, besides the set's own"
    )


def _access(arguments: Any) -> MediaAccess:
    return media_access(arguments.media_root, follow_links=arguments.follow_links)


def _prepare(name: str, folder: Path | None, access: MediaAccess) -> int:
    if folder is not None:
        result = prepare(folder, _known(name).formats, print, access)
    elif (part := chosen_on_hub(name)) is not None:
        raise TaskError(f"a part of a data set is fetched when it is read: pixel-env data check {':'.join(part)}")
    elif is_hub_id(name):
        result = prepared(name, (), print)
    else:
        known = _known(name)
        if not known.hub_id:
            raise TaskError(f"{name} cannot be fetched ({known.about}). Download its files and add: --from FOLDER")
        if known.licence:
            print(f"licence: {known.licence}")
        result = prepared(known.hub_id, known.formats, print, known.files)
    for reading in result.readings:
        _print_reading(reading)
    if not result.readings:
        print(f"{result.root} is prepared: {result.index.tasks} tasks, {result.index.pictures} images and videos")
    is_own_format = ":" in name  # it is recognised by its name alone
    print(f"use it with: --tasks {f'{name}:{result.root}' if is_own_format else result.root}")
    return _HAS_PROBLEMS if any(reading.problems for reading in result.readings) else 0


def _known(name: str) -> DataSet:
    if name in DATA_SETS:
        return DATA_SETS[name]
    if name in FORMATS:
        return DataSet(FORMATS[name].about, "", (name,))
    if ":" in name:
        return DataSet(own_format(name).about, "", (name,))
    if is_hub_id(name):
        return DataSet(name, name, ())
    raise UnknownNameError.among("data set", name, [*DATA_SETS, *FORMATS], "All names: pixel-env data list")


def _check(arguments: Any, shown: int | None) -> int:
    located = locate_spec(arguments.path, split=arguments.split, access=_access(arguments))
    reading = checked_reading(located, print)
    _print_reading(reading, shown)
    return 0 if reading.is_sound else _HAS_PROBLEMS


def _describe(arguments: Any) -> int:
    if arguments.page is not None:
        check_page(arguments.page)
    task_set, reading = read_spec(arguments.path, split=arguments.split, access=_access(arguments))
    budgets = budgets_for(None, task_set, dialect_named(arguments.dialect))
    lines = list(lines_of(described(task_set, reading, budgets, arguments.sample), arguments.dialect))
    for line in lines:
        print(line)
    if arguments.page is not None:
        write_sheet(task_set, lines, arguments.page)
        print(f"{arguments.page}: {min(ROWS, len(task_set))} of {len(task_set)} tasks")
    return 0 if len(task_set) else _HAS_PROBLEMS


def _print_reading(reading: Reading, shown: int | None = _SHOWN) -> None:
    tasks = reading.task_set.tasks
    print(f"{reading.task_set.name}: {len(tasks)} tasks of the format {reading.format_name!r} in {reading.rows} rows")
    for title, values in (
        ("media", [task.media for task in tasks]),
        ("graded by", [task.grader for task in tasks]),
        ("categories", [task.category for task in tasks if task.category]),
    ):
        if values:
            print(f"  {title}: {', '.join(f'{value} {count}' for value, count in sorted(Counter(values).items()))}")
    if not reading.format.is_verified:
        print(f"  unverified: this reader follows {reading.format.source}")
    for remark in (*reading.notices, *reading.remarks):
        print(f"  note: {remark}")
    for problem in reading.problems[:shown]:
        print(f"  wrong: {problem}")
    if shown is not None and len(reading.problems) > shown:
        print(f"  ... and {len(reading.problems) - shown} more; pixel-env data check PATH --all prints them")
    print(f"  {_verdict(reading)}")


def _verdict(reading: Reading) -> str:
    if not reading.rows:
        return "the set is empty"
    if reading.problems:
        return f"{len(reading.problems)} of {reading.rows} rows cannot be used and are left out"
    return "no problem found"


def _list() -> int:
    print("data sets, for data prepare NAME:")
    for name, known in DATA_SETS.items():
        print(f"  {name:<26}{known.about} ({known.hub_id or 'only with --from'})")
    print("formats, for FORMAT:PATH:")
    for format_name, known_format in FORMATS.items():
        print(f"  {format_name:<26}{known_format.about}{'' if known_format.is_verified else '; unverified'}")
    return 0
