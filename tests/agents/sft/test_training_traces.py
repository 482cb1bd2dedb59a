from dataclasses import replace

import numpy as np
import pytest

from agents.sft.evaluation import mistakes_of
from agents.sft.training_traces import TraceArguments, load_training_traces, of_tasks, split_off
from agents.traces.folder import write_trace_folder
from agents.traces.trace import Trace, TraceTurn
from pixel_env.cli import main as command
from pixel_env.dialects.dialect import view_budgets
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import ConfigError, TaskError
from pixel_env.tasks import load_tasks
from synth.warm_starts.templates import recrop_once, single_pass

TINY = dialect_named("tiny")
SMALL = view_budgets(*[(32 * 32, 64 * 64)] * 4, factor=16)
LARGE = view_budgets(*[(32 * 32, 96 * 96)] * 4, factor=16)


@pytest.fixture(scope="module")
def tasks():
    return load_tasks("sample:vstar-tiny", split="train", count=20)


def ids(traces):
    return [trace.task.task_id for trace in traces]


def written(folder, tasks, budgets=None):
    """A folder with two traces of each task."""
    traces = [
        template(task, TINY, np.random.default_rng(0))
        for task in tasks.tasks
        for template in (recrop_once, single_pass)
    ]
    write_trace_folder(folder, traces, replace(tasks, budgets=budgets or tasks.budgets), None)
    return str(folder)


def test_all_traces_of_a_tenth_of_the_tasks_are_held_out_at_most(tasks):
    traces = [Trace(task, (TraceTurn(text),)) for text in "ab" for task in tasks.tasks]
    train, kept = split_off(traces, 64, np.random.default_rng(0))
    assert len(kept) == 4 and len(train) == 36
    assert set(ids(kept)).isdisjoint(ids(train))
    assert len(split_off(traces, 1, np.random.default_rng(0))[1]) == 2
    assert split_off(traces, 0, np.random.default_rng(0)) == (traces, [])
    assert split_off(traces, 64, np.random.default_rng(0)) == (train, kept)


# -------------------------------------------------------------------------------------------------------- functions


def test_a_function_is_held_out_on_the_test_split_and_never_on_what_is_learned(tasks):
    arguments = TraceArguments(traces="synth.warm_starts.templates:single_pass_traces", task_count=16, held_out=3)
    found = load_training_traces(arguments, TINY, seed=0)
    assert (len(found.train), len(found.held_out)) == (16, 3)
    assert set(ids(found.train)).isdisjoint(ids(found.held_out))
    assert of_tasks(found.train, 3, frozenset(ids(found.held_out))) == []
    arguments.held_out = 0
    assert load_training_traces(arguments, TINY, seed=0).held_out == ()


@pytest.mark.parametrize("function", ["clumsy_warm_start", "single_pass_warm_start", "self_correction_warm_start"])
def test_lessons_that_a_warm_start_mixes_in_are_never_held_out(function):
    arguments = TraceArguments(traces=f"synth.warm_starts.generator:{function}", task_count=16, held_out=32)
    held_out = load_training_traces(arguments, TINY, seed=0).held_out
    assert len(held_out) == 32 and all(name.startswith("vstar-tiny/test/") for name in ids(held_out))
    assert bool([trace for trace in held_out if mistakes_of(trace)]) == (function == "self_correction_warm_start")


def test_a_function_may_be_held_out_on_a_folder_with_the_folders_own_budgets(tasks, tmp_path):
    other = written(tmp_path / "other", load_tasks("sample:vstar-tiny", split="test", count=4), LARGE)
    arguments = TraceArguments(
        traces="synth.warm_starts.templates:single_pass_traces", task_count=4, held_out=3, held_out_traces=other
    )
    found = load_training_traces(arguments, TINY, seed=0)
    assert found.held_out_set.budgets == LARGE != found.task_set.budgets
    assert len(set(ids(found.held_out))) == 3 and all("/test/" in name for name in ids(found.held_out))


# ---------------------------------------------------------------------------------------------------------- folders


def test_held_out_traces_come_from_their_folder_with_its_budgets_one_of_each_task(tasks, tmp_path):
    train = written(tmp_path / "train", tasks, SMALL)
    other = written(tmp_path / "other", load_tasks("sample:vstar-tiny", split="test", count=6), LARGE)
    found = load_training_traces(TraceArguments(traces=train, held_out_traces=other, held_out=5), TINY, seed=0)
    assert (found.task_set.budgets, found.held_out_set.budgets, found.overlap) == (SMALL, LARGE, 0)
    assert len(found.train) == 40 and len(found.held_out) == 5 == len(set(ids(found.held_out)))
    assert all("/test/" in name for name in ids(found.held_out))
    alone = load_training_traces(TraceArguments(traces=train), TINY, seed=0)
    assert alone.held_out_set.budgets == SMALL and len(alone.held_out) == 4


def test_held_out_tasks_that_are_learned_from_are_left_out_and_counted_and_all_of_them_are_refused(tasks, tmp_path):
    train = written(tmp_path / "train", tasks)
    test = load_tasks("sample:vstar-tiny", split="test", count=2)
    both = written(tmp_path / "both", replace(tasks, tasks=[*tasks.tasks, *test.tasks]))
    found = load_training_traces(TraceArguments(traces=train, held_out_traces=both, held_out=2), TINY, seed=0)
    assert ids(found.held_out) == [task.task_id for task in test.tasks] and found.overlap == 20
    with pytest.raises(ConfigError, match=r"All 20 tasks of held_out_traces .* are also trained\. Give"):
        load_training_traces(TraceArguments(traces=train, held_out_traces=train, held_out=2), TINY, seed=0)


def test_another_question_under_the_same_id_is_another_task(tasks, tmp_path):
    train = written(tmp_path / "train", tasks)
    renamed = [replace(task, question=f"Say it: {task.question}") for task in tasks.tasks[:3]]
    other = written(tmp_path / "other", replace(tasks, tasks=renamed))
    found = load_training_traces(TraceArguments(traces=train, held_out_traces=other), TINY, seed=0)
    assert len(found.held_out) == 3 and found.overlap == 0


def test_of_a_folder_too_so_many_tasks_are_used_as_asked_for(tasks, tmp_path):
    train = written(tmp_path / "train", tasks)
    found = load_training_traces(TraceArguments(traces=train, task_count=5, held_out=0), TINY, seed=0)
    assert ids(found.train) == [task.task_id for task in tasks.tasks[:5] for _ in range(2)]


def test_a_folder_with_a_colon_in_its_name_is_a_folder(tasks, tmp_path, monkeypatch):
    written(tmp_path / "2026-11-22T10:00", tasks)
    monkeypatch.chdir(tmp_path)
    for name in ("2026-11-22T10:00", str(tmp_path / "2026-11-22T10:00")):
        assert len(load_training_traces(TraceArguments(traces=name, held_out=0), TINY, seed=0).train) == 40
    with pytest.raises(TaskError, match=r"There are no traces at /none/2026:10\. Give a folder"):
        load_training_traces(TraceArguments(traces="/none/2026:10"), TINY, seed=0)


@pytest.mark.parametrize("text", ['{"dialect": ', "[]"])
def test_a_broken_configuration_beside_the_traces_is_told_of_by_its_path(tasks, tmp_path, text):
    train = written(tmp_path / "train", tasks)
    (tmp_path / "train" / "configuration.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"train/configuration\.json cannot be read"):
        load_training_traces(TraceArguments(traces=train), TINY, seed=0)


@pytest.mark.parametrize(
    ("flag", "shown", "value", "bound"),
    [("held_out", "held_out", -3, "at least 0"), ("task_count", "limit", 0, "at least 1")],
)
def test_a_number_of_tasks_that_makes_no_sense_is_refused_with_the_way_out(tmp_path, capsys, flag, shown, value, bound):
    assert command(["sft", "--model_name_or_path", "tiny-base", "--use_cpu", "true", f"--{flag}", str(value)]) == 2
    error = capsys.readouterr().err
    assert f"--{shown}: got '{value}'; wanted: a whole number, {bound}" in error
