"""Folders of traces to files of rows: .json, .jsonl, or .parquet with the images inside.

Depends on traces, on the forms of rows and on files; independent of flags.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.rollout import EpisodeSettings
from agents.run_folder.configuration import make_folder, write_whole
from agents.traces.folder import check_dialect, common_folder, read_trace_folder
from agents.traces.trace import Trace
from pixel_env.budgets import budgets_for
from pixel_env.dialects.table import dialect_named
from pixel_env.episode import Limits
from pixel_env.errors import ConfigError, MissingExtraError, TaskError
from pixel_env.task import TaskSet
from pixel_env.tasks.files.rows import read_rows
from synth.conversion.conversations import conversation_of
from synth.conversion.forms.form import Row, RowForm
from synth.conversion.forms.registry import form_of
from synth.conversion.own_traces import OwnTrace, note_of, with_embedded_sources
from synth.generation.progress import progress

SUFFIXES = (".json", ".jsonl", ".parquet")
_LIMITS = Limits(max_turns=16, max_images=64)
_ROWS_PER_GROUP = 64
"""Rows whose images are in memory at a time."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: rows, and of the traces the number of turns that are not trained."""

    rows: int
    traces: int
    untrained: int


def write_rows(source: Path, out: Path, form: RowForm, dialect_name: str) -> Written:
    """Writes the traces of the folder as rows of the form, and images that have no file of their own.

    Raises ConfigError for traces of another dialect, for a form that is only read, or for an `out` that is not a file
    of rows.
    """
    dialect = dialect_named(dialect_name)
    check_dialect(source, dialect)
    check_output(out, form)
    task_set, traces = read_trace_folder(source)
    settings = EpisodeSettings(dialect, _LIMITS, budgets_for(None, task_set, dialect))
    make_folder(out.parent)
    rows = list(_rows_of(traces, task_set, form, settings, out.parent))
    _write(out, rows, form)
    untrained = sum(not turn.train for trace in traces for turn in trace.turns)
    return Written(len(rows), len(traces), untrained)


def check_output(out: Path, form: RowForm) -> None:
    """Raises ConfigError for a form that is only read, or for an `out` that is not a file of rows."""
    if form.rows_of is None:
        raise ConfigError(f"the form {form.name!r} is only read ({form.about}). Give --to sharegpt, trl, or another.")
    if out.suffix.lower() not in SUFFIXES or out.is_dir():
        raise ConfigError(f"--output is a file of rows that ends in {', '.join(SUFFIXES)}, got {out}.")
    if out.exists() and out.stat().st_size and not _holds_rows(out):
        raise ConfigError(f"{out} exists and holds something other than such rows. Give the name of a new file.")


def _holds_rows(path: Path) -> bool:
    try:
        form_of(next(iter(read_rows(path))).values, path.name)
    except (TaskError, StopIteration):
        return False
    return True


def _rows_of(
    traces: Sequence[Trace], task_set: TaskSet, form: RowForm, settings: EpisodeSettings, folder: Path
) -> Iterator[Row]:
    assert form.rows_of is not None  # checked with the output
    seeds = None if common_folder(traces) is None else folder
    written: set[str] = set()
    for trace in progress(traces, "rows", unit="row"):
        if form.is_of_tasks and trace.task.task_id in written:
            continue
        written.add(trace.task.task_id)
        note = "" if form.is_of_tasks else note_of(OwnTrace(trace, task_set.budgets), settings.dialect, folder, seeds)
        try:
            yield from form.rows_of(trace, conversation_of(trace, settings, folder, note))
        except TaskError as error:
            raise TaskError(f"task {trace.task.task_id!r}: {error}") from error


def _write(out: Path, rows: Sequence[Row], form: RowForm) -> None:
    match out.suffix.lower():
        case ".jsonl":
            write_whole(out, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        case ".json":
            write_whole(out, json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
        case _:
            _write_parquet(out, rows, form.images)


def _write_parquet(out: Path, rows: Sequence[Row], column: str) -> None:
    """A parquet file with the images of `column` as `datasets` stores them: a struct of bytes and path."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError.needs("a parquet file", "data") from error
    empty = [_with_images(row, column, None) for row in rows]
    schema = pyarrow.Table.from_pylist(empty).schema
    if column and column in schema.names:
        image = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
        schema = schema.set(schema.get_field_index(column), pyarrow.field(column, pyarrow.list_(image)))
    partial = out.with_name(f"{out.name}.partial")
    with parquet.ParquetWriter(partial, schema) as writer:
        for start in range(0, len(rows), _ROWS_PER_GROUP):
            whole = [_with_images(row, column, out.parent) for row in rows[start : start + _ROWS_PER_GROUP]]
            writer.write_table(pyarrow.Table.from_pylist(whole, schema=schema))
    partial.replace(out)


def _with_images(row: Row, column: str, folder: Path | None) -> Row:
    """The row with the bytes of its images, which are in `folder`; without a folder, with no images."""
    if not column or column not in row:
        return row
    names = [item["image"] if isinstance(item, dict) else item for item in row[column]]
    note = {"trace": with_embedded_sources(row["trace"], names)} if "trace" in row else {}
    return {**row, column: [] if folder is None else [_stored(folder / name) for name in names], **note}


def _stored(path: Path) -> dict[str, Any]:
    return {"bytes": path.read_bytes(), "path": path.name}
