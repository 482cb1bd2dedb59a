"""Numbers in answers: wordings of six languages, number words, and what holds for every text."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixel_env.grading import grade
from pixel_env.grading.cjk_numerals import value_of
from pixel_env.grading.counts import number_named
from pixel_env.grading.number_words import LANGUAGES, languages_of, word_runs
from pixel_env.testing import tiny_task
from tests.cpu_time import NOT_QUADRATIC, growth

QUESTIONS = {
    "en": "How many dogs are there?",
    "de": "Wie viele Hunde sind auf dem Bild?",
    "fr": "Combien de chiens y a-t-il dans l'image ?",
    "es": "¿Cuántos perros hay en la imagen?",
    "zh": "图中有几只狗？",
    "ja": "画像に犬は何匹いますか？",
}
WORDINGS = [
    json.loads(line)
    for line in (Path(__file__).parent / "grading_cases" / "number_wordings.jsonl").read_text("utf-8").splitlines()
]
NOTHING = ["", " ", ".", "...", "?!", "-", "()", "**", "\\boxed{}", "The answer is", "answer:", "答案是", "\n\t"]

PIECES = """not |is not |if |3, |not 3 |3 is |no dogs |image 1, |images 1, 2 and |三|一只|没有|3 000 |hundred |cent |\
vingt et |zwei und |n't |there is not any |3? |1 1 |the answer is 3 |a|ein |いません|第"""


def graded(grader, answer, references, question=QUESTIONS["en"]):
    return grade(tiny_task(question=question, answers=tuple(references), grader=grader), answer)


@pytest.mark.parametrize("case", WORDINGS, ids=lambda case: f"{case['language']}-{case['answer'][:24]}")
def test_a_wording_names_its_number_and_is_paid_for_no_other(case):
    question, wanted = QUESTIONS[case["language"]], case["value"]
    assert number_named(case["answer"], question) == wanted
    others = [str(n) for n in range(13) if n != wanted]
    assert graded("number", case["answer"], others, question) == 0.0


def test_the_wordings_are_of_six_languages_and_a_third_names_no_number():
    assert {case["language"] for case in WORDINGS} == set(QUESTIONS)
    assert len(WORDINGS) >= 400 and sum(case["value"] is None for case in WORDINGS) >= len(WORDINGS) / 3


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ninety-nine", 99),
        ("one hundred and one", 101),
        ("two million three hundred", 2_000_300),
        ("neunundneunzig", 99),
        ("dreizehn", 13),
        ("siebenundsechzig", 67),
        ("hunderteins", 101),
        ("zweitausenddreihundertfünf", 2305),
        ("zwoelf", 12),
        ("drei Millionen", 3_000_000),
        ("soixante et onze", 71),
        ("soixante-dix-neuf", 79),
        ("quatre-vingts", 80),
        ("quatre-vingt-onze", 91),
        ("septante-deux", 72),
        ("mille deux cents", 1200),
        ("trente et un", 31),
        ("veintidós", 22),
        ("veintidos", 22),
        ("treinta y nueve", 39),
        ("doscientas cuarenta y una", 241),
        ("ciento tres", 103),
        ("tres mil quinientos", 3500),
    ],
)
def test_number_words_of_four_languages_have_their_value(text, value):
    text = text.casefold()
    assert [run.values for run in word_runs(text, languages_of(text))] == [(value,)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_a_word_for_each_number_below_100(language):
    assert set(range(100)) - {1} <= set(language.phrases.values())


@pytest.mark.parametrize(
    ("numeral", "value"),
    [
        ("二十", 20),
        ("一百零五", 105),
        ("一万二千", 12_000),
        ("三千二百万", 32_000_000),
        ("二〇二四", 2024),
        ("两", 2),
        ("三四", None),
    ],
)
def test_chinese_numerals_have_their_value(numeral, value):
    assert value_of(numeral) == value


@pytest.mark.parametrize("grader", ["number", "anls"])
@pytest.mark.parametrize("nothing", NOTHING)
@given(references=st.lists(st.one_of(st.text(max_size=8), st.sampled_from([*NOTHING, "0", "none"])), max_size=4))
@settings(max_examples=30)
def test_nothing_earns_nothing_whatever_the_references(grader, nothing, references):
    assert graded(grader, nothing, references) == 0.0


@given(st.integers(0, 999), st.sampled_from(["not {}", "It isn't {}.", "{} is wrong", "Is it {}?", "in image {}"]))
def test_a_number_that_is_denied_asked_or_a_label_is_paid_for_no_reference(n, form):
    references = {str(n), "0", "1", str(n + 1), str(n // 10), str(n % 10)}
    assert graded("number", form.format(n), sorted(references)) == 0.0


@given(st.integers(1, 999), st.integers(1_000, 9_999))
def test_a_plain_space_separates_thousands_of_three_digits_only(thousands, other):
    assert graded("number", f"{thousands} 000", [f"{thousands}000"]) == 1.0
    assert graded("number", f"{thousands} {other}", [f"{thousands}{other}", str(thousands), str(other)]) == 0.0


@pytest.mark.parametrize("grader", ["number", "anls"])
@pytest.mark.parametrize(
    "piece",
    PIECES.split("|"),
)
def test_a_hostile_count_costs_no_more_than_its_length(grader, piece):
    assert growth(lambda letters: graded(grader, piece * (letters // len(piece)), ["7", "red"]), 500) < NOT_QUADRATIC
