"""Graders: answers against references, case by case. The tables with their reasons stand in `grading_cases/`."""

import json
from pathlib import Path

import pytest

from pixel_env.errors import UnknownNameError
from pixel_env.grading import GRADERS, grade
from pixel_env.testing import tiny_task

TABLES = {"choice": "choice", "mvbench": "choice", "number": "number", "exact": "exact", "anls": "anls"}
CASES = {
    table: [
        json.loads(line)
        for line in (Path(__file__).parent / "grading_cases" / f"{table}.jsonl").read_text("utf-8").splitlines()
    ]
    for table in TABLES
}
LISTED = [
    pytest.param(TABLES[table], case, id=f"{table}-{place}")
    for table, cases in CASES.items()
    for place, case in enumerate(cases)
]


def graded(grader, answer, *references, options=(), **fields):
    return grade(tiny_task(answers=references, grader=grader, options=tuple(options), **fields), answer)


def graded_case(grader, case):
    asked = {"question": case["question"]} if "question" in case else {}
    return graded(grader, case["answer"], *case["references"], options=case.get("options", ()), **asked)


@pytest.mark.parametrize(("grader", "case"), LISTED)
def test_an_answer_earns_what_its_table_says(grader, case):
    assert graded_case(grader, case) == pytest.approx(case["grade"]), case["why"]


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_sixty_cases_at_least_each_with_a_reason_both_right_and_wrong_ones(table):
    cases = CASES[table]
    assert len(cases) >= 60 and all(case["why"].strip() for case in cases)
    assert {0, 1} <= {case["grade"] for case in cases}


def test_every_grader_has_a_table():
    assert set(TABLES.values()) == set(GRADERS)


@pytest.mark.parametrize("grader", GRADERS)
def test_a_task_without_references_earns_nothing(grader):
    assert graded(grader, "7") == 0.0


def test_a_misspelt_grader_gets_a_suggestion():
    with pytest.raises(UnknownNameError, match=r"'exat'.*Did you mean 'exact'.*tiny-0"):
        graded("exat", "7", "7")
