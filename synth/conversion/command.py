"""`pixel-env convert`: demonstrations (traces) to the rows of other forms, and rows of other forms to traces.

Depends on flags; independent of the forms (`forms/`), of reading (`loading.py`) and of writing (`writing.py`).
"""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from agents.checkpoints.conventions import convention_in
from agents.config.arguments import add_operations_flag
from agents.config.model_dialect import is_named
from agents.config.names import DialectName, with_operations
from agents.run_folder.configuration import FILE_NAME as CONFIGURATION
from agents.run_folder.folder import RunFolder
from agents.traces.folder import is_trace_folder, write_trace_folder
from pixel_env.command_line.parser import CommandParser, value
from pixel_env.command_line.values import NameOf
from pixel_env.dialects.table import DIALECTS, dialect_named
from pixel_env.errors import ConfigError, TaskError
from pixel_env.task import TaskSet
from pixel_env.tasks.files.rows import read_rows
from synth.conversion.foreign_rows import RowReading, Unit
from synth.conversion.forms.form import RowForm
from synth.conversion.forms.registry import READ, WRITTEN, form_named, form_of
from synth.conversion.journal import JOURNAL, Journal
from synth.conversion.loading import LoadedRows, Loading, files_in, load_rows
from synth.conversion.own_traces import dialect_in_note
from synth.conversion.writing import Written, write_rows

_SHOWN = 10
_TRACES = "traces"
_FOREIGN = "default"
"""The dialect into which rows of other projects are translated."""


def _target_named(name: str) -> object:
    return name if name == _TRACES else form_named(name)


Target = Annotated[str, NameOf(_target_named)]
FormName = Annotated[str, NameOf(form_named)]


def main(argv: list[str]) -> int:
    """`pixel-env convert SOURCE --to FORM --output FILE_OR_FOLDER`; 0, or 1 if rows were skipped."""
    options = _parser().parse_args(argv)
    named = with_operations(vars(options), None)["dialect"]
    if options.to == _TRACES:
        form = None if options.row_form is None else form_named(options.row_form)
        of_rows = dialect_in_rows(options.source, form)
        reason = "what other projects' rows are translated into" if of_rows is None else "that of the rows"
        dialect = _dialect_of(named, of_rows or _FOREIGN, reason)
        converted = _Converted(dialect, options.row_form, options.row_dialect, options.coordinates)
        return _to_traces(options.source, options.output, converted)
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
    form = form_named(options.to)
    _tell_written(write_rows(options.source, options.output, form, dialect), options.output, form)
    return 0


def _parser() -> CommandParser:
    parser = CommandParser(
        "convert",
        usage="SOURCE --to FORM --output PATH [--NAME VALUE ...]",
        description="Convert demonstrations (traces) to the rows of other forms, and rows to traces.",
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        type=Path,
        help="a folder of traces, or a file or folder of rows (.json, .jsonl, .parquet)",
    )
    parser.add_argument(
        "--to",
        required=True,
        type=value(Target),
        metavar="FORM",
        help=f"what to write: {_TRACES}, {', '.join(WRITTEN)}, or your own form as 'module:NAME'",
    )
    parser.add_argument(
        "--from",
        dest="row_form",
        type=value(FormName),
        metavar="FORM",
        help=f"form of the rows to read: {', '.join(READ)}, or 'module:NAME' (default: recognised by their columns)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="PATH",
        help="output: a folder for traces, a .json, .jsonl or .parquet file for rows",
    )
    parser.add_argument(
        "--dialect",
        type=value(DialectName),
        metavar="TEXT",
        help="dialect of the traces (default: that of the folder or of the rows; default for rows of other projects)",
    )
    add_operations_flag(parser)
    parser.add_argument(
        "--row_dialect",
        type=value(DialectName),
        metavar="TEXT",
        help="dialect in which rows of other projects write calls (default: that of their form, or the released one)",
    )
    parser.add_argument(
        "--coordinates",
        type=value(Unit),
        metavar="fraction|pixel",
        default="fraction",
        help="unit of the boxes in rows in the released dialect; it is never guessed (default: %(default)s)",
    )
    return parser


def _dialect_of(named: str | None, recorded: str, reason: str) -> str:
    """The dialect as named, else the recorded one, with a line that says so."""
    if named is not None and is_named(named):
        return named
    print(f"Dialect {recorded}: {reason}. Choose another with --dialect.", file=sys.stderr)
    return recorded + (named or "")


def _tell_written(written: Written, out: Path, form: RowForm) -> None:
    print(f"{written.rows} rows of the form {form.name} from {written.traces} traces: {out}")
    if form.lost:
        restored = "" if form.conversation_of is None else "; pixel-env restores it from the column 'trace'"
        print(f"  not carried: {'; '.join(form.lost)}{restored}")
    if written.untrained and not form.trains_last_turn:
        print(f"  turns that are not to be trained: {written.untrained}")


def dialect_in_rows(source: Path, form: RowForm | None = None) -> str | None:
    """The dialect that the first row records, if it is one of ours. Raises TaskError."""
    for row in read_rows(files_in(source, form)[0]):
        try:
            known = form or form_of(row.values, row.file.name)
            conversation = None if known.conversation_of is None else known.conversation_of(row.values)
        except (TaskError, KeyError, TypeError, AttributeError, ValueError, RecursionError):
            return None  # loading the rows says why
        return None if conversation is None else dialect_in_note(conversation.trace)
    return None


@dataclass(frozen=True, slots=True)
class _Converted:
    """Recorded in the folder of the traces, where `pixel-env sft` checks the dialect."""

    dialect: str
    row_form: str | None
    row_dialect: str | None
    coordinates: Unit


def _to_traces(source: Path, out: Path, converted: _Converted) -> int:
    loading = Loading(
        dialect_named(converted.dialect),
        None if converted.row_form is None else form_named(converted.row_form),
        RowReading(
            None if converted.row_dialect is None else dialect_named(converted.row_dialect), converted.coordinates
        ),
    )
    files_in(source, loading.form)  # before the output is made
    seeds_folder = source if source.is_dir() else source.parent
    with RunFolder.claimed(out, [converted], resumes=True, another="another --output_dir") as folder:
        folder.keep_configuration()
        loaded = load_rows(source, loading, Journal(out, seeds_folder))
        if loaded.traces:
            task_set = TaskSet(source.stem, (), budgets=loaded.budgets)
            write_trace_folder(out, loaded.traces, task_set, seeds_folder)
        else:
            _forget(out)
    if not loaded.traces:
        raise TaskError(f"None of {loaded.rows} rows became a trace. {_listed(loaded)}")
    _tell_loaded(loaded, out)
    return 1 if loaded.problems else 0


def _forget(out: Path) -> None:
    """Removes what a conversion without a trace has written, so that another one may use the folder."""
    for name in (JOURNAL, CONFIGURATION):
        (out / name).unlink(missing_ok=True)


def _tell_loaded(loaded: LoadedRows, out: Path) -> None:
    kinds = Counter(trace.kind for trace in loaded.traces)
    print(f"{len(loaded.traces)} of {loaded.rows} rows are traces in {out}")
    print(f"  kinds: {', '.join(f'{kind} {number}' for kind, number in sorted(kinds.items()))}")
    print(f"  turns excluded from training: {sum(not turn.train for trace in loaded.traces for turn in trace.turns)}")
    if loaded.parts:
        print(f"  rows that are parts of other rows' episodes: {loaded.parts}")
    if loaded.problems:
        print(_listed(loaded))


def _listed(loaded: LoadedRows) -> str:
    """The skipped rows: how many, how many of each reason, and the first ones with what is wrong with them."""
    problems: Sequence[str] = loaded.problems
    if not problems:
        return "The source holds no rows."
    more = f"\n  ... and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    reasons = ", ".join(f"{reason} {number}" for reason, number in loaded.reasons.most_common())
    return f"{len(problems)} rows were skipped: {reasons}\n  " + "\n  ".join(problems[:_SHOWN]) + more
