import json
from dataclasses import replace

import numpy as np
import pytest

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from agents.rollout import EpisodeSettings
from agents.sft.evaluation import figures, mistakes_of, play_held_out, table, write_sft_summary
from agents.traces.trace import Mistake, Trace, TraceTurn
from pixel_env.dialects.table import dialect_named
from pixel_env.errors import MediaError
from pixel_env.tasks import load_tasks
from pixel_env.testing import PixelSource
from pixel_env.types import Limits
from synth.warm_starts.templates import recrop_once, single_pass

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
        "correct answers": (1 / 4, 4),
        "valid operations, all": (1.0, 1),
        "valid operations, crop_image": (1.0, 1),
        "IoU of the first box": (found["IoU of the first box"].value, 1),
        "correct operation after a mistake": (1 / 2, 2),
        "correct answers after a mistake": (1 / 2, 2),
    }
    assert 0 < found["IoU of the first box"].value < 1  # a window of 4 cells around the card
    assert "correct answers after a mistake        0.500" in table(played)
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
    assert "correct operation after a mistake       none" in table(silent)
    write_sft_summary(tmp_path, 1, {}, None)
    assert json.loads((tmp_path / "summary.json").read_text()) == {"steps": 1, "refused_traces": {}}


def test_the_mistakes_that_a_trace_begins_with_are_flagged_or_not_trained(tasks):
    wrong = TraceTurn("a", True, Mistake.OVERSIZED_REGION)
    unflagged, right = TraceTurn("b", False), TraceTurn("c")
    assert mistakes_of(Trace(tasks.tasks[0], (wrong, unflagged, right, unflagged, right))) == [wrong, unflagged]
    assert mistakes_of(Trace(tasks.tasks[0], (unflagged,))) == [] == mistakes_of(Trace(tasks.tasks[0], (right,)))


class Cut(PixelSource):
    """A file that is cut in its middle: its header can be read."""

    def decode(self):
        raise MediaError("image file is truncated")


def test_an_episode_that_failed_is_no_wrong_answer_and_is_told_of_by_its_task(held_out, tasks, tmp_path):
    chat = PlainChat(TINY)
    settings = EpisodeSettings(TINY, Limits(max_turns=4), tasks.budgets)
    cut = [
        replace(trace, task=replace(trace.task, task_id=f"cut {place}", sources=(Cut(640, 480),)))
        for place, trace in enumerate(held_out[:2])
    ]
    right = ScriptedEngine(lambda conversation: answer_of(held_out, conversation), chat)
    played = play_held_out([*cut, *held_out[2:]], right, chat, settings)
    found = figures(played)
    assert (len(played.free), found["correct answers"].value, found["correct answers"].n) == (4, 1.0, 2)
    assert (len(played.forced), found["correct answers after a mistake"].n) == (2, 1)
    assert found["correct operation after a mistake"].n == 1
    assert "3 of 6 episodes failed" in table(played) and "cut 0: MediaError: image file is trunc" in table(played)
    write_sft_summary(tmp_path, 1, {}, played, {"too_long": 2})
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["failed_episodes"], summary["accuracy_after"]["n"], summary["rapr_after"]) == (3, 2, 0.0)
    assert summary["refused_held_out_traces"] == {"too_long": 2}


def answer_of(traces, conversation):
    return next(trace.turns[-1].text for trace in traces if trace.task.question in conversation.text)


@pytest.mark.parametrize("processes", [2, 3])
def test_so_many_processes_play_together_what_one_plays_and_may_say_as_much_in_a_turn(tasks, processes):
    traces = [
        template(task, TINY, np.random.default_rng(0))
        for task in tasks.tasks[:5]
        for template in (single_pass, recrop_once)
    ]
    traces[-1] = replace(traces[-1], turns=(*traces[-1].turns[:-1], TraceTurn("long " * 40)))
    chat = PlainChat(TINY)
    settings = EpisodeSettings(TINY, Limits(max_turns=4), tasks.budgets)

    def episodes(rank, processes):
        allowed = set()
        engine = ScriptedEngine(lambda talk: allowed.add(talk.request.max_new_tokens) or "<answer>1", chat)
        part = play_held_out(traces, engine, chat, settings, rank=rank, processes=processes)
        free = [one.task.task_id for one in part.free]
        return free, [(one.trajectory.task.task_id, one.turns) for one in part.forced], allowed

    free, forced, allowed = episodes(0, 1)
    parts = [episodes(rank, processes) for rank in range(processes)]
    assert (len(free), len(forced)) == (5, 5)
    assert sorted(free) == sorted(one for part in parts for one in part[0])
    assert sorted(forced) == sorted(one for part in parts for one in part[1])
    assert len(allowed) == 1 and all(part[2] == allowed for part in parts)
