"""The traces that `pixel-env sft` trains on, and the held-out ones that it evaluates afterwards.

Depends on the sources of traces (a folder that `pixel-env synth` wrote, a JSONL file, or a function); independent of
models and of how a trace is made.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from agents.config.default_tasks import SAMPLE, given_or_sample
from agents.config.training_command import check_fields
from agents.traces.folder import check_dialect, read_trace_folder
from agents.traces.trace import Trace, read_traces
from pixel_env.command_line.values import AtLeastOne, AtLeastZero
from pixel_env.dialects.dialect import Dialect
from pixel_env.errors import ConfigError, TaskError
from pixel_env.import_callable import imported_callable
from pixel_env.task import Task, TaskSet
from pixel_env.tasks import Split, load_tasks, media_access

TraceMaker = Callable[[TaskSet, Dialect, int], Sequence[Trace]]
"""Task set, dialect and seed -> traces: the type of the function that `traces='module:function'` names."""

SAMPLE_TRACES = "synth.warm_starts.templates:single_pass_traces"
"""The traces of an embedded model, where none are given."""
MOST_HELD_OUT = 0.1
"""Largest share of the tasks that is held out from training."""
_SEARCHED_PER_TASK = 16
"""A function's traces that are searched for each held-out task: some are about other tasks."""


@dataclass
class TraceArguments:
    """The traces of a training."""

    traces: str | None = field(
        default=None,
        metadata={
            "help": "demonstrations (traces): a folder that pixel-env synth wrote, a JSONL file, or 'module:function', "
            f"called with (task set, dialect, seed); an embedded model has the default {SAMPLE_TRACES}"
        },
    )
    tasks: str | None = field(
        default=None,
        metadata={
            "help": "task set of a file or a function of traces: a sample set, a path or a hub id (docs/tasks.md); a "
            f"folder of traces has its own, and an embedded model the default {SAMPLE}"
        },
    )
    task_count: AtLeastOne | None = field(
        default=None, metadata={"help": "use only so many tasks of the set, or of the folder of traces"}
    )
    follow_links: bool = field(
        default=False, metadata={"help": "links in the folder of the task set may lead out of it (docs/tasks.md)"}
    )
    media_root: str | None = field(
        default=None, metadata={"help": "folder in which rows of the task set name images, besides its own folder"}
    )
    held_out: AtLeastZero = field(
        default=64,
        metadata={
            "help": "tasks that are held out from training and evaluated after it, at most a tenth of all; 0: no "
            "evaluation"
        },
    )
    held_out_traces: str | None = field(
        default=None,
        metadata={
            "help": "a folder of traces to hold out instead, of another split or other seed data; tasks that are also "
            "trained are left out"
        },
    )

    def __post_init__(self) -> None:
        check_fields(self, [TraceArguments])

    def settle(self, model: str) -> None:
        """Sets the defaults of an embedded model. Raises ConfigError for another model with no traces, or no tasks."""
        self.traces = given_or_sample(self.traces, "traces", model, SAMPLE_TRACES)
        if folder_of_traces(self.traces) is None:  # a folder brings its own tasks
            self.tasks = given_or_sample(self.tasks, "tasks", model)


@dataclass(frozen=True, slots=True)
class TrainingTraces:
    """`train` is trained on; `held_out` has none of its tasks. Each is played with the budgets of its own set.

    `overlap`: tasks of `held_out_traces` that were left out because they are trained on.
    """

    task_set: TaskSet
    train: Sequence[Trace]
    held_out_set: TaskSet
    held_out: Sequence[Trace]
    overlap: int = 0


def load_training_traces(arguments: TraceArguments, dialect: Dialect, seed: int) -> TrainingTraces:
    """The traces that `arguments` name. Raises TaskError or ConfigError for traces that cannot be used."""
    assert arguments.traces is not None, "`settle` sets it"
    if _is_function(arguments.traces):
        return _made(arguments, dialect, seed)
    task_set, traces = _read(arguments.traces, arguments, dialect)
    if arguments.task_count is not None:
        traces = of_first_tasks(traces, arguments.task_count)
    if arguments.held_out_traces is not None:
        return _held_out_folder(arguments, dialect, task_set, traces, [trace.task for trace in traces])
    train, held_out = split_off(traces, arguments.held_out, np.random.default_rng(seed))
    return TrainingTraces(task_set, train, task_set, held_out)


def folder_of_traces(spec: str) -> Path | None:
    """The folder that the field `traces` names; None for a file and for a function."""
    return Path(spec) if not _is_function(spec) and Path(spec).is_dir() else None


def of_first_tasks(traces: Sequence[Trace], count: int) -> list[Trace]:
    """All traces of the first `count` tasks."""
    chosen = set(list(dict.fromkeys(trace.task.task_id for trace in traces))[:count])
    return [trace for trace in traces if trace.task.task_id in chosen]


def split_off(traces: Sequence[Trace], count: int, rng: np.random.Generator) -> tuple[list[Trace], list[Trace]]:
    """Traces to train on, and those of `count` randomly drawn tasks (at most a tenth of all) to hold out."""
    tasks = list(dict.fromkeys(trace.task.task_id for trace in traces))
    count = min(count, int(len(tasks) * MOST_HELD_OUT))
    chosen = {tasks[int(index)] for index in rng.permutation(len(tasks))[:count]}
    train = [trace for trace in traces if trace.task.task_id not in chosen]
    return train, [trace for trace in traces if trace.task.task_id in chosen]


def of_tasks(traces: Iterable[Trace], count: int, wanted: Collection[str]) -> list[Trace]:
    """The first trace of each of `count` tasks whose ids are `wanted`."""
    chosen: dict[str, Trace] = {}
    for trace in traces:
        if len(chosen) == count:
            break
        if trace.task.task_id in wanted:
            chosen.setdefault(trace.task.task_id, trace)
    return list(chosen.values())


def _is_function(spec: str) -> bool:
    """Whether `spec` is 'module:function'; a path may contain a colon too."""
    return ":" in spec and "/" not in spec and not Path(spec).exists()


def _held_out_folder(
    arguments: TraceArguments, dialect: Dialect, task_set: TaskSet, train: Sequence[Trace], learned: Sequence[Task]
) -> TrainingTraces:
    """The training traces with held-out traces of another folder, without those of `learned` tasks."""
    assert arguments.held_out_traces is not None, "the caller checked it"
    held_out_set, traces = _read(arguments.held_out_traces, arguments, dialect)
    # Two folders may use one id for different tasks, so the question is compared too.
    known = {(task.task_id, task.question) for task in learned}
    questions = {trace.task.task_id: trace.task.question for trace in traces}
    others = [task_id for task_id, question in questions.items() if (task_id, question) not in known]
    if arguments.held_out and not others:
        raise ConfigError(
            f"All {len(questions)} tasks of held_out_traces {arguments.held_out_traces} are also trained. Give "
            "traces of another split or of other seed data, or leave held_out_traces out."
        )
    chosen = of_tasks(traces, arguments.held_out, frozenset(others))
    return TrainingTraces(task_set, train, held_out_set, chosen, len(questions) - len(others))


def _read(spec: str, arguments: TraceArguments, dialect: Dialect) -> tuple[TaskSet, list[Trace]]:
    path = Path(spec)
    if path.is_dir():
        check_dialect(path, dialect)
        return read_trace_folder(path, media_access(arguments.media_root, follow_links=arguments.follow_links))
    if not path.is_file():
        raise TaskError(
            f"There are no traces at {path}. Give a folder that pixel-env synth wrote, a JSONL file of traces, or "
            "'module:function'."
        )
    task_set = _tasks(arguments, "train", arguments.task_count)
    return task_set, read_traces(path, task_set)


def _tasks(arguments: TraceArguments, split: Split, count: int | None) -> TaskSet:
    return load_tasks(
        arguments.tasks or SAMPLE,
        split=split,
        count=count,
        follow_links=arguments.follow_links,
        media_root=arguments.media_root,
    )


def _made(arguments: TraceArguments, dialect: Dialect, seed: int) -> TrainingTraces:
    assert arguments.traces is not None, "`settle` sets it"
    make: TraceMaker = imported_callable(arguments.traces, "traces function")
    task_set = _tasks(arguments, "train", arguments.task_count)
    train = make(task_set, dialect, seed)
    if not arguments.held_out:
        return TrainingTraces(task_set, train, task_set, ())
    if arguments.held_out_traces is not None:
        return _held_out_folder(arguments, dialect, task_set, train, task_set.tasks)
    test_set = _tasks(arguments, "test", arguments.held_out)
    # A set of one split is the same under both names: a trained task is never held out, nor is a trace that a function
    # adds about no task of the set.
    known = frozenset(task.task_id for task in task_set.tasks)
    wanted = frozenset(task.task_id for task in test_set.tasks) - known
    made = islice(make(test_set, dialect, seed), _SEARCHED_PER_TASK * arguments.held_out)
    return TrainingTraces(task_set, train, test_set, of_tasks(made, arguments.held_out, wanted))
