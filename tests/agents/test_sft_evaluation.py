import json
from dataclasses import replace

import numpy as np
import pytest

from agents.engines.scripted import PlainChat, ScriptedEngine
from agents.rollout import EpisodeSettings
from agents.sft_evaluation import figures, mistakes_of, play_held_out, table, write_sft_summary
from agents.traces import Mistake, Trace, TraceTurn
from agents.training_traces import TraceArguments, apart, load_training_traces, of_tasks
from pixel_env.dialects import dialect_named
from pixel_env.tasks import load_tasks
from pixel_env.types import Limits
from synth.templates import recrop_once, single_pass

TINY = dialect_named("tiny")


@pytest.fixture(scope="module")
def tasks():
    return load_tasks("sample:vstar-tiny", split="train", count=20)


@pytest.fixture(scope="module")
def held_out(tasks):
    hard = [task for task in tasks.tasks if task.needs_looking][:4]
    asked = [replace(task, question=f"{task.question} ({place})") for place, task in enumerate(hard)]
    templates = (single_pass, recrop_once, recrop_once, single_pass)
    return [template(task, TINY, np.random.default_rng(0)) for template, task in zip(templates, asked, strict=True)]


@pytest.fixture(scope="module")
def played(held_out, tasks):
    """By a model that looks by itself in the first task alone, and after a forced wrong look in the second alone."""
    looks = {(trace.task.question, images): trace.turns[-2].text for images, trace in enumerate(held_out[:2], 1)}
    answers = {(trace.task.question, images + 1): trace.turns[-1].text for images, trace in enumerate(held_out[:2], 1)}

    def say(conversation):
        images = len(conversation.request.images)
        said = [
            text
            for (question, count), text in (looks | answers).items()
            if question in conversation.text and images == count
        ]
        return said[0] if said else "<answer>wrong"

    chat = PlainChat(TINY)
    settings = EpisodeSettings(TINY, Limits(max_turns=4), tasks.budgets)
    return play_held_out(held_out, ScriptedEngine(say, chat), chat, settings)


def test_each_task_is_played_once_and_corrections_again_after_their_mistakes(played, held_out):
    assert [one.task.task_id for one in played.free] == [trace.task.task_id for trace in held_out]
    assert [one.trajectory.task.task_id for one in played.forced] == [trace.task.task_id for trace in held_out[1:3]]
    for forced, trace in zip(played.forced, held_out[1:3], strict=True):
        assert forced.turns == 1 and forced.trajectory.turns[0].text == trace.turns[0].text


def test_the_table_and_the_summary_tell_how_the_model_looks_answers_and_recovers(played, tmp_path):
    found = figures(played)
    assert {name: (one.value, one.n) for name, one in found.items()} == {
        "answers right": (1 / 4, 4),
        "valid operations, all": (1.0, 1),
        "valid operations, crop_image": (1.0, 1),
        "IoU of the first box": (found["IoU of the first box"].value, 1),
        "looks again, right, after a mistake": (1 / 2, 2),
        "answers right after a mistake": (1 / 2, 2),
    }
    assert 0 < found["IoU of the first box"].value < 1  # a window of 4 cells around the card
    assert "answers right after a mistake          0.500" in table(played)
    write_sft_summary(tmp_path, 12, {"too_long": 3}, played)
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert (summary["steps"], summary["refused_traces"], summary["rapr_after"]) == (12, {"too_long": 3}, 1 / 4)
    assert summary["recovered_looks"]["value"] == 1 / 2 and summary["accuracy_after"]["n"] == 4
    assert summary["valid_operations"]["crop_image"]["low"] < 1 == summary["valid_operations"]["crop_image"]["high"]


def test_what_nothing_was_found_of_is_null_and_without_playing_there_are_no_figures(held_out, tasks, tmp_path):
    chat = PlainChat(TINY)
    settings = EpisodeSettings(TINY, Limits(max_turns=4), tasks.budgets)
    silent = play_held_out(held_out[:1], ScriptedEngine(lambda _: "<answer>1", chat), chat, settings)
    write_sft_summary(tmp_path, 1, {}, silent)
    assert json.loads((tmp_path / "summary.json").read_text())["recovered_looks"] is None
    assert "looks again, right, after a mistake     none" in table(silent)
    write_sft_summary(tmp_path, 1, {}, None)
    assert json.loads((tmp_path / "summary.json").read_text()) == {"steps": 1, "refused_traces": {}}


def test_the_mistakes_that_a_trace_begins_with_are_flagged_or_not_trained(tasks):
    wrong = TraceTurn("a", True, Mistake.OVERSIZED_REGION)
    unflagged, right = TraceTurn("b", False), TraceTurn("c")
    assert mistakes_of(Trace(tasks.tasks[0], (wrong, unflagged, right, unflagged, right))) == [wrong, unflagged]
    assert mistakes_of(Trace(tasks.tasks[0], (unflagged,))) == [] == mistakes_of(Trace(tasks.tasks[0], (right,)))


# ------------------------------------------------------------------------------------------------- what is held out


def test_all_traces_of_a_tenth_of_the_tasks_are_held_out_at_most(tasks):
    traces = [Trace(task, (TraceTurn(text),)) for text in "ab" for task in tasks.tasks]
    train, kept = apart(traces, 64, np.random.default_rng(0))
    assert len(kept) == 4 and len(train) == 36
    assert {one.task.task_id for one in kept}.isdisjoint(one.task.task_id for one in train)
    assert len(apart(traces, 1, np.random.default_rng(0))[1]) == 2
    assert apart(traces, 0, np.random.default_rng(0)) == (traces, [])
    assert apart(traces, 64, np.random.default_rng(0)) == (train, kept)


def test_a_function_is_held_out_on_the_test_split_and_never_on_what_is_learned(tasks):
    arguments = TraceArguments(traces="synth.templates:single_pass_traces", task_count=16, held_out=3)
    found = load_training_traces(arguments, TINY, seed=0)
    assert (len(found.train), len(found.held_out)) == (16, 3)
    learned = frozenset(trace.task.task_id for trace in found.train)
    assert learned.isdisjoint(trace.task.task_id for trace in found.held_out)
    assert of_tasks(found.train, 3, learned) == []
    arguments.held_out = 0
    assert load_training_traces(arguments, TINY, seed=0).held_out == ()
