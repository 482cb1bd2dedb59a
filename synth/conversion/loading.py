"""Files of rows to traces: ours restored exactly, those of other projects replayed and compared.

Depends on the forms of rows, on replay and on files; independent of flags.
"""

import itertools
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agents.traces.folder import is_trace_folder, same_task
from agents.traces.trace import Trace
from pixel_env.dialects.dialect import Dialect
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import MediaError, TaskError
from pixel_env.task import Task
from pixel_env.tasks.files.row import Row, is_writable
from pixel_env.tasks.files.rows import read_rows
from pixel_env.views import ViewBudgets
from synth.conversion.conversations import Conversation
from synth.conversion.foreign_rows import RowReading, foreign_trace
from synth.conversion.forms.form import RowForm
from synth.conversion.forms.registry import WRITTEN, form_of
from synth.conversion.journal import Journal, RowOutcome, fingerprint
from synth.conversion.mismatch import Reason, RowMismatch
from synth.conversion.own_traces import OwnTrace, own_trace
from synth.conversion.parts import Parts
from synth.conversion.translation import translated
from synth.generation.progress import progress

_SUFFIXES = ((".parquet",), (".json", ".jsonl"))
_REFERENCES = ("solution", "answer", "answers", "ground_truth")
"""Columns in which rows of other projects hold the right answer."""


@dataclass(frozen=True, slots=True)
class Loading:
    """How rows are read: the dialect of the traces, the form (None: told row by row), and how foreign rows are read."""

    dialect: Dialect
    form: RowForm | None = None
    reading: RowReading = field(default_factory=RowReading)


@dataclass
class LoadedRows:
    """The traces of rows, and the pixel budgets of their set.

    `problems`: the skipped rows, and why; `reasons`: how often each reason; `parts`: rows that are parts of another
    row's trace.
    """

    traces: list[Trace] = field(default_factory=list)
    budgets: ViewBudgets | None = None
    problems: list[str] = field(default_factory=list)
    reasons: Counter[Reason] = field(default_factory=Counter)
    rows: int = 0
    parts: int = 0
    known: dict[str, Task] = field(default_factory=dict)

    def add(self, outcome: RowOutcome, location: str) -> None:
        """Counts the outcome of one row."""
        if outcome.reason is not None:
            self.reasons[outcome.reason] += 1
            self.problems.append(f"{location}: {outcome.message}")
        elif outcome.own is None:
            self.parts += 1
        else:
            self.traces.append(outcome.own.trace)
            self.budgets = outcome.own.budgets
            self.known[outcome.own.trace.task.task_id] = outcome.own.trace.task

    def named(self, trace: Trace) -> Trace:
        """The trace; if an earlier task has its id, with the first free number from 2 on appended to it."""
        name = trace.task.task_id
        ids = itertools.chain([name], (f"{name}:{number}" for number in itertools.count(2)))
        task = next(one for new in ids if self.is_free(one := replace(trace.task, task_id=new)))
        return replace(trace, task=task)

    def is_free(self, task: Task) -> bool:
        """Whether no other task has the id of this one."""
        return same_task(self.known.get(task.task_id, task), task)

    def check(self, own: OwnTrace) -> None:
        """Raises RowMismatch if a trace of ours belongs to another set than the earlier ones."""
        if self.traces and own.budgets != self.budgets:
            message = "its pixel budgets differ from those of the rows before it; convert each set separately"
            raise RowMismatch(Reason.ANOTHER_SET, message)
        if not self.is_free(own.trace.task):
            raise RowMismatch(
                Reason.ANOTHER_SET,
                f"an earlier row uses the id {own.trace.task.task_id!r} for another task; convert each set separately",
            )


def files_in(source: Path, form: RowForm | None = None) -> list[Path]:
    """The files of rows: `source` itself, or those of a folder, parquet before JSON, in the order of their names.

    Of a folder, files whose first row has no form (or not `form`, if it is given) are left out: a data set brings
    files about itself. Raises TaskError for a folder without a file of rows.
    """
    if not source.is_dir():
        return [source]
    if is_trace_folder(source):
        raise TaskError(f"{source} is a folder of traces already. Give --to {', '.join(WRITTEN)}.")
    found = [path for path in sorted(_files_below(source)) if not path.name.startswith(".")]
    for suffixes in _SUFFIXES:
        if files := [path for path in found if path.suffix.lower() in suffixes and _holds_rows(path, form)]:
            return files
    raise TaskError(
        f"{source} holds no file of rows of a form that is known (.parquet, .json or .jsonl). Give the file, or the "
        "form as --from."
    )


def _holds_rows(path: Path, form: RowForm | None) -> bool:
    """Whether the first row that can be read is of the form, or of any. A file that cannot be read is not left out."""
    try:
        row = next((row for row in read_rows(path) if not row.problem), None)
    except TaskError:
        return True  # loading it says why
    if row is None or form is not None:
        return row is None or form is None or form.recognises(row.values, path.name)
    try:
        form_of(row.values, path.name)
    except TaskError:
        return False
    return True


def _files_below(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(root) / name for name in names)


def load_rows(source: Path, loading: Loading, journal: Journal | None = None) -> LoadedRows:
    """The rows of a file, or of the files of a folder, as traces in the dialect; a broken row costs itself only.

    Raises TaskError for a file that cannot be read.
    """
    files, loaded = files_in(source, loading.form), LoadedRows()
    parts = _parts_in(files, loading)
    for row in progress(_rows_in(files), "rows", unit="row"):
        loaded.rows += 1
        location = row.location if len(files) == 1 else f"{row.file.name}, {row.location}"
        name = f"{row.file.stem}:{row.number}"
        mark = fingerprint(row.values) if journal is not None else ""
        outcome = journal.of(loaded.rows, mark) if journal is not None else None
        if outcome is None or (outcome.own is not None and not loaded.is_free(outcome.own.trace.task)):
            outcome = _outcome(row, name, loading, parts, loaded)
            outcome = outcome if journal is None else journal.add(loaded.rows, mark, outcome)
        loaded.add(outcome, location)
    return loaded


def _rows_in(files: Sequence[Path]) -> Iterator[Row]:
    return itertools.chain.from_iterable(map(read_rows, files))


def _outcome(row: Row, name: str, loading: Loading, parts: Parts, loaded: LoadedRows) -> RowOutcome:
    try:
        form, episode, conversation = _conversation_of(row, loading)
        if parts.is_part(episode, conversation):
            return RowOutcome()
        if conversation.trace:
            folder, is_part = row.file.parent, form.trains_last_turn
            own = own_trace(conversation, loading.dialect, folder, folder, is_part=is_part)
            loaded.check(own)
            return RowOutcome(own)
        if form.trains_last_turn:
            conversation = parts.with_trained_turns(episode, conversation)
        reading = _reading_of(form, loading)
        foreign = foreign_trace(conversation, row.file.parent, reading, name, _reference_in(row.values))
        return RowOutcome(OwnTrace(loaded.named(translated(foreign, loading.dialect)), None))
    except RowMismatch as mismatch:
        return RowOutcome(reason=mismatch.reason, message=str(mismatch))
    except MediaError as error:
        return RowOutcome(reason=Reason.BROKEN_IMAGE, message=str(error))
    except TaskError as error:
        return RowOutcome(reason=Reason.UNUSABLE_ROW, message=str(error))


def _reading_of(form: RowForm, loading: Loading) -> RowReading:
    reading = replace(loading.reading, image_folders=form.image_folders)
    if reading.dialect is None and form.dialect:
        return replace(reading, dialect=dialect_named(form.dialect))
    return reading


def _conversation_of(row: Row, loading: Loading) -> tuple[RowForm, str, Conversation]:
    """The form of a row, the name of the episode of which it is a part, and its conversation. Raises TaskError."""
    if row.problem:
        raise TaskError(row.problem)
    form = loading.form or form_of(row.values, row.file.name)
    if form.conversation_of is None:
        raise TaskError(form.no_turns)
    try:
        conversation = form.conversation_of(row.values)
        episode = form.part_of(row.values) if form.part_of is not None else ""
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise TaskError(f"it is not of the form {form.name!r} ({type(error).__name__}: {error})") from error
    if not is_writable("".join([conversation.name, *(message.text for message in conversation.messages)])):
        raise TaskError("its text holds a lone surrogate (half of a character); write the whole character")
    return form, episode, conversation


def _reference_in(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The right answers that a row declares, () if it declares none."""
    reward = values.get("reward_model")
    given = next((values[name] for name in _REFERENCES if values.get(name)), None)
    if given is None and isinstance(reward, Mapping):
        given = reward.get("ground_truth")
    items = given if isinstance(given, list) else [given]
    return tuple(str(item) for item in items if isinstance(item, str | int | float) and not isinstance(item, bool))


def _parts_in(files: Sequence[Path], loading: Loading) -> Parts:
    """Which rows are parts of others; the files are read once more for it, if their form has parts."""
    form = loading.form or next(_forms_in(files), None)
    return Parts() if form is None or form.part_of is None else Parts.among(_episodes_in(files, loading))


def _forms_in(files: Sequence[Path]) -> Iterator[RowForm]:
    """The forms of the first rows that have one."""
    for row in itertools.islice(_rows_in(files), 20):
        try:
            yield form_of(row.values, row.file.name)
        except TaskError:
            continue  # loading the rows says why


def _episodes_in(files: Sequence[Path], loading: Loading) -> Iterator[tuple[str, Conversation]]:
    for row in _rows_in(files):
        try:
            _, episode, conversation = _conversation_of(row, loading)
        except TaskError:
            continue  # as in _forms_in
        yield episode, conversation
