"""`pixel-env convert`: traces to the rows of other formats, and rows of other formats to traces.

Knows files and flags. What a row is stands in `conversions.py`, what a foreign row becomes in `released_rows.py`.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.rollout import EpisodeSettings
from agents.run_folder import write_whole
from agents.trace_folder import common_folder, is_trace_folder, read_trace_folder, write_trace_folder
from agents.traces import Trace
from pixel_env.budgets import budgets_for
from pixel_env.dialects import dialect_named
from pixel_env.errors import MediaError, TaskError
from pixel_env.tasks.rows import read_rows
from pixel_env.types import Limits, TaskSet, ViewBudgets
from synth.conversion.conversations import conversation_of
from synth.conversion.conversions import ROW_FORMATS, RowFormat
from synth.conversion.released_rows import OwnTrace, Unit, foreign_trace, note_of, own_trace, translated
from synth.generation.progress import progress

_SHOWN = 10
_LIMITS = Limits(max_turns=16, max_images=64)


def main(argv: list[str]) -> int:
    """`pixel-env convert SOURCE --to FORMAT --out PLACE`; 0, or 1 if rows were left out."""
    options = _parser().parse_args(argv)
    if options.to == "traces":
        return _to_traces(options.source, options.out, options.dialect, options.coordinates)
    if not is_trace_folder(options.source):
        raise TaskError(
            f"{options.source} is no folder of traces; --to {options.to} converts what pixel-env synth wrote."
        )
    rows = write_rows(options.source, options.out, ROW_FORMATS[options.to], options.dialect)
    print(f"{rows} rows: {options.out}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pixel-env convert", description="Traces to and from other formats.")
    parser.add_argument("source", type=Path, help="a folder of traces, or a file of rows (.json, .jsonl, .parquet)")
    parser.add_argument("--to", required=True, choices=["traces", *ROW_FORMATS], help="what to write")
    parser.add_argument("--out", type=Path, required=True, help="a folder for traces; a .json or .jsonl file for rows")
    parser.add_argument("--dialect", default="default", help="of the traces, read or written (%(default)s)")
    parser.add_argument(
        "--coordinates",
        choices=["fraction", "pixel"],
        default="fraction",
        help="what the boxes of rows that are not ours count; it is never guessed (%(default)s)",
    )
    return parser


# ----------------------------------------------------------------------------------------------------- traces -> rows


def write_rows(source: Path, out: Path, row_format: RowFormat, dialect_name: str) -> int:
    """Writes a row for each trace of the folder, and the pictures that are in no file beside them; how many."""
    task_set, traces = read_trace_folder(source)
    dialect = dialect_named(dialect_name)
    settings = EpisodeSettings(dialect, _LIMITS, budgets_for(None, task_set, dialect))
    folder, files = out.parent, common_folder(traces)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for trace in progress(traces, "rows", unit="row"):
        note = note_of(OwnTrace(trace, task_set.budgets), folder, None if files is None else folder)
        rows.append(row_format.row_of(conversation_of(trace, settings, folder, note)))
    if out.suffix == ".jsonl":
        write_whole(out, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    else:
        write_whole(out, json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
    return len(rows)


# ----------------------------------------------------------------------------------------------------- rows -> traces


@dataclass
class LoadedRows:
    """Traces of a file of rows, the pixel budgets of their set; `problems`: the rows that were left out, and why."""

    traces: list[Trace] = field(default_factory=list)
    budgets: ViewBudgets | None = None
    problems: list[str] = field(default_factory=list)
    rows: int = 0


def load_rows(path: Path, dialect_name: str = "default", unit: Unit = "fraction") -> LoadedRows:
    """The rows of a file as traces in the dialect: ours exactly, foreign ones with the mistakes that are found.

    Raises TaskError for a file that cannot be read, or that is of no known format.
    """
    loaded = LoadedRows()
    for place, values in _values_of(path):
        loaded.rows += 1
        try:
            own = _trace_of(values, path, f"{path.stem}:{loaded.rows}", dialect_name, unit)
            if loaded.traces and own.budgets != loaded.budgets:
                raise TaskError("it has other pixel budgets than the rows before it; convert each set by itself")
            loaded.traces.append(own.trace)
            loaded.budgets = own.budgets
        except (TaskError, MediaError) as error:
            loaded.problems.append(f"{place}: {error}")
    return loaded


def _values_of(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for row in progress(read_rows(path), "rows", unit="row"):
        if row.problem:
            raise TaskError(f"{path}, {row.place}: {row.problem}")
        yield row.place, row.values


def _trace_of(values: Mapping[str, Any], path: Path, name: str, dialect_name: str, unit: Unit) -> OwnTrace:
    row_format = next((known for known in ROW_FORMATS.values() if known.told_by in values), None)
    if row_format is None:
        columns = ", ".join(known.told_by for known in ROW_FORMATS.values())
        raise TaskError(f"it has the columns {', '.join(values)}; wanted is one of {columns}")
    conversation = row_format.conversation_of(values)
    if conversation.trace:
        return own_trace(conversation, path.parent, path.parent)
    foreign = foreign_trace(conversation, path.parent, unit, name)
    return OwnTrace(translated(foreign, dialect_named(dialect_name)), None)


def _to_traces(source: Path, out: Path, dialect_name: str, unit: Unit) -> int:
    loaded = load_rows(source, dialect_name, unit)
    if not loaded.traces:
        raise TaskError(f"None of {loaded.rows} rows became a trace. {_listed(loaded.problems)}")
    task_set = TaskSet(source.stem, (), budgets=loaded.budgets)
    write_trace_folder(out, loaded.traces, task_set, common_folder(loaded.traces))
    kinds = Counter(trace.kind for trace in loaded.traces)
    print(f"{len(loaded.traces)} of {loaded.rows} rows are traces in {out}")
    print(f"  kinds: {', '.join(f'{kind} {number}' for kind, number in sorted(kinds.items()))}")
    print(f"  turns that are not trained: {sum(not turn.train for trace in loaded.traces for turn in trace.turns)}")
    if loaded.problems:
        print(_listed(loaded.problems))
    return 1 if loaded.problems else 0


def _listed(problems: Sequence[str]) -> str:
    more = f"\n  ... and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return f"{len(problems)} rows were left out:\n  " + "\n  ".join(problems[:_SHOWN]) + more
