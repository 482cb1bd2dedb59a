"""A run in which nothing was read says so, and which dialects would have read it: terminal and page."""

import json
import re

import pytest
from PIL import Image

from agents.chat.plain import PlainChat
from agents.engines.scripted import ScriptedEngine, in_turn
from benchmarks.ask import command as ask
from benchmarks.evaluation import evaluate
from pixel_env.cli import main

BOXED = r"It is \boxed{red}."
NOTHING = "I see a red square."


def call(name, *box):
    arguments = {"bbox_2d": box, "target_image": 1}
    return f"<tool_call>{json.dumps({'name': name, 'arguments': arguments})}</tool_call>"


PIXELS = call("crop_image", 100, 100, 400, 300)
RELEASED = call("crop_image_normalized", 0.1, 0.1, 0.6, 0.6)


@pytest.fixture
def tasks(tmp_path):
    """Three questions about a red square of 800x600, with evidence."""
    Image.new("RGB", (800, 600), "red").save(tmp_path / "red.png")
    shared = {"question": "Which colour?", "image": "red.png", "answer": "red"}
    evidence = [{"image": 0, "box": [0.4, 0.4, 0.5, 0.5]}]
    rows = [{"id": name, **shared, "evidence": evidence} for name in "abc"]
    (tmp_path / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "tasks.jsonl"


@pytest.fixture
def told(tasks, monkeypatch, capsys):
    """What `eval` prints about a model that says these texts in turn, in a dialect; and what the page's data say."""

    def play(dialect, *texts, policies=("learned_zoom",)):
        def engine(plan):
            chat = PlainChat(plan.settings.dialect)
            return ScriptedEngine(in_turn(*texts), chat), chat

        monkeypatch.setattr(evaluate, "engine_of", engine)
        run = tasks.parent / f"run {len(list(tasks.parent.glob('run *')))}"
        words = ["--model", "none", "--tasks", str(tasks), "--dialect", dialect, "--max_turns", "3"]
        assert main(["eval", *words, "--policies", *policies, "--output_dir", str(run)]) == 0
        out = capsys.readouterr().out
        assert main(["view", str(run)]) == 0
        page = (run / "view.html").read_text(encoding="utf-8")
        data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])
        return out, data["runs"][0]["notice"]

    return play


def test_a_run_without_a_call_or_an_answer_says_so_and_which_dialects_would_have_read_it(told):
    out, notice = told("tiny", BOXED)
    sentence = "None of the model's 9 turns was a call or an answer in the dialect tiny."
    assert sentence in out and sentence in notice
    for dialect in ("default", "qwen2.5-vl", "qwen3-vl", "released"):
        assert f"{dialect} reads 9 of them" in out and f"{dialect} reads 9 of them" in notice
    assert "tiny reads" not in out


def test_the_dialects_are_named_by_how_much_they_read(told):
    out, _ = told("tiny", call("crop_image", 10, 10, 40, 40), BOXED, NOTHING)  # in pixels, which are no fractions
    assert "qwen2.5-vl reads 6 of them, qwen3-vl reads 6 of them" in out
    assert out.index("qwen3-vl reads 6") < out.index("default reads 3 of them")


def test_a_dialect_that_counts_in_pixels_of_the_source_is_named_too(told):
    zoom = json.dumps({"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [100, 100, 400, 300], "label": "it"}})
    out, notice = told("tiny", f"<tool_call>{zoom}</tool_call>")
    assert "deepeyes reads 9 of them" in out and "deepeyes reads 9 of them" in notice


def test_what_nobody_reads_is_said_to_be_read_by_nobody(told):
    out, notice = told("default", NOTHING)
    assert "None of the model's 9 turns" in out and "No other dialect of the table reads any of them either" in notice


def test_a_run_whose_calls_were_refused_as_unreadable_names_the_dialects_that_read_them(told):
    out, notice = told("default", PIXELS, PIXELS, BOXED)
    sentence = "6 of the model's 6 calls could not be read in the dialect default."
    assert sentence in out and f"{sentence} Other dialects do: qwen2.5-vl reads 6 of them" in notice


def test_calls_that_a_dialect_took_for_its_plain_text_answers_are_told(told):
    out, _ = told("released", "<crop> 4 4 12 12")
    assert "None of the model's 3 turns was a call in the dialect released." in out and "tiny reads 3 calls" in out


def test_scripted_calls_are_not_the_models(told):
    out, _ = told("tiny", BOXED, policies=("oracle_zoom",))
    assert "None of the model's 6 turns was a call or an answer" in out


@pytest.mark.parametrize(
    ("dialect", "texts"),
    [
        ("default", (BOXED,)),  # it answers
        ("released", (RELEASED, BOXED)),  # it calls
        ("default:notool", (PIXELS, BOXED)),  # its calls are refused on purpose
        ("default", ("<tool_call>{broken</tool_call>", BOXED)),  # nobody reads that
        ("qwen2.5-vl", (PIXELS, call("crop_image", 100, 100, 101, 101), BOXED)),  # read, though too small
    ],
)
def test_a_run_that_was_read_says_nothing(told, dialect, texts):
    out, notice = told(dialect, *texts)
    assert notice == "" and "reads" not in out and "None of the model's" not in out


def test_a_single_question_is_told_of_too(tasks, monkeypatch, capsys):
    def engine(choice, dialect):
        chat = PlainChat(dialect)
        return ScriptedEngine(in_turn("<answer>red"), chat), chat

    monkeypatch.setattr(ask, "engine_chosen", engine)
    monkeypatch.setattr(ask, "context_of", lambda model: None)  # of the embedded model, which does not play here
    page = tasks.parent / "ask.html"
    words = [str(tasks.parent / "red.png"), "Which colour?", "--dialect", "default", "--output", str(page)]
    assert main(["ask", *words]) == 0
    sentence = "None of the model's 4 turns was a call or an answer in the dialect default."
    assert sentence in (out := capsys.readouterr().out) and "tiny reads 4 of them" in out
    assert sentence in page.read_text(encoding="utf-8")
