"""What `pixel-env sft` learns from, and what it keeps out to be played afterwards.

Knows where traces come from: a folder that `pixel-env synth` wrote, a JSONL file, or a function. Knows nothing of
models or of how a trace is made.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from agents.run_folder import FILE_NAME as CONFIGURATION
from agents.trace_folder import read_trace_folder
from agents.traces import Trace, read_traces
from pixel_env.dialects import Dialect
from pixel_env.errors import ConfigError
from pixel_env.own_function import own_function
from pixel_env.tasks import load_tasks
from pixel_env.types import TaskSet

TraceMaker = Callable[[TaskSet, Dialect, int], Sequence[Trace]]
"""Task set, dialect and seed -> traces: what `traces='module:function'` names."""

MOST_HELD_OUT = 0.1
"""Share of the tasks that is kept out of training at most."""
_LOOKED_THROUGH = 8
"""A function's traces that are looked through for each held-out task: some are about other things."""


@dataclass
class TraceArguments:
    """What is learned from."""

    tasks: str = field(
        default="sample:vstar-tiny",
        metadata={
            "help": "Task set of the traces: a sample set, a path or a hub id (docs/tasks.md). A folder has its own."
        },
    )
    traces: str = field(
        default="synth.templates:single_pass_traces",
        metadata={
            "help": "A folder that pixel-env synth wrote, a JSONL file of traces, or 'module:function' called with "
            "(task set, dialect, seed)."
        },
    )
    task_count: int | None = field(default=None, metadata={"help": "Use so many tasks of the set (default: all)."})
    held_out: int = field(
        default=64,
        metadata={
            "help": "Tasks that are kept out of training and played after it, a tenth of all at most; 0: no evaluation."
        },
    )
    held_out_traces: str | None = field(
        default=None, metadata={"help": "A folder of traces to hold out instead, of another split or other seeds."}
    )


@dataclass(frozen=True, slots=True)
class TrainingTraces:
    """`train` is learned from; `held_out` is about none of its tasks. `task_set` gives the pixel budgets."""

    task_set: TaskSet
    train: Sequence[Trace]
    held_out: Sequence[Trace]


def load_training_traces(arguments: TraceArguments, dialect: Dialect, seed: int) -> TrainingTraces:
    """The traces that `arguments` name. Raises TaskError for what cannot be read."""
    if ":" in arguments.traces:
        return _made(arguments, dialect, seed)
    task_set, traces = _read(arguments.traces, arguments, dialect)
    if arguments.held_out_traces is not None:
        _, held_out = _read(arguments.held_out_traces, arguments, dialect)
        return TrainingTraces(task_set, traces, of_tasks(held_out, arguments.held_out, frozenset()))
    train, held_out = apart(traces, arguments.held_out, np.random.default_rng(seed))
    return TrainingTraces(task_set, train, held_out)


def apart(traces: Sequence[Trace], count: int, rng: np.random.Generator) -> tuple[list[Trace], list[Trace]]:
    """Traces to learn from, and those of `count` tasks, of a tenth of all at most, that are drawn to be held out."""
    tasks = list(dict.fromkeys(trace.task.task_id for trace in traces))
    count = min(count, int(len(tasks) * MOST_HELD_OUT))
    chosen = {tasks[int(place)] for place in rng.permutation(len(tasks))[:count]}
    train = [trace for trace in traces if trace.task.task_id not in chosen]
    return train, [trace for trace in traces if trace.task.task_id in chosen]


def of_tasks(traces: Sequence[Trace], count: int, known: frozenset[str]) -> list[Trace]:
    """The first trace of each of `count` tasks that are not among the `known` ids."""
    found: dict[str, Trace] = {}
    for trace in islice(traces, _LOOKED_THROUGH * count):
        if len(found) == count:
            break
        if trace.task.task_id not in known:
            found.setdefault(trace.task.task_id, trace)
    return list(found.values())


def _read(spec: str, arguments: TraceArguments, dialect: Dialect) -> tuple[TaskSet, list[Trace]]:
    path = Path(spec)
    if path.is_dir():
        _check_dialect(path / CONFIGURATION, dialect)
        return read_trace_folder(path)
    task_set = load_tasks(arguments.tasks, split="train", count=arguments.task_count)
    return task_set, read_traces(path, task_set)


def _check_dialect(configuration: Path, dialect: Dialect) -> None:
    """Traces say their calls in one format; variants of a dialect (after a colon) share it."""
    if not configuration.is_file():
        return
    made = str(json.loads(configuration.read_text(encoding="utf-8")).get("dialect", dialect.name))
    if made.partition(":")[0] != dialect.name.partition(":")[0]:
        raise ConfigError(
            f"The traces in {configuration.parent} were made in the dialect {made!r}, and {dialect.name!r} is to be "
            f"learned. Give --dialect {made}, or make them anew."
        )


def _made(arguments: TraceArguments, dialect: Dialect, seed: int) -> TrainingTraces:
    make: TraceMaker = own_function(arguments.traces, "traces function")
    task_set = load_tasks(arguments.tasks, split="train", count=arguments.task_count)
    train = make(task_set, dialect, seed)
    if not arguments.held_out:
        return TrainingTraces(task_set, train, ())
    if arguments.held_out_traces is not None:
        _, held_out = _read(arguments.held_out_traces, arguments, dialect)
        return TrainingTraces(task_set, train, of_tasks(held_out, arguments.held_out, frozenset()))
    test_set = load_tasks(arguments.tasks, split="test", count=arguments.held_out)
    # A set of one split is the same under both names: what is learned from is never held out.
    known = frozenset(task.task_id for task in task_set.tasks)
    return TrainingTraces(task_set, train, of_tasks(make(test_set, dialect, seed), arguments.held_out, known))
