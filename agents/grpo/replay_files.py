"""The replay buffer as a file of a checkpoint: tensors and JSON in one safetensors file, so that reading runs no code.

The metadata hold one JSON text: of each kept row its advantage, its step and its trajectory as stored episodes have it
(`pixel_env/store.py`). Tensors are named "ROW/COLUMN": the row's columns, and the rollout's log-probabilities in
float64, so that a row comes back bit for bit. Pictures are not in the file: tasks are found by id in the run's own task
set, and views refer to their sources. Depends on stored episodes and safetensors; independent of TRL and of drawing.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from agents.grpo.replay_buffer import Kept
from agents.grpo.replay_rows import LEFT, RIGHT, Row
from agents.rollout import Rollout
from pixel_env.errors import ConfigError, PixelEnvError, one_line
from pixel_env.operations.arguments import is_number
from pixel_env.store import row_of, trajectory_of
from pixel_env.task import Task, TaskSet

VERSION = 1
"""The version of the file. One of another version is refused."""
_EARLIER = ".pkl"
_LOGPROBS = "rollout_logprobs"
_OF_A_SEQUENCE = "importance_sampling_ratio"
"""The column that may have one value for a whole sequence."""
_INTEGERS = (torch.int64, torch.int32)


def replay_file(checkpoint: str, process: int) -> Path:
    """The file of the buffer of process number `process`."""
    return Path(checkpoint) / f"replay_{process}.safetensors"


def write_kept(file: Path, kept: Sequence[Kept[Row]]) -> None:
    """Writes the rows, the oldest first, atomically; `read_kept` is the inverse."""
    tensors: dict[str, torch.Tensor] = {}
    for number, one in enumerate(kept):
        columns = {**one.sample.columns, _LOGPROBS: torch.tensor(one.sample.rollout.logprobs, dtype=torch.float64)}
        tensors |= {f"{number}/{name}": values.contiguous() for name, values in columns.items()}
    # ASCII: a trajectory may hold lone surrogates, which metadata cannot.
    text = json.dumps({"version": VERSION, "rows": [_row_of(one) for one in kept]})
    partial = file.with_suffix(".partial")
    save_file(tensors, partial, metadata={"replay": text})
    partial.replace(file)


def read_kept(file: Path, task_set: TaskSet) -> list[Kept[Row]]:
    """The rows that `write_kept` wrote; their tasks are those of `task_set`.

    Raises ConfigError, which names the file, if it is missing, a pickle of an earlier release (never read), broken, or
    of questions that the set no longer has.
    """
    _check_is_there(file)
    try:
        with safe_open(file, framework="pt") as opened:
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (it is no mapping)
            stored = json.loads((opened.metadata() or {})["replay"])
        if stored["version"] != VERSION:
            raise ValueError(f"it is of version {stored['version']}, and this release reads version {VERSION}")
        tasks = _tasks_of([row["trajectory"]["task_id"] for row in stored["rows"]], task_set, file)
        return [_kept(row, number, tensors, tasks) for number, row in enumerate(stored["rows"])]
    except PixelEnvError as error:
        raise ConfigError(f"{file}: {error}") from error
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ConfigError(
            f"{file} cannot be read ({type(error).__name__}: {one_line(error)}). Resume from another checkpoint."
        ) from error


def _check_is_there(file: Path) -> None:
    if file.is_file():
        return
    earlier = file.with_suffix(_EARLIER)
    if earlier.exists():
        raise ConfigError(
            f"{earlier} is a pickle of an earlier release. Reading one can run any code, so it is not read. Finish the "
            "run with the release that wrote it, or resume without replay: --replay_capacity 0 and another "
            "--output_dir."
        )
    raise ConfigError(
        f"{file} is missing: this checkpoint was made without replay, or with another number of processes. "
        "Resume with the same settings, or set replay_capacity to 0."
    )


def _row_of(kept: Kept[Row]) -> dict[str, Any]:
    rollout = kept.sample.rollout
    return {
        "advantage": kept.advantage,
        "step": kept.step,
        "index": rollout.index,
        "sampled": "".join(str(int(sampled)) for sampled in rollout.sampled),
        "views": len(rollout.views),
        "video_frames": rollout.video_frames,
        "columns": list(kept.sample.columns),
        "trajectory": row_of(rollout.trajectory),
    }


def _tasks_of(wanted: Sequence[str], task_set: TaskSet, file: Path) -> dict[str, Task]:
    """The tasks by id; a lazy set is read only as far as needed."""
    missing, found = set(wanted), {}
    for task in task_set.tasks if missing else ():
        if task.task_id in missing:
            found[task.task_id] = task
            missing.remove(task.task_id)
            if not missing:
                break
    if missing:
        raise ConfigError(
            f"it holds rollouts of {len(missing)} tasks that {task_set.name} no longer has, such as {min(missing)!r}. "
            "Restore the task set, or resume from a checkpoint that was made with it."
        )
    return found


def _kept(row: Mapping[str, Any], number: int, tensors: Mapping[str, torch.Tensor], tasks: Mapping[str, Task]) -> Any:
    columns = {name: tensors[f"{number}/{name}"] for name in row["columns"]}
    logprobs = tensors[f"{number}/{_LOGPROBS}"]
    _check_row(row, columns, logprobs)
    trajectory = trajectory_of(row["trajectory"], tasks[row["trajectory"]["task_id"]])
    if not 0 <= row["video_frames"] <= row["views"] <= len(trajectory.views):
        raise ValueError(f"row {number} shows {row['views']} of {len(trajectory.views)} images")
    rollout = Rollout(
        trajectory=trajectory,
        prompt_ids=tuple(columns["prompt_ids"].tolist()),
        completion_ids=tuple(columns["completion_ids"].tolist()),
        sampled=tuple(sign == "1" for sign in row["sampled"]),
        logprobs=tuple(logprobs.tolist()),
        index=row["index"],
        views=trajectory.views[: row["views"]],
        video_frames=row["video_frames"],
    )
    return Kept(Row(rollout, columns), float(row["advantage"]), row["step"])


def _check_row(row: Mapping[str, Any], columns: Mapping[str, torch.Tensor], logprobs: torch.Tensor) -> None:
    """Raises TypeError or ValueError for a row that could not be put into a batch."""
    numbers = [row[name] for name in ("step", "index", "views", "video_frames")]
    if not all(type(number) is int for number in numbers) or not is_number(row["advantage"]):
        raise TypeError("a step, an index, a count or an advantage is no number")
    if unknown := set(columns) - {*LEFT, *RIGHT}:
        raise ValueError(f"columns {sorted(unknown)} are unknown")
    prompt, completion = len(columns["prompt_ids"]), len(columns["completion_ids"])
    for name, values in (*columns.items(), (_LOGPROBS, logprobs)):
        lengths = {prompt} if name in LEFT else {completion, 1} if name == _OF_A_SEQUENCE else {completion}
        if values.dim() != 1 or len(values) not in lengths:
            raise ValueError(f"{name} has the shape {tuple(values.shape)}")
        if name in ("prompt_ids", "completion_ids") and (values.dtype not in _INTEGERS or (values < 0).any()):
            raise ValueError(f"{name} are no token ids")
    if len(row["sampled"]) != completion or not prompt:
        raise ValueError(f"{len(row['sampled'])} marks of sampled tokens for {completion} tokens")
