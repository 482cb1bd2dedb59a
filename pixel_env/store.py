"""Trajectories on disk: one JSON object per line, images named by content.

A row refers to pixels by source key and box, as a trajectory does. Images are written only on request, named by the
hash of their pixels, so that equal images are stored once. A process that is killed while it writes leaves at most an
incomplete last line: readers skip it, and the next row overwrites it. Whole lines never change, so a file may
be read while others append to it. Depends on trajectories and files; independent of how trajectories are made.
"""

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, get_args

import numpy as np

from pixel_env.boxes import Box, Rounding
from pixel_env.episode import Action, Answer, Malformed, Prompt, Stop, Text, Trajectory, Turn, Unfinished
from pixel_env.errors import ConfigError, TaskError, one_line, shortened
from pixel_env.failures import Failure, FailureCode
from pixel_env.locks import locked
from pixel_env.media.encoding import exact_png
from pixel_env.media.showing import show
from pixel_env.media.sources import BLANK_PREFIX, BlankSource
from pixel_env.operations.arguments import is_number
from pixel_env.operations.operation import ImageOperation, Operation
from pixel_env.operations.registry import OPERATIONS
from pixel_env.task import Task, cluster_of
from pixel_env.timeline import frame_with_key
from pixel_env.views import Cut, Magnified, Source, Step, View, ViewBudgets, ViewKind
from pixel_env.writing import writing

VERSION = 1
"""The version of the rows. A file of another version is refused."""
_LONGEST_TEXT = 120
_CUT, _MAGNIFIED = "cut", "magnified"
_BLOCK_BYTES = 2**16
_DEEPEST = 200
"""Views that a stored view may be made of, one of another: each is one of its episode."""


class TrajectoryStore:
    """A JSONL file that rows are appended to, by several processes if need be. Opening it changes nothing in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def append(self, row: Mapping[str, Any]) -> None:
        """Writes one row, whole, and hands it to the operating system before it returns. Raises WriteError."""
        line = json.dumps({"version": VERSION, **row}, ensure_ascii=False) + "\n"
        # Locked: a last line without an end is then one that a kill interrupted, never one that is being written.
        with writing(self.path), self.path.open("a+b") as file, locked(file):
            file.truncate(_end_of_lines(file))
            # Lone surrogates (broken model output) are kept.
            file.write(line.encode("utf-8", "surrogatepass"))
            file.flush()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return read(self.path)


def _end_of_lines(file: IO[bytes]) -> int:
    """Where the last whole line of the file ends."""
    end = file.seek(0, os.SEEK_END)
    if end and file.seek(end - 1) >= 0 and file.read(1) == b"\n":
        return end
    while end:
        start = max(0, end - _BLOCK_BYTES)
        file.seek(start)
        block = file.read(end - start)
        if (last := block.rfind(b"\n")) >= 0:
            return start + last + 1
        end = start
    return 0


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The rows that the file has now, in order; none if there is no file. An incomplete last line is left out.

    Raises ConfigError, with the line, for a row that is broken or of another version.
    """
    for row in read_with_errors(path):
        if isinstance(row, ConfigError):
            raise row
        yield row


def read_with_errors(path: Path) -> Iterator[dict[str, Any] | ConfigError]:
    """As `read`, but a broken row is its error, and reading goes on after it."""
    if not path.exists():
        return
    if not path.is_file():  # a folder; or a pipe or a device, which may have no end
        raise ConfigError(f"{path} is no regular file. Restore it, or give another folder.")
    try:
        with path.open("rb", buffering=0) as unbuffered:
            end = _end_of_lines(unbuffered)
        with path.open("rb") as file:  # opened anew: the buffer may hold bytes after `end` that have changed since
            for number, line in enumerate(file, start=1):
                end -= len(line)
                if end < 0:
                    return
                yield _row_or_error(line, path, number)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error


def _row_or_error(line: bytes, path: Path, number: int) -> dict[str, Any] | ConfigError:
    try:
        return _row(line, path, number)
    except ConfigError as error:
        return error


def _row(line: bytes, path: Path, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}, line {number} is not a JSON row ({one_line(error)}); remove the line") from error
    if not isinstance(row, dict) or row.get("version") != VERSION:
        raise ConfigError(f"{path}, line {number} is not a row of version {VERSION}; use the release that wrote it")
    return row


# -------------------------------------------------------------------------------------------- trajectory -> row


def write_rollout(
    trajectory: Trajectory,
    store: TrajectoryStore,
    *,
    images: Path | None = None,
    budgets: ViewBudgets | None = None,
    **extra: Any,
) -> None:
    """Appends `trajectory`, with further keys `extra`; writes the images as shown into the folder `images`.

    Images need the `budgets` that the episode was played with.
    """
    row = row_of(trajectory)
    if images is not None:
        if budgets is None:
            raise ConfigError("images= needs budgets=: give those of the environment that played the episode")
        row["pictures"] = [save_image(show(view, budgets), images) for view in trajectory.views]
    store.append({**row, **extra})


def save_image(image: np.ndarray, folder: Path) -> str:
    """Writes `image` (uint8, height x width x 3) as PNG, once, and gives the file's name: the hash of its pixels."""
    digest = hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()
    path = folder / f"{digest[:24]}.png"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_bytes(exact_png(image))
        partial.replace(path)
    return path.name


def row_of(trajectory: Trajectory) -> dict[str, Any]:
    """`trajectory` as a JSON object; `trajectory_of` is the inverse."""
    return {
        "task_id": trajectory.task.task_id,
        "category": trajectory.task.category,
        **({"cluster": cluster} if (cluster := cluster_of(trajectory.task)) else {}),
        **({"variant": asdict(trajectory.task.variant)} if trajectory.task.variant else {}),
        "question": trajectory.task.question,
        "answers": list(trajectory.task.answers),
        "grader": trajectory.task.grader,
        "prompt": {"system": trajectory.prompt.system, "question": trajectory.prompt.question},
        "prompt_views": [_view_row(view) for view in trajectory.prompt_views],
        "turns": [_turn_row(turn) for turn in trajectory.turns],
        "stop": trajectory.stop,
        "reward": trajectory.reward,
        "answer": trajectory.answer,
        "error": trajectory.error,
    }


def _view_row(view: View) -> dict[str, Any]:
    via = None if view.via is None else _view_row(view.via)
    row = {"source": view.source.key, "kind": view.kind, "box": list(view.box.corners), "via": via}
    return row | {"steps": [_step_row(step) for step in view.steps]} if view.steps else row


def _step_row(step: Step) -> dict[str, Any]:
    match step:
        case Cut(box, rounding):
            return {"step": _CUT, "box": list(box.corners)} | ({} if rounding == "outward" else {"rounding": rounding})
        case Magnified(factor, max_pixels):
            return {"step": _MAGNIFIED, "factor": factor, "max_pixels": max_pixels}
        case Operation():
            return {"step": step.name, **step.to_row()}
        case _:
            raise TypeError(f"a view's step is a Cut or an operation, got {step!r}")


def _turn_row(turn: Turn) -> dict[str, Any]:
    failure = None if turn.failure is None else {"code": turn.failure.code, "message": turn.failure.message}
    row = {
        "text": str(turn.text),
        "unfinished": isinstance(turn.text, Unfinished),
        "action": _action_row(turn.action),
        "failure": failure,
        "observation": turn.observation,
        "views": [_view_row(view) for view in turn.views],
    }
    return row | {"same_message": True} if turn.same_message else row


def _action_row(action: Action) -> dict[str, Any]:
    match action:
        case Operation():
            return {"kind": action.name, **action.to_row()}
        case Answer(text):
            return {"kind": "answer", "text": str(text)}
        case Text(text):
            return {"kind": "text", "text": str(text)}
        case Malformed(code, reason):
            return {"kind": "malformed", "code": code, "reason": reason}


# -------------------------------------------------------------------------------------------- row -> trajectory


def trajectory_of(row: Mapping[str, Any], task: Task) -> Trajectory:
    """The trajectory of `row`, for the task that it was played on.

    Raises TaskError if the two do not match or the row is broken, and ConfigError for an operation that is not
    registered.
    """
    try:
        check_task(row, task)
        return _checked(_trajectory(row, task))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        reason = f"{type(error).__name__}: {shortened(error)}"
        raise TaskError(
            f"the stored row of the task {task.task_id!r} is broken ({reason}). Remove its line."
        ) from error


def _trajectory(row: Mapping[str, Any], task: Task) -> Trajectory:
    sources = {source.key: source for source in task.sources}
    return Trajectory(
        task,
        Prompt(**row["prompt"]),
        tuple(_view(view, sources) for view in row["prompt_views"]),
        tuple(_turn(turn, sources) for turn in row["turns"]),
        None if row["stop"] is None else Stop(row["stop"]),
        row["reward"],
        row["answer"],
        row["error"],
    )


def _checked(trajectory: Trajectory) -> Trajectory:
    """`trajectory`, if its parts fit. Raises TypeError or ValueError."""
    if not is_number(trajectory.reward) or not math.isfinite(trajectory.reward):
        raise TypeError(f"the reward is {trajectory.reward!r}")
    texts = (trajectory.prompt.system, trajectory.prompt.question, trajectory.answer or "", trajectory.error or "")
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("the prompt, the answer or the error is no text")
    if trajectory.turns and trajectory.turns[0].same_message:
        raise ValueError("the first turn continues a message")
    images = len(trajectory.prompt_views)
    for turn, is_executed in zip(trajectory.turns, trajectory.executed, strict=True):
        if not (isinstance(turn.text, str) and isinstance(turn.observation, str)):
            raise TypeError(f"a turn's text is {turn.text!r}, its observation {turn.observation!r}")
        number = turn.action.image_number if is_executed and isinstance(turn.action, Operation) else None
        if number is not None and not 0 <= number < images:
            raise ValueError(f"an operation acts on image {number} of {images}, counted from 0")
        images += len(turn.views)
    return trajectory


def check_task(row: Mapping[str, Any], task: Task) -> None:
    """Raises TaskError, naming both, unless `row` is of the task: its id, question, right answers and grader."""
    if row["task_id"] != task.task_id:
        raise TaskError(f"the row is of the task {shortened(row['task_id'])}, not of {task.task_id!r}")
    if row["question"] != task.question or sorted(row["answers"]) != sorted(task.answers):
        raise TaskError(
            f"the task {task.task_id!r} has changed since it was played: it was "
            f"{_described(row['question'], row['answers'])}, and is {_described(task.question, task.answers)}. "
            "Restore the task set, or give another output_dir."
        )
    if row.get("grader", task.grader) != task.grader:  # rows of earlier releases name none
        raise TaskError(
            f"the task {task.task_id!r} was graded by {row['grader']!r}, and is graded by {task.grader!r} now. "
            "Restore the task set, or give another output_dir."
        )


def _described(question: str, answers: Sequence[str]) -> str:
    """A question with its right answers, shortened for a message; unprintable characters are escaped."""
    texts = [repr(question), repr(list(answers))]
    return " with ".join(text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 3]}..." for text in texts)


def _view(row: Mapping[str, Any], sources: Mapping[str, Source], depth: int = 0) -> View:
    if depth > _DEEPEST:
        raise ValueError(f"a view is made of more than {_DEEPEST} others")
    via = None if row["via"] is None else _view(row["via"], sources, depth + 1)
    steps = tuple(_step(step) for step in row.get("steps", ()))
    return View(_source(row["source"], sources), ViewKind(row["kind"]), Box(*row["box"]), via, steps)


def _step(row: Mapping[str, Any]) -> Step:
    if row["step"] == _CUT:
        if row.get("rounding", "outward") not in get_args(Rounding):
            raise ValueError(f"no rounding {row['rounding']!r}")
        return Cut(Box(*row["box"]), row.get("rounding", "outward"))
    if row["step"] == _MAGNIFIED:
        factor, most = row["factor"], row["max_pixels"]
        if not (is_number(factor) and 0 < factor < math.inf) or not (most is None or (type(most) is int and most > 0)):
            raise ValueError(f"a view is magnified by {factor!r} to at most {most!r} pixels")
        return Magnified(factor, most)
    step = _operation(row["step"], row)
    if not isinstance(step, ImageOperation):
        raise ConfigError(f"the operation {row['step']!r} cannot be a step of a view; register the one that was played")
    return step


def _operation(name: str, row: Mapping[str, Any]) -> Operation:
    if name not in OPERATIONS:
        known = ", ".join(OPERATIONS)
        raise ConfigError(
            f"the trajectory holds the operation {name!r}, which is not registered ({known}). If it is your own, give "
            "--operations module:Class, or import the module that registers it."
        )
    return OPERATIONS[name].from_row(row)


def _source(key: str, sources: Mapping[str, Source]) -> Source:
    if key in sources:
        return sources[key]
    if (original := key.removeprefix(BLANK_PREFIX)) != key and not original.startswith(BLANK_PREFIX):
        return BlankSource(_source(original, sources))
    if (frame := frame_with_key(key, sources)) is not None:
        return frame
    raise TaskError(
        f"the task has no image {shortened(key)}: its file has changed since it was played, or it is a video that was "
        "played by an earlier version, whose keys did not tell all films apart. Restore the file, or play the task "
        "again."
    )


def _turn(row: Mapping[str, Any], sources: Mapping[str, Source]) -> Turn:
    failure = row["failure"]
    return Turn(
        Unfinished(row["text"]) if row["unfinished"] else row["text"],
        _action(row["action"]),
        None if failure is None else Failure(FailureCode(failure["code"]), failure["message"]),
        row["observation"],
        tuple(_view(view, sources) for view in row["views"]),
        row.get("same_message", False),
    )


def _action(row: Mapping[str, Any]) -> Action:
    match row["kind"]:
        case "answer":
            return Answer(row["text"])
        case "text":
            return Text(row["text"])
        case "malformed":
            return Malformed(FailureCode(row["code"]), row["reason"])
        case name:
            return _operation(name, row)
