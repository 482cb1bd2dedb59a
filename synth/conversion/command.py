"""`pixel-env convert`: demonstrations (traces) to the rows of other formats, and rows of other formats to traces.

Depends on files and flags; independent of the row formats (`conversions.py`) and of the reading of foreign rows
(`released_rows.py`).
"""

import itertools
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from agents.checkpoints.conventions import convention_in
from agents.config.arguments import add_operations_flag
from agents.config.model_dialect import is_named
from agents.config.names import DialectName, with_operations
from agents.rollout import EpisodeSettings
from agents.run_folder.configuration import make_folder, write_whole
from agents.run_folder.folder import RunFolder
from agents.traces.folder import (
    check_dialect,
    common_folder,
    is_trace_folder,
    read_trace_folder,
    same_task,
    write_trace_folder,
)
from agents.traces.trace import Trace
from pixel_env.budgets import budgets_for
from pixel_env.command_line.parser import CommandParser, value
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.table import DIALECTS, dialect_named
from pixel_env.episode import Limits
from pixel_env.errors import ConfigError, MediaError, TaskError
from pixel_env.task import Task, TaskSet
from pixel_env.tasks.files.row import Row, is_writable
from pixel_env.tasks.files.rows import columns_of, read_plain_rows
from pixel_env.views import ViewBudgets
from synth.conversion.conversations import Conversation, conversation_of
from synth.conversion.conversions import ROW_FORMATS, RowFormat
from synth.conversion.released_rows import (
    OwnTrace,
    Unit,
    dialect_in_note,
    foreign_trace,
    note_of,
    own_trace,
    translated,
)
from synth.generation.progress import progress

_SHOWN = 10
_WRITTEN = (".json", ".jsonl")
_FOREIGN = "default"
"""The dialect into which rows of other projects are translated."""
_LIMITS = Limits(max_turns=16, max_images=64)


def main(argv: list[str]) -> int:
    """`pixel-env convert SOURCE --to FORMAT --output FILE_OR_FOLDER`; 0, or 1 if rows were skipped."""
    options = _parser().parse_args(argv)
    named = with_operations(vars(options), None)["dialect"]
    if options.to == "traces":
        of_rows = dialect_in_rows(options.source)
        reason = "what other projects' rows are translated into" if of_rows is None else "that of the rows"
        dialect = _dialect_of(named, of_rows or _FOREIGN, reason)
        return _to_traces(options.source, options.output, dialect, options.coordinates)
    if not is_trace_folder(options.source):
        raise TaskError(
            f"{options.source} is not a folder of traces; --to {options.to} converts the output of pixel-env synth."
        )
    recorded = convention_in(options.source)
    if recorded is None and not is_named(named):
        raise ConfigError(
            f"The dialect of the traces in {options.source} is not recorded there. Give --dialect: "
            f"{', '.join(DIALECTS)}."
        )
    reason = f"that of the traces in {options.source}"
    dialect = _dialect_of(named, "" if recorded is None else recorded.dialect, reason)
    rows = write_rows(options.source, options.output, ROW_FORMATS[options.to], dialect)
    print(f"{rows} rows: {options.output}")
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "convert",
        usage="SOURCE --to FORMAT --output PATH [--NAME VALUE ...]",
        description="Convert demonstrations (traces) to the rows of other formats, and rows to traces.",
    )
    parser.add_argument(
        "source", metavar="SOURCE", type=Path, help="a folder of traces, or a file of rows (.json, .jsonl, .parquet)"
    )
    formats = ["traces", *ROW_FORMATS]
    parser.add_argument(
        "--to", required=True, type=value(Literal[*formats]), metavar="|".join(formats), help="format to write"
    )
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="PATH",
        help="output: a folder for traces, a .json or .jsonl file for rows",
    )
    parser.add_argument(
        "--dialect",
        type=value(DialectName),
        metavar="TEXT",
        help="dialect of the traces (default: that of the folder or of the rows; default for rows of other projects)",
    )
    add_operations_flag(parser)
    parser.add_argument(
        "--coordinates",
        type=value(Unit),
        metavar="fraction|pixel",
        default="fraction",
        help="unit of the boxes in rows of other projects; it is never guessed (default: %(default)s)",
    )
    return parser


def _dialect_of(named: str | None, recorded: str, reason: str) -> str:
    """The dialect as named, else the recorded one, with a line that says so."""
    if named is not None and is_named(named):
        return named
    print(f"Dialect {recorded}: {reason}. Choose another with --dialect.", file=sys.stderr)
    return recorded + (named or "")


# ----------------------------------------------------------------------------------------------------- traces -> rows


def write_rows(source: Path, out: Path, row_format: RowFormat, dialect_name: str) -> int:
    """Writes one row for each trace of the folder, and images that have no file of their own. Returns the row count.

    Raises ConfigError for traces of another dialect, or for an `out` that is not a file of rows.
    """
    dialect = dialect_named(dialect_name)
    check_dialect(source, dialect)
    _check_is_file_of_rows(out)
    task_set, traces = read_trace_folder(source)
    settings = EpisodeSettings(dialect, _LIMITS, budgets_for(None, task_set, dialect))
    folder, files = out.parent, common_folder(traces)
    make_folder(folder)
    rows = []
    for trace in progress(traces, "rows", unit="row"):
        note = note_of(OwnTrace(trace, task_set.budgets), dialect, folder, None if files is None else folder)
        rows.append(row_format.row_of(conversation_of(trace, settings, folder, note)))
    if out.suffix.lower() == ".jsonl":
        write_whole(out, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    else:
        write_whole(out, json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
    return len(rows)


def _check_is_file_of_rows(out: Path) -> None:
    if out.suffix.lower() not in _WRITTEN or out.is_dir():
        raise ConfigError(f"--output is a file of rows that ends in {' or '.join(_WRITTEN)}, got {out}.")
    if out.exists() and out.stat().st_size and not _holds_rows(out):
        raise ConfigError(f"{out} exists and holds something other than such rows. Give the name of a new file.")


def _holds_rows(path: Path) -> bool:
    try:
        return not columns_of(path).isdisjoint(known.column for known in ROW_FORMATS.values())
    except TaskError:
        return False


# ----------------------------------------------------------------------------------------------------- rows -> traces


@dataclass
class LoadedRows:
    """The traces of a file of rows, and the pixel budgets of their set; `problems`: the skipped rows, and why."""

    traces: list[Trace] = field(default_factory=list)
    budgets: ViewBudgets | None = None
    problems: list[str] = field(default_factory=list)
    rows: int = 0

    def add(self, own: OwnTrace) -> None:
        """Adds a trace. Raises TaskError if its pixel budgets differ from those of the earlier rows."""
        if self.traces and own.budgets != self.budgets:
            raise TaskError("its pixel budgets differ from those of the rows before it; convert each set separately")
        self.traces.append(own.trace)
        self.budgets = own.budgets


def load_rows(path: Path, dialect_name: str = "default", unit: Unit = "fraction") -> LoadedRows:
    """The rows of a file as traces in the dialect: ours restored exactly, foreign ones with detected mistakes.

    Raises TaskError for a file that cannot be read or has an unknown format.
    """
    dialect, loaded, known = dialect_named(dialect_name), LoadedRows(), dict[str, Task]()
    for row in progress(read_plain_rows(path), "rows", unit="row"):
        loaded.rows += 1
        try:
            own = _trace_of(row, f"{path.stem}:{loaded.rows}", dialect, unit, known)
            loaded.add(own)
            known[own.trace.task.task_id] = own.trace.task
        except (TaskError, MediaError) as error:
            loaded.problems.append(f"{row.location}: {error}")
    return loaded


def dialect_in_rows(path: Path) -> str | None:
    """The dialect that the first row of the file records, if it is one of ours. Raises TaskError."""
    for row in read_plain_rows(path):
        try:
            conversation = _conversation_of(row)
        except TaskError:
            return None  # loading the rows says why
        return dialect_in_note(conversation.trace)
    return None


def _trace_of(row: Row, name: str, dialect: Dialect, unit: Unit, known: Mapping[str, Task]) -> OwnTrace:
    """The trace of a row; `known`: the tasks of the rows before it, whose ids are not given to another task."""
    conversation, folder = _conversation_of(row), row.file.parent
    if not conversation.trace:
        trace = translated(foreign_trace(conversation, folder, unit, name), dialect)
        return OwnTrace(replace(trace, task=_with_unique_id(trace.task, known)), None)
    own = own_trace(conversation, dialect, folder, folder)
    if _is_taken(own.trace.task, known):
        raise TaskError(
            f"an earlier row uses the id {own.trace.task.task_id!r} for another task; convert each set separately"
        )
    return own


def _conversation_of(row: Row) -> Conversation:
    if row.problem:
        raise TaskError(row.problem)
    row_format = next((known for known in ROW_FORMATS.values() if known.column in row.values), None)
    if row_format is None:
        columns = ", ".join(known.column for known in ROW_FORMATS.values())
        raise TaskError(f"it has the columns {', '.join(row.values)}; wanted: one of {columns}")
    conversation = row_format.conversation_of(row.values)
    if not is_writable("".join([conversation.name, *(message.text for message in conversation.messages)])):
        raise TaskError("its text holds a lone surrogate (half of a character); write the whole character")
    return conversation


def _is_taken(task: Task, known: Mapping[str, Task]) -> bool:
    return not same_task(known.get(task.task_id, task), task)


def _with_unique_id(task: Task, known: Mapping[str, Task]) -> Task:
    """The task; if another task has its id, with the first free number from 2 on appended to it."""
    ids = itertools.chain([task.task_id], (f"{task.task_id}:{number}" for number in itertools.count(2)))
    return next(named for name in ids if not _is_taken(named := replace(task, task_id=name), known))


@dataclass(frozen=True, slots=True)
class _Converted:
    """Recorded in the folder of the traces, where `pixel-env sft` checks it."""

    dialect: str


def _to_traces(source: Path, out: Path, dialect_name: str, unit: Unit) -> int:
    loaded = load_rows(source, dialect_name, unit)
    if not loaded.traces:
        raise TaskError(f"None of {loaded.rows} rows became a trace. {_listed(loaded.problems)}")
    task_set = TaskSet(source.stem, (), budgets=loaded.budgets)
    with RunFolder.claimed(out, [_Converted(dialect_name)], resumes=True, another="another --output_dir") as folder:
        folder.keep_configuration()
        write_trace_folder(out, loaded.traces, task_set, common_folder(loaded.traces))
    kinds = Counter(trace.kind for trace in loaded.traces)
    print(f"{len(loaded.traces)} of {loaded.rows} rows are traces in {out}")
    print(f"  kinds: {', '.join(f'{kind} {number}' for kind, number in sorted(kinds.items()))}")
    print(f"  turns excluded from training: {sum(not turn.train for trace in loaded.traces for turn in trace.turns)}")
    if loaded.problems:
        print(_listed(loaded.problems))
    return 1 if loaded.problems else 0


def _listed(problems: Sequence[str]) -> str:
    more = f"\n  ... and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return f"{len(problems)} rows were skipped:\n  " + "\n  ".join(problems[:_SHOWN]) + more
