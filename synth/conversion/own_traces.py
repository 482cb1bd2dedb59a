"""Traces of ours in rows: the column `trace`, from which they are restored exactly.

Depends on traces and conversations; independent of the forms of rows.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agents.traces.folder import call_alike
from agents.traces.task_rows import Places, budgets_of_row, budgets_row, evidence_in, task_of_row, task_row
from agents.traces.trace import Trace, read_turn, turn_row
from pixel_env.dialects.dialect import Dialect
from pixel_env.errors import TaskError
from pixel_env.task import Task
from pixel_env.views import ViewBudgets
from synth.conversion.conversations import IMAGES, Conversation, assistant_texts, question_of, source_of
from synth.conversion.mismatch import Reason, RowMismatch

EMBEDDED = "embedded"
"""Key of the number of an image that is in the row itself, instead of a path."""


@dataclass(frozen=True, slots=True)
class OwnTrace:
    """One of our traces, and the pixel budgets of its set."""

    trace: Trace
    budgets: ViewBudgets | None


def note_of(own: OwnTrace, dialect: Dialect, folder: Path, seeds_folder: Path | None) -> str:
    """The trace as JSON, for the column `trace` of a row that is written into `folder`; `dialect`: of the trace."""
    trace = own.trace
    note = {
        "dialect": dialect.name,
        "task": task_row(trace.task, folder, seeds_folder),
        "kind": trace.kind,
        "turns": [turn_row(turn) for turn in trace.turns],
        "budgets": budgets_row(own.budgets),
    }
    return json.dumps(note)


def with_embedded_sources(note: str, files: Sequence[str]) -> str:
    """The note of `note_of` for a row that holds the bytes of `files`: images of the task among them are numbers there.

    So such a row needs no file beside it, except for the clips of videos.
    """
    content = json.loads(note)
    numbers = {name: number for number, name in enumerate(files)}
    names = [(source, _name_of(source)) for source in content["task"].get("sources", ())]
    if names:
        sources = [{EMBEDDED: numbers[name]} if name in numbers else source for source, name in names]
        content["task"]["sources"] = sources
    return json.dumps(content)


def _name_of(source: str | dict[str, Any]) -> str:
    """How the conversation of the trace names the image of the task."""
    return source if isinstance(source, str) else f"{IMAGES}/{source.get('picture')}"


def _task_in(row: dict[str, Any], conversation: Conversation, folder: Path, seeds_folder: Path) -> Task:
    """The task of a note; `conversation`: of its row, which may hold the task's images."""
    given = row.get("sources", ())
    outside = [source for source in given if not _is_embedded(source)]
    if len(outside) == len(given):
        return task_of_row(row, Places(folder, seeds_folder))
    held = [item for message in conversation.messages for images in message.images for item in images.files]
    task = task_of_row({**row, "sources": outside, "evidence": []}, Places(folder, seeds_folder))
    others = iter(task.sources)
    sources = tuple(
        source_of(held[source[EMBEDDED]], folder) if _is_embedded(source) else next(others) for source in given
    )
    return replace(task, sources=sources, evidence=evidence_in(row, len(sources)))


def _is_embedded(source: str | dict[str, Any]) -> bool:
    return isinstance(source, dict) and EMBEDDED in source


def dialect_in_note(text: str) -> str | None:
    """The dialect in a column `trace` that `note_of` wrote; None for any other text."""
    try:
        dialect = json.loads(text)["dialect"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return dialect if isinstance(dialect, str) else None


def own_trace(
    conversation: Conversation, dialect: Dialect, folder: Path, seeds_folder: Path, *, is_part: bool = False
) -> OwnTrace:
    """The trace that `note_of` wrote; `is_part`: the row ends with any of its turns.

    Raises TaskError, also for another dialect and for a row that was edited.
    """
    try:
        note = json.loads(conversation.trace)
        json.dumps(note, ensure_ascii=False).encode()  # half of a surrogate pair cannot be written to a file
        made_in = str(note.get("dialect", dialect.name))
        turns = tuple(read_turn(turn) for turn in note["turns"])
        trace = Trace(_task_in(note["task"], conversation, folder, seeds_folder), turns, str(note["kind"]))
        own = OwnTrace(trace, budgets_of_row(note["budgets"]))
        is_edited = trace.task.question not in question_of(conversation).text
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise TaskError(f"the column 'trace' is not one of ours ({type(error).__name__}: {error})") from error
    if not call_alike(made_in, dialect.name):
        message = f"its dialect is {made_in!r}, not {dialect.name!r}; give --dialect {made_in}"
        raise RowMismatch(Reason.OTHER_DIALECT, message)
    texts = assistant_texts(conversation)
    if is_edited or tuple(turn.text for turn in turns[: len(texts) if is_part else None]) != texts:
        raise RowMismatch(
            Reason.EDITED,
            "its question or its assistant messages differ from the column 'trace', from which the trace is restored; "
            "edit both in the same way, or remove that column: then the row is read as a foreign one",
        )
    return own
