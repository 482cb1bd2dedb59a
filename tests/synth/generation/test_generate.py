import json
import os
import re
import signal
import subprocess
import sys

import pytest

from agents.traces.folder import read_trace_folder
from agents.traces.trace import Mistake
from pixel_env.cli import main
from pixel_env.dialects.table import dialect_named
from pixel_env.locks import claimed
from synth.generation.command import BUILT_IN_TEACHERS
from synth.generation.config import parsed
from synth.generation.job import Job
from synth.generation.outcomes import JOURNAL
from synth.plans.plan import Narration, Refusal
from synth.teachers.template.teacher import TemplateTeacher
from tests.paths import ROOT
from tests.waiting import until

DATA_SET = ("traces.jsonl", "tasks.jsonl", "task_set.json", "README.md", "ATTRIBUTION.md", "configuration.json")
SMALL = ("--count", "24", "--workers", "1")


def synth(out, *flags):
    return main(["synth", "--out", str(out), *SMALL, *flags])


def content(folder):
    return {name: (folder / name).read_bytes() for name in DATA_SET}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A data set that nothing interrupted."""
    folder = tmp_path_factory.mktemp("synth") / "whole"
    assert synth(folder) == 0
    return folder


def test_the_data_set_holds_as_many_traces_as_requested_and_the_mix(whole):
    task_set, traces = read_trace_folder(whole)
    assert len(traces) == 24 and len({trace.task.task_id for trace in traces}) == 24
    media = [trace.task.media for trace in traces]
    assert (media.count("image"), media.count("video"), media.count("text")) == (14, 3, 7)
    flagged = [turn for trace in traces for turn in trace.turns if turn.mistake is not None]
    assert {turn.mistake for turn in flagged} >= {Mistake.UNRELATED_REGION, Mistake.OVERSIZED_REGION}
    assert not any(turn.train for turn in flagged)
    assert task_set.budgets is not None and "is not a benchmark score" in task_set.notice


def test_tasks_come_back_as_they_were_and_scenes_are_no_files(whole):
    config, _ = parsed(list(SMALL))
    job = Job(config, whole, TemplateTeacher())
    planned = {plan.task.task_id: plan.task for plan in job.plans}
    task_set, _ = read_trace_folder(whole)
    assert all(planned[task.task_id] == task for task in task_set.tasks)
    assert not list(whole.glob("**/*.png"))


def test_the_same_command_on_a_finished_folder_changes_nothing(whole, capsys):
    before = content(whole)
    assert synth(whole) == 0
    assert content(whole) == before
    assert "0 plans narrated" in capsys.readouterr().out


def test_processes_do_not_change_a_byte(whole, tmp_path):
    assert synth(tmp_path / "two", "--workers", "2") == 0
    assert content(tmp_path / "two") == content(whole)


def test_a_command_that_was_killed_resumes_to_the_same_bytes(whole, tmp_path):
    folder = tmp_path / "killed"
    command = [sys.executable, "-m", "pixel_env.cli", "synth", "--out", str(folder), *SMALL, "--workers", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = folder / JOURNAL
    until(lambda: journal.exists() and journal.read_bytes().count(b"\n") >= 3, 120, interval_s=0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (folder / "traces.jsonl").exists()
    assert synth(folder) == 0
    assert content(folder) == content(whole)


def test_a_journal_that_was_truncated_within_a_line_is_used(whole, tmp_path):
    folder = tmp_path / "cut"
    folder.mkdir()
    rows = (whole / JOURNAL).read_bytes()
    (folder / JOURNAL).write_bytes(rows[: len(rows) // 2])
    assert synth(folder) == 0
    assert content(folder) == content(whole)


def test_shards_together_are_the_whole(whole, tmp_path, capsys):
    folder = tmp_path / "parts"
    for part in ("1/3", "3/3"):
        assert synth(folder, "--shard", part) == 0
    assert not (folder / "traces.jsonl").exists()
    capsys.readouterr()
    assert synth(folder) == 0
    assert "8 plans narrated" in capsys.readouterr().out  # those of the part that nobody made
    assert content(folder) == content(whole)


def test_a_shard_of_another_configuration_is_not_taken_over(tmp_path, capsys):
    assert synth(tmp_path, "--shard", "1/6", "--seed", "5") == 0
    assert synth(tmp_path) == 2
    assert "seed differ" in capsys.readouterr().err


def test_held_out_traces_have_other_tasks_of_every_medium(whole, tmp_path):
    assert synth(tmp_path, "--split", "test") == 0
    train, held_out = (read_trace_folder(folder)[1] for folder in (whole, tmp_path))
    questions = {(trace.task.media, trace.task.question, trace.task.task_id) for trace in train}
    assert not questions & {(trace.task.media, trace.task.question, trace.task.task_id) for trace in held_out}
    texts = [{trace.task.question for trace in traces if trace.task.media == "text"} for traces in (train, held_out)]
    assert texts[0] and texts[1] and not texts[0] & texts[1]


def test_another_configuration_in_the_same_folder_is_refused_by_its_keys(whole, capsys):
    assert synth(whole, "--seed", "1", "--dialect", "released") == 2
    error = capsys.readouterr().err
    assert "dialect (was 'default', is 'released')" in error and "seed (was 0, is 1)" in error


def test_a_folder_that_cannot_be_written_is_reported(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert synth(tmp_path / "file" / "traces") == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--media", "picture=1"], "image, video, text"),
        (["--media", "image=some"], "NAME=NUMBER"),
        (["--teacher", "gpt"], "or the URL of an endpoint"),
        (["--teacher", "http://127.0.0.1:1/v1"], "--model"),
        (["--shard", "4/3"], "--shard is '4/3'"),
        (["--count", "0"], "at least 1"),
        (["--max_turns", "0"], "--max_turns: got '0'; wanted: a whole number, at least 1"),
        (["--max_turns", "1"], "More than 0 operations need more turns"),
        (["--seed_count", "2"], "Give more tasks"),
        (["--seed", "-1"], "--seed: got '-1'; wanted: a whole number, at least 0"),
        (["--media", "image=1", "image=0"], "'image' twice"),
        (["--media", "image=1", "text=1", "--image_kinds", "single_pass=0"], "all of its kinds have the share 0"),
        (["--dialect", "tiny"], "no traces about videos"),
        (["--dialect", "mini-o3"], "cannot select frames, so it has no traces about videos"),
        (["--dialect", "vigorl", "--media", "image=1", "text=1"], "no traces about images. Give --media without image"),
        (["--dialect", "visionthink", "--media", "image=1"], "cannot crop images, so it has no traces about images"),
        (["--dialect", "videozoomer", "--media", "image=1"], "for example --media text=1, or another --dialect"),
    ],
)
def test_a_flag_that_cannot_be_used_is_refused_with_the_way_out(flags, said, tmp_path, capsys):
    assert synth(tmp_path / "out", *flags) == 2
    assert said in capsys.readouterr().err


class Blabbing:
    """A teacher that states some answers at once, refuses some plans, and narrates the others."""

    name = "blabbing"

    def __init__(self, every):
        self.every = every

    def narrate(self, plans, *, seed):
        told = TemplateTeacher().narrate(plans, seed=seed)
        for place, said in told:
            number = sum(map(ord, plans[place].plan_id)) % self.every
            if plans[place].operations and number == 0:
                yield place, Narration(f"The answer is {plans[place].task.answers[0]}.", said.remarks)
            elif plans[place].operations and number == 1:
                yield place, Refusal("unwilling", "I would rather not")
            else:
                yield place, said


def test_what_is_dropped_is_counted_by_reason_and_made_up_for(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(BUILT_IN_TEACHERS, "template", lambda: Blabbing(5))
    assert synth(tmp_path / "one") == 0
    printed = capsys.readouterr().out
    assert "| leak |" in printed and "| teacher: unwilling |" in printed and "24 of 24 traces" in printed
    rows = [json.loads(line) for line in (tmp_path / "one" / JOURNAL).read_text().splitlines()]
    dropped = sum("dropped" in row for row in rows)
    assert dropped > 0 and len(rows) == 24 + dropped
    for part in ("2/2", "1/2"):
        assert synth(tmp_path / "two", "--shard", part) == 0
    assert synth(tmp_path / "two") == 0
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_if_nothing_is_kept_the_first_reason_is_reported_and_nothing_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(BUILT_IN_TEACHERS, "template", lambda: Blabbing(1))
    flags = ["--count", "3", "--seed_count", "8", "--media", "image=1", "--seeds", "sample:vstar-tiny"]
    assert synth(tmp_path, *flags) == 2
    assert "None of" in capsys.readouterr().err
    assert not (tmp_path / "traces.jsonl").exists()


def test_fewer_traces_than_requested_are_written_and_the_command_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(BUILT_IN_TEACHERS, "template", lambda: Blabbing(3))
    flags = ["--count", "8", "--seed_count", "8", "--media", "image=1", "--seeds", "sample:vstar-tiny"]
    assert synth(tmp_path, *flags, "--image_kinds", "single_pass=1") == 1
    output = capsys.readouterr()
    assert "6 of 8 single_pass traces (image) are missing" in output.err and "of 8 traces" in output.out
    assert 0 < len(read_trace_folder(tmp_path)[1]) < 8


def test_the_embedded_models_dialect_gets_traces_that_it_can_say(tmp_path):
    flags = ["--seeds", "sample:vstar-tiny", "--media", "image=1", "--dialect", "tiny", "--count", "8"]
    assert synth(tmp_path, *flags) == 0
    _, traces = read_trace_folder(tmp_path)
    assert all(dialect_named("tiny").calls.opening in trace.turns[0].text for trace in traces)


class Failing(TemplateTeacher):
    """Fails, as an endpoint may, at every third plan with looks, as long as it is told to."""

    fails = True

    def narrate(self, plans, *, seed):
        for place, said in TemplateTeacher().narrate(plans, seed=seed):
            if self.fails and plans[place].operations and sum(map(ord, plans[place].plan_id)) % 3 == 0:
                yield place, Refusal("endpoint_failed", "it is down", is_final=False)
            else:
                yield place, said


def test_what_a_failure_dropped_is_tried_again_by_the_next_command(whole, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(BUILT_IN_TEACHERS, "template", Failing)
    assert synth(tmp_path) == 0 and synth(tmp_path) == 0
    assert "| teacher: endpoint_failed |" in capsys.readouterr().out
    assert (tmp_path / "traces.jsonl").read_bytes() != (whole / "traces.jsonl").read_bytes()
    monkeypatch.setattr(Failing, "fails", False)
    assert synth(tmp_path) == 0
    assert content(tmp_path) == content(whole)


def test_a_shards_failure_is_tried_again_by_the_command_that_takes_it_over(whole, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setitem(BUILT_IN_TEACHERS, "template", Failing)
        assert synth(tmp_path, "--shard", "1/2") == 0
    assert synth(tmp_path) == 0
    assert content(tmp_path) == content(whole)


def test_a_journal_of_other_seeds_is_refused(whole, tmp_path, capsys):
    row = json.loads((whole / JOURNAL).read_text().splitlines()[0])
    (tmp_path / JOURNAL).write_text(json.dumps(row | {"mark": "0" * 16}) + "\n")
    assert synth(tmp_path) == 2
    assert "the seed data or the release of pixel-env have changed" in capsys.readouterr().err


def test_a_flag_that_was_refused_leaves_the_folder_free_for_the_right_one(tmp_path):
    assert synth(tmp_path, "--media", "picture=1") == 2 and synth(tmp_path, "--seed_count", "2") == 2
    assert synth(tmp_path) == 0


def test_of_two_commands_on_one_folder_one_is_refused_by_name_and_the_data_set_is_whole(whole, tmp_path):
    command = [sys.executable, "-m", "pixel_env.cli", "synth", "--out", str(tmp_path), *SMALL]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = {process.pid: process.communicate(timeout=300)[1] for process in both}
    [worked], [refused] = ([one.pid for one in both if one.returncode == code] for code in (0, 2))
    assert f"{tmp_path} is in use: process {worked} on " in told[refused] and "another --out" in told[refused]
    assert content(tmp_path) == content(whole)


def test_a_part_and_the_whole_are_not_made_beside_each_other(tmp_path, capsys):
    with claimed(tmp_path):
        assert synth(tmp_path, "--shard", "1/2") == 2
        assert f"{tmp_path} is in use: process {os.getpid()} on " in capsys.readouterr().err
    with claimed(tmp_path / "shard-1-of-2"):
        assert synth(tmp_path) == 2
    assert "shard-1-of-2 is in use" in capsys.readouterr().err
    assert synth(tmp_path, "--shard", "1/2") == synth(tmp_path) == 0


def test_the_silent_teacher_writes_calls_and_answers_and_nothing_else(tmp_path):
    flags = ("--teacher", "silent", "--dialect", "tiny", "--seeds", "sample:vstar-tiny", "--media", "image=1")
    assert synth(tmp_path / "out", *flags) == 0
    texts = [turn.text for trace in read_trace_folder(tmp_path / "out")[1] for turn in trace.turns]
    assert len(texts) > 48 and all(re.fullmatch(r"<crop>( \d+){4}|<answer>\d", text) for text in texts)


def test_the_silent_teacher_reasons_about_no_text(tmp_path, capsys):
    assert synth(tmp_path / "out", "--teacher", "silent", "--media", "text=1") == 2
    assert "no_words" in capsys.readouterr().err
