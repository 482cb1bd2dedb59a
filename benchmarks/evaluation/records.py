"""The folder of an evaluation: writes and reads one JSONL row per trajectory, the rows of shards, and the seconds.

Depends on rows, names of policies and task sets; independent of models. A row is that of the trajectory
(`pixel_env/store.py`) with `policy`, `sample` (null for the greedy rollout, else the number of the sampled one),
`unparsed` (whether the grader could not read the answer) and, where a protocol repeated the rollout because it had no
answer, `repeated`.
"""

import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.metrics.trajectories import is_unparsed
from agents.run_folder.configuration import FILE_NAME, read_configuration
from benchmarks.evaluation.recorded import (
    COUNT,
    NOTHING_OUTSIDE,
    Outside,
    evaluation_configuration,
    questions_of,
    recorded_budgets,
)
from benchmarks.evaluation.stored_rows import rows_in
from pixel_env.episode import Stop, Trajectory
from pixel_env.errors import ConfigError, PixelEnvError, TaskError, one_line
from pixel_env.store import TrajectoryStore, check_task, trajectory_of, write_rollout
from pixel_env.task import Task, TaskSet
from pixel_env.views import ViewBudgets

ROWS = "trajectories.jsonl"
SECONDS = "seconds.jsonl"
"""Wall seconds, by the number of episodes that were played in them.

Episodes are played concurrently, so a single episode has no duration of its own; the cost of one is the time of all
episodes of a policy divided by their number. An interrupted part leaves no row.
"""
SHARDS_OWN = ("shard", "output_dir")
"""Fields of the configuration in which a shard differs from the whole."""
SAMPLED = "sampled"
"""Name of the sampled rollouts among the policies."""

Key = tuple[str, str, int | None]
"""Policy, task id, number of the sample (None: greedy)."""


@dataclass(frozen=True, slots=True)
class Record:
    """A trajectory and the policy that played it; `repeated`: how often, where a protocol repeats episodes."""

    trajectory: Trajectory
    policy: str
    sample: int | None
    repeated: int = 0

    @property
    def key(self) -> Key:
        """What no two rows of an evaluation share."""
        return (self.policy, self.trajectory.task.task_id, self.sample)


def append(store: TrajectoryStore, record: Record) -> None:
    """Appends the record as one row."""
    marks: dict[str, Any] = {"unparsed": is_unparsed(record.trajectory)}
    marks |= {"repeated": record.repeated} if record.repeated else {}
    write_rollout(record.trajectory, store, policy=record.policy, sample=record.sample, **marks)


def keys_of(path: Path, task_set: TaskSet | None = None) -> set[Key]:
    """The keys of the finished rows: without failed episodes and without a truncated last line.

    With a `task_set`, checks that it still has every question as it was played. Raises ConfigError or TaskError.
    """
    rows = list(rows_in(path))
    if task_set is not None:
        check_questions(rows, task_set, path.parent)
    return {key_of(row) for row in rows if row["stop"] != Stop.FAILED}


def check_count(folder: Path, task_set: TaskSet, count: int | None) -> None:
    """Raises ConfigError if `count`, the number of first tasks, leaves out questions that `folder` holds answers to.

    A raised count is none of its business: the first tasks and their seeds stay the same.
    """
    recorded = read_configuration(folder).get(COUNT) if (folder / FILE_NAME).exists() else count
    is_raised = recorded is not None and count is not None and count > recorded
    if recorded == count or is_raised:
        return
    beyond = {row["task_id"] for row in rows_in(folder / ROWS)} - {task.task_id for task in task_set.tasks}
    if beyond:
        raise ConfigError(
            f"{folder} was started with --{COUNT} {recorded}, and holds answers to {len(beyond)} questions that "
            f"--{COUNT} {count} leaves out, such as {min(beyond)!r}. It may be raised, not lowered: give the same or a "
            "larger one, or another --output_dir. (None: all tasks of the set; leave the flag out.)"
        )


def check_questions(rows: Sequence[Mapping[str, Any]], task_set: TaskSet, folder: Path) -> None:
    """Raises ConfigError or TaskError, which names one, for rows of `folder` whose question the set does not have.

    Comparing ids is not enough: tasks without an id are numbered by line, and an added line shifts the numbers.
    """
    tasks = _tasks_of(rows, task_set, folder, task_set.name)
    for row in rows:
        try:
            check_task(row, tasks[row["task_id"]])
        except TaskError as error:
            raise TaskError(f"{folder / ROWS}: {error}") from error


def _tasks_of(rows: Iterable[Mapping[str, Any]], task_set: TaskSet, folder: Path, name: str) -> dict[str, Task]:
    """The tasks of the rows by id, in the order of the set; `name` is the set's name in errors."""
    wanted = {row["task_id"] for row in rows}
    if not wanted:
        return {}
    tasks: dict[str, Task] = {}
    for task in task_set.tasks:
        if task.task_id in wanted:
            tasks[task.task_id] = task
        if len(tasks) == len(wanted):
            break
    if gone := sorted(wanted - tasks.keys()):
        raise ConfigError(
            f"{folder} holds answers to {len(gone)} questions that {name} no longer has, the first: "
            f"{gone[0]!r}. Restore the set (pixel-env data check lists what is missing), or evaluate again into "
            "another --output_dir."
        )
    return tasks


def key_of(row: Mapping[str, Any]) -> Key:
    """What no two rows of an evaluation share."""
    return (row["policy"], row["task_id"], row["sample"])


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The records of one evaluation, in the order of its tasks."""

    task_set: TaskSet
    budgets: ViewBudgets
    records: Sequence[Record]

    def of(self, policy: str, *, sampled: bool = False, category: str | None = None) -> list[Trajectory]:
        """The greedy (or sampled) trajectories of a policy, of all categories or one."""
        return [
            record.trajectory
            for record in self.records
            if record.policy == policy
            and (record.sample is not None) == sampled
            and category in (None, record.trajectory.task.category)
        ]

    @property
    def trajectories(self) -> list[Trajectory]:
        """Those of all records."""
        return [record.trajectory for record in self.records]

    @property
    def policies(self) -> list[str]:
        """The policies with greedy trajectories, in the order in which they were played."""
        return list(dict.fromkeys(record.policy for record in self.records if record.sample is None))

    @property
    def categories(self) -> list[str]:
        """The categories of the tasks, in their order."""
        return list(dict.fromkeys(record.trajectory.task.category for record in self.records))


def read_evaluation(folder: Path, outside: Outside = NOTHING_OUTSIDE) -> Evaluation:
    """The evaluation that `pixel-env eval` wrote into `folder`, its questions loaded as it loaded them.

    `outside`: where pictures may lie besides the folder of the task set. Raises ConfigError if there is none, or
    PixelEnvError for a broken one; the message names the file.
    """
    config = evaluation_configuration(folder)
    task_set = questions_of(folder, config, outside)
    budgets = recorded_budgets(folder, config, task_set)
    return evaluation_in(folder, task_set, budgets, config["policies"], config["tasks"])


def evaluation_in(
    folder: Path, task_set: TaskSet, budgets: ViewBudgets, policies: Sequence[str], name: str = ""
) -> Evaluation:
    """The rows of `folder` as records of `task_set`, in the order of `policies`; other policies follow.

    `name`: the name of the set in errors; "": the set's own name.
    """
    rows = list({key_of(row): row for row in rows_in(folder / ROWS)}.values())  # a repeated episode counts once
    tasks = _tasks_of(rows, task_set, folder, name or task_set.name)
    try:
        records = [
            Record(trajectory_of(row, tasks[row["task_id"]]), row["policy"], row["sample"], row.get("repeated", 0))
            for row in rows
        ]
    except PixelEnvError as error:
        raise type(error)(f"{folder / ROWS}: {error}") from error
    positions = {task_id: position for position, task_id in enumerate(tasks)}
    # --ablate adds policies to the configured ones.
    names = dict.fromkeys([*policies, *(record.policy for record in records if record.sample is None)])
    order = {policy: position for position, policy in enumerate(names)}
    records.sort(
        key=lambda record: (
            order.get(record.policy, 0),
            -1 if record.sample is None else record.sample,
            positions[record.trajectory.task.task_id],
        )
    )
    return Evaluation(task_set, budgets, records)


# ------------------------------------------------------------------------------------------------------- shards


def take_over(files: Sequence[Path], store: TrajectoryStore, done: set[Key], task_set: TaskSet) -> None:
    """Appends the finished rows of the shards' `files` that `done` lacks, and adds their keys to it.

    Raises ConfigError or TaskError as `check_questions` does for a shard of other questions; nothing is appended then.
    """
    for file in files:
        _check_shard(file, task_set)
    for file in files:
        for row in rows_in(file):
            key = key_of(row)
            if row["stop"] != Stop.FAILED and key not in done:
                store.append(row)
                done.add(key)


def _check_shard(file: Path, task_set: TaskSet) -> None:
    try:
        keys_of(file, task_set)
    except TaskError as error:
        raise TaskError(f"The shard in {file.parent} belongs to another task set: {error}") from error


# ------------------------------------------------------------------------------------------------------- seconds


@contextmanager
def timed(folder: Path, name: str, answers: int, *, clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Adds a row with the wall seconds of the block, in which `answers` are played under `name`, unless it raises."""
    start = clock()
    yield
    if answers:
        row = {"name": name, "answers": answers, "seconds": round(clock() - start, 3)}
        with (folder / SECONDS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def seconds_per_answer(folder: Path) -> dict[str, float]:
    """Seconds per answer by policy, over the folder and its shards. Raises ConfigError for a broken file."""
    totals: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for file in (folder / SECONDS, *sorted(folder.glob(f"shard-*/{SECONDS}"))):
        for name, seconds, answers in _seconds_in(file) if file.exists() else ():
            totals[name][0] += seconds
            totals[name][1] += answers
    return {name: seconds / answers for name, (seconds, answers) in totals.items()}


def _seconds_in(file: Path) -> Iterator[tuple[str, float, int]]:
    try:
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.endswith("}"):  # an interrupted run may have truncated the last line
                row = json.loads(line)
                seconds, answers = float(row["seconds"]), int(row["answers"])
                if not (0 <= seconds < math.inf and answers > 0):
                    raise ValueError(f"{answers} answers in {seconds} seconds")
                yield str(row["name"]), seconds, answers
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ConfigError(
            f"{file} cannot be read ({type(error).__name__}: {one_line(error)}). Delete it: only the timings are lost."
        ) from error
