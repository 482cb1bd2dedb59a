"""`pixel-env synth --student`: a scripted model answers from the overview, and samples text-only traces."""

import json
from collections import Counter

import pytest

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine
from agents.traces.folder import read_trace_folder
from pixel_env.cli import main
from pixel_env.dialects.table import dialect_named
from pixel_env.tasks import load_tasks
from synth.generation.config import GenerationOptions, SynthConfig
from synth.generation.outcomes import JOURNAL
from synth.generation.student import Student
from synth.text_only.tasks import solution, text_tasks

DATA_SET = ("traces.jsonl", "tasks.jsonl", "task_set.json", "README.md", "configuration.json")
SMALL = ("--count", "12", "--workers", "1", "--seeds", "sample:vstar-tiny", "--media", "image=2", "text=1")
STUDENT = ("--student", "learner", "--text_from", "student")
QUESTIONS = {task.question: task for task in text_tasks(200)}


class Learner:
    """Takes every digit for a 3 without looking, and solves every second question of text at the first try.

    `asked`: its turns about pictures and text; `choices`: how it was loaded; `banned`: ids that it might not say.
    `breaks_at`: (kind, number of such turns) from which on it breaks.
    """

    def __init__(self):
        self.asked = Counter()
        self.choices = []
        self.banned = set()
        self.breaks_at = None

    def chosen(self, choice, dialect):
        self.choices.append(choice)
        chat = PlainChat(dialect)
        return ScriptedEngine(self.say, chat), chat

    def say(self, conversation):
        task = next((task for question, task in QUESTIONS.items() if question in conversation.text), None)
        kind = "picture" if task is None else "text"
        if self.breaks_at is not None and kind == self.breaks_at[0] and self.asked[kind] >= self.breaks_at[1]:
            raise RuntimeError("out of memory")
        self.asked[kind] += 1
        self.banned |= conversation.request.banned_ids
        if task is None:
            return r"\boxed{3}"  # right for one digit in ten, whenever it is asked
        if conversation.request.seed % 2 == 0:
            return r"I suppose that it is \boxed{-1}"
        return f"By myself: {solution(task)} So: \\boxed{{{task.answers[0]}}}"


@pytest.fixture
def learner(monkeypatch):
    learner = Learner()
    monkeypatch.setattr("synth.generation.student.engine_chosen", learner.chosen)
    return learner


def synth(out, *flags):
    return main(["synth", "--out", str(out), *SMALL, *STUDENT, *flags])


def content(folder):
    return {name: (folder / name).read_bytes() for name in DATA_SET}


def test_text_only_traces_are_the_students_own_words_and_what_it_sees_at_once_is_no_seed(learner, tmp_path, capsys):
    assert synth(tmp_path) == 0
    _, traces = read_trace_folder(tmp_path)
    of_text = [trace for trace in traces if trace.task.media == "text"]
    assert len(of_text) == 4 and all(trace.turns[0].text.startswith("By myself: ") for trace in of_text)
    assert not any("By myself" in turn.text for trace in traces if trace not in of_text for turn in trace.turns)
    assert all(trace.task.answers != ("3",) for trace in traces if trace not in of_text)
    card = (tmp_path / "README.md").read_text()
    assert "Student: `learner`" in card and "overview_suffices: " in card and "--student learner" in card
    assert "samples of `learner` and are subject to its terms" in card


def test_the_same_command_again_loads_no_model_and_gives_the_same_bytes(learner, tmp_path):
    assert synth(tmp_path) == 0
    before, asked = content(tmp_path), learner.asked.total()
    learner.breaks_at = ("picture", 0)
    assert synth(tmp_path) == 0
    assert content(tmp_path) == before and (len(learner.choices), learner.asked.total()) == (1, asked)


@pytest.mark.parametrize("place", [("picture", 250), ("text", 3)])
def test_a_student_that_breaks_midway_resumes_to_the_same_bytes(place, learner, tmp_path, capsys):
    assert synth(tmp_path / "whole") == 0
    whole = learner.asked.total()
    learner.asked.clear()
    learner.breaks_at = place
    assert synth(tmp_path / "cut") == 2
    assert "out of memory" in capsys.readouterr().err and not (tmp_path / "cut" / "traces.jsonl").exists()
    learner.breaks_at = None
    assert synth(tmp_path / "cut") == 0
    assert content(tmp_path / "cut") == content(tmp_path / "whole") and learner.asked.total() < 1.5 * whole


def test_shards_ask_about_each_seed_once_and_together_are_the_whole(learner, tmp_path, capsys):
    assert synth(tmp_path / "whole") == 0
    pictures = learner.asked["picture"]
    learner.asked.clear()
    for part in ("2/2", "1/2"):
        assert synth(tmp_path / "parts", "--shard", part) == 0
    assert synth(tmp_path / "parts") == 0
    assert "0 plans narrated" in capsys.readouterr().out
    assert learner.asked["picture"] == pictures and content(tmp_path / "parts") == content(tmp_path / "whole")


def test_a_question_that_the_student_cannot_solve_is_counted_and_made_up_for(learner, tmp_path):
    assert synth(tmp_path, "--text_samples", "1") == 0
    _, traces = read_trace_folder(tmp_path)
    assert Counter(trace.task.media for trace in traces) == {"image": 8, "text": 4}
    dropped = [row for row in map(json.loads, (tmp_path / JOURNAL).open()) if "dropped" in row]
    assert dropped and {row["dropped"] for row in dropped} == {"teacher: sampled_wrong"}
    assert f"| teacher: sampled_wrong | {len(dropped)} |" in (tmp_path / "README.md").read_text()


def test_with_no_attempts_no_seed_is_asked_about_and_the_teacher_may_keep_its_texts(learner, tmp_path):
    assert synth(tmp_path / "texts", "--attempts", "0") == 0
    assert "picture" not in learner.asked and learner.asked
    learner.asked.clear()
    assert synth(tmp_path / "seeds", "--text_from", "teacher") == 0
    assert set(learner.asked) == {"picture"} and "By myself" not in (tmp_path / "seeds" / "traces.jsonl").read_text()


def test_a_student_behind_an_endpoint_is_not_kept_from_calling_and_may_move(learner, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    opening = PlainChat(dialect_named("default")).call_opening_ids()
    at = ("--engine", "endpoint", "--base_url", "http://127.0.0.1:1/v1")
    assert synth(tmp_path / "there", *at) == 0
    [choice] = learner.choices
    assert (choice.model, choice.engine, choice.base_url) == ("learner", "endpoint", "http://127.0.0.1:1/v1")
    assert learner.asked["picture"] and not learner.banned & opening
    assert synth(tmp_path / "there", *at[:2], "--base_url", "http://127.0.0.1:2/v1") == 0
    assert synth(tmp_path / "here") == 0
    assert opening <= learner.banned


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--text_from", "student"), "give its model with --student"),
        (("--base_url", "http://127.0.0.1:1/v1"), "give its model with --student"),
        (("--student", "m", "--attempts", "0"), "--student has no effect"),
        (("--student", "m", "--student_temperature", "0"), "gives identical samples"),
        (("--student", "m", "--engine", "endpoint"), "--base_url"),
        (("--student", "m", "--engine", "vllm"), "--max_tokens"),
        (("--student", "m", "--attempts", "-1"), "wanted: a whole number, at least 0"),
        (("--text_samples", "0"), "at least 1"),
    ],
)
def test_flags_that_do_not_go_together_are_refused_before_anything_is_made(flags, said, tmp_path, capsys):
    assert main(["synth", "--out", str(tmp_path / "out"), *SMALL, *flags]) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_another_student_in_the_same_folder_is_refused(learner, tmp_path, capsys):
    assert synth(tmp_path, "--count", "3") == 0
    assert synth(tmp_path, "--count", "3", "--student", "other") == 2
    assert "student (was 'learner', is 'other')" in capsys.readouterr().err


@pytest.mark.parametrize(
    "others",
    [{"seeds": "sample:infographics"}, {"attempts": 1}, {"seed": 1}, {"student": "other"}],
    ids=["seeds", "attempts", "seed", "student"],
)
def test_answers_about_other_seeds_or_requested_otherwise_are_not_taken_for_these(learner, tmp_path, others):
    task_set = load_tasks("sample:vstar-tiny", split="train", count=3)
    given = {"seeds": "sample:vstar-tiny", "student": "learner", "attempts": 2}
    for fields, asked in ((given, 6), (given, 6), (given | others, 6 + 3 * (given | others)["attempts"])):
        with Student(SynthConfig(**fields), GenerationOptions(out=str(tmp_path))).overview() as answers:
            answers(task_set)
        assert learner.asked["picture"] == asked


def test_a_student_that_was_taught_another_dialect_than_that_of_the_traces_is_warned_of(tmp_path, capsys):
    config = SynthConfig(student="tiny-zoom", dialect="qwen3-vl")
    Student(config, GenerationOptions(out=str(tmp_path)))
    assert "--dialect is 'qwen3-vl', but tiny-zoom was taught 'tiny'" in capsys.readouterr().err
