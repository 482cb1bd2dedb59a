r"""ANLS of the raw text equals that of the published scripts.

The values below were printed by `anls` of lmms_eval/api/metrics.py (lmms-eval 75571cf), and `anls_compute` of
vlmeval/dataset/utils/vqa_eval.py (VLMEvalKit e8e78f0) gave the same.
"""

import pytest

from pixel_env.grading.similarity import anls_of_raw_text


@pytest.mark.parametrize(
    ("answer", "references", "value"),
    [
        ("The answer is 10", ["10"], 0.0),
        ("10\n", ["11"], 2 / 3),  # the length is that of the text before white space goes
        ("Hello  World", ["hello world"], 1.0),
        ("12", ["12%"], 2 / 3),
        ("hallo\n", ["hello"], 5 / 6),
        ("hello.", ["hello"], 5 / 6),
        (" straße", ["strasse"], 0.75),  # ß counts as two letters of the length, as in upper case
        ("ab", ["abcd"], 0.5),
        ("abc", ["abcdefg"], 0.0),
        ("ab c\n\n\n\n\n\n", ["abcdef"], 0.6),
        ("７", ["7"], 0.0),
        ("\\boxed{10}", ["10"], 0.0),
        ("**hello**", ["hello"], 5 / 9),
        ("kitten", ["sitting", "mitten"], 5 / 6),
    ],
)
def test_the_raw_text_earns_what_the_published_scripts_give_it(answer, references, value):
    assert anls_of_raw_text(answer, references) == pytest.approx(value)


@pytest.mark.parametrize("answer", ["", " ", "\n"])
def test_an_empty_raw_text_earns_nothing_not_even_where_the_reference_is_empty_too(answer):
    assert anls_of_raw_text(answer, ["", " ", "hello"]) == 0.0


def test_without_references_the_raw_text_earns_nothing():
    assert anls_of_raw_text("hello", []) == 0.0
