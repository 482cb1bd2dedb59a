"""The corpus of answers with their truth, and the script that measures graders on it."""

import runpy
import sys
from types import SimpleNamespace

import pytest

from pixel_env.grading import grade
from pixel_env.task import Task
from tests.paths import EXAMPLES

MOST_READ_WRONGLY = 0.03
"""Of the answers that choose."""
STRIDE = 4
"""Every fourth answer is graded here, more than 8,000 in all; the script grades each."""


@pytest.fixture(scope="module")
def corpus():
    return SimpleNamespace(**runpy.run_path(str(EXAMPLES / "graded_answers.py")))


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    return runpy.run_path(str(EXAMPLES / "measure_graders.py"), run_name="example")


@pytest.mark.parametrize("of_set", [1, 2, 3, 4])
def test_choices_are_read_as_a_reader_reads_them_and_no_answer_that_chooses_nothing_is_paid(corpus, script, of_set):
    answers = [one for one in list(corpus.choice_answers())[::STRIDE] if one.wording.set == of_set]
    judged = list(script["judged_choices"](script["ours"], answers))
    choosing = [one.is_wrong for one in judged if one.wording.chooses]
    paid = sorted({one.wording.text for one in judged if not one.wording.chooses and one.is_wrong})
    assert paid == []
    assert sum(choosing) <= MOST_READ_WRONGLY * len(choosing)


@pytest.mark.parametrize(("answers", "judge"), [("choice_answers", "choices"), ("count_answers", "counts")])
def test_wordings_written_after_the_rules_are_read_almost_as_well(corpus, script, answers, judge):
    blind = [one for one in getattr(corpus, answers)() if one.wording.set == 5]
    judged = list(
        script["judged_choices"](script["ours"], blind) if judge == "choices" else script["judged_counts"](blind)
    )
    choosing = [one.is_wrong for one in judged if one.wording.chooses]
    paid = {one.wording.text for one in judged if not one.wording.chooses and one.is_wrong}
    assert sum(choosing) <= MOST_READ_WRONGLY * len(choosing)
    assert len(paid) <= 1


def test_a_set_of_wordings_is_measured_alone(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["measure_graders.py", "--grader", "number", "--set", "3", "4"])
    assert script["main"]() == 0
    assert "| **chooses: read wrongly** |" in (printed := capsys.readouterr().out)
    count = sum(one.wording.chooses and one.wording.set in (3, 4) for one in script["count_answers"]())
    assert f"| {count:,} |" in printed


def test_the_grader_pays_the_option_that_is_read_and_no_other(corpus, script):
    for answer in list(corpus.choice_answers())[::60]:
        named = script["ours"](answer.text, answer.options)
        paid = [place for place, option in enumerate(answer.options) if grade(choice_task(option, answer), answer.text)]
        assert paid == ([] if named is None else [named]), answer.text


def choice_task(reference, answer):
    return Task("choice", "Which one?", (reference,), options=answer.options, grader="choice")


def test_the_corpus_has_8000_answers_and_150_wordings_at_least_in_six_languages(corpus):
    wordings = corpus.wordings("choice")
    assert len(wordings) == len({(one.language, one.text) for one in wordings}) >= 150
    assert {one.language for one in wordings} == {"en", "zh", "ja", "de", "fr", "es"}
    assert sum(1 for _ in corpus.choice_answers()) >= 8000 * STRIDE


def test_a_letter_is_read_alike_at_every_position(corpus, script):
    options = ("ochre", "teal", "mauve", "khaki")
    for wording in corpus.wordings("choice"):
        if "{T}" in wording.text or "{U}" in wording.text:
            continue
        named = set()
        for place in range(len(options)):
            other, third = (place + 1) % 4, (place + 2) % 4
            text = wording.text
            for gap, index in (("{L}", place), ("{M}", other), ("{K}", third)):
                text = text.replace(gap, "ABCD"[index])
            read = script["ours"](text, options)
            named.add(None if read is None else (read - place) % 4)
        assert len(named) == 1, wording.text


def test_the_script_prints_a_table_for_each_scorer_and_says_which_one_is_not_installed(script, monkeypatch, capsys):
    some = [one for one in script["choice_answers"]() if one.wording.language == "en"][::100]
    monkeypatch.setitem(script["judged_choices"].__globals__, "choice_answers", lambda: iter(some))
    monkeypatch.setitem(sys.modules, "lmms_eval", None)
    monkeypatch.setattr(sys, "argv", ["measure_graders.py", "--grader", "choice"])
    assert script["main"]() == 0
    printed = capsys.readouterr().out
    assert "choice: pixel_env" in printed and "| **chooses nothing: paid** | 0.0 %" in printed
    assert "lmms-eval: not installed" in printed


def test_scorers_of_other_packages_are_read_by_their_letters(script):
    assert script["lmms_eval"]("B", ("x", "y"), lambda text, letters: text) == 1
    assert script["lmms_eval"]("", ("x", "y"), lambda text, letters: text) is None
    assert script["vlmevalkit"]("Z", ("x", "y"), lambda text, choices: text) is None
    assert script["vlmevalkit"]("B", ("x", "y"), lambda text, choices: choices and text) == 1
