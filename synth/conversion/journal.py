"""The journal of a conversion: what became of each row, so that a killed command resumes.

Depends on traces, their folder and the store of rows; independent of how a row becomes a trace.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agents.traces.task_rows import PICTURES, Places, budgets_of_row, budgets_row, task_of_row, task_row
from agents.traces.trace import Trace, read_turn, turn_row
from pixel_env.errors import ConfigError, MediaError, TaskError
from pixel_env.media.sources import FileSource
from pixel_env.store import TrajectoryStore, read
from pixel_env.tasks.files.embedded import EmbeddedImage
from pixel_env.views import Source
from synth.conversion.encoded_images import EncodedImage, bytes_of, suffix_of
from synth.conversion.mismatch import Reason
from synth.conversion.own_traces import OwnTrace

JOURNAL = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What a row became: a trace, a part of another row's, or nothing, for a reason and with a message."""

    own: OwnTrace | None = None
    reason: Reason | None = None
    message: str = ""


class Journal:
    """The outcomes in the folder of the traces; a new one is on disk before `add` returns.

    An outcome is identified by the number and the content of its row, so that an edited row is converted again. Images
    that only the row holds are kept in the folder.
    """

    def __init__(self, folder: Path, seeds_folder: Path) -> None:
        self._folder, self._seeds_folder = folder, seeds_folder
        self._store = TrajectoryStore(folder / JOURNAL)
        self._rows = {(row.get("row"), row.get("mark")): row for row in read(self._store.path)}

    def of(self, number: int, mark: str) -> RowOutcome | None:
        """The outcome of row `number` with this fingerprint, or None. Raises ConfigError for a broken entry."""
        row = self._rows.get((number, mark))
        if row is None:
            return None
        try:
            return self._outcome(row)
        except TaskError:
            return None  # its images were removed since
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            message = f"{self._store.path} has an entry that is none ({error}). Remove the file, and convert again."
            raise ConfigError(message) from error

    def add(self, number: int, mark: str, outcome: RowOutcome) -> RowOutcome:
        """Writes the outcome; it is returned with its images in files."""
        row: dict[str, Any] = {"row": number, "mark": mark}
        if outcome.own is not None:
            trace, budgets = _with_files(outcome.own.trace, self._folder / PICTURES), outcome.own.budgets
            outcome = replace(outcome, own=OwnTrace(trace, budgets))
            row |= {
                "task": task_row(trace.task, self._folder, self._seeds_folder),
                "kind": trace.kind,
                "turns": [turn_row(turn) for turn in trace.turns],
                "budgets": budgets_row(budgets),
            }
        elif outcome.reason is not None:
            row |= {"reason": outcome.reason.value, "message": outcome.message}
        self._store.append(row)
        return outcome

    def _outcome(self, row: Mapping[str, Any]) -> RowOutcome:
        if "task" in row:
            task = task_of_row(row["task"], Places(self._folder, self._seeds_folder))
            trace = Trace(task, tuple(read_turn(turn) for turn in row["turns"]), row["kind"])
            return RowOutcome(OwnTrace(trace, budgets_of_row(row["budgets"])))
        if "reason" in row:
            return RowOutcome(reason=Reason(row["reason"]), message=row["message"])
        return RowOutcome()


def fingerprint(values: Mapping[str, Any]) -> str:
    """A hash of the row's values, images included."""
    text = json.dumps(values, sort_keys=True, default=_hashed)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _hashed(value: Any) -> str:
    if isinstance(value, EmbeddedImage):
        with suppress(MediaError):  # the replay says what is wrong with it
            return value.key
    return hashlib.sha256(value).hexdigest() if isinstance(value, bytes) else repr(value)


def _with_files(trace: Trace, folder: Path) -> Trace:
    """The trace with its encoded images in files, byte for byte: their keys do not change."""
    sources = tuple(_in_file(source, folder) for source in trace.task.sources)
    return replace(trace, task=replace(trace.task, sources=sources))


def _in_file(source: Source, folder: Path) -> Source:
    if not isinstance(source, EncodedImage | EmbeddedImage):
        return source
    data = bytes_of(source)
    path = folder / f"{source.key[:24]}.{suffix_of(data)}"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_bytes(data)
        partial.replace(path)
    return FileSource(path)
