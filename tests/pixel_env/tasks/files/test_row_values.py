"""Values of a row that would be read as something else than was meant: flags of a video, references of a grader."""

import json
import re

import numpy as np
import pytest

from pixel_env.errors import TaskError
from pixel_env.tasks import BadRowsWarning, load_tasks
from pixel_env.tasks.files.images import ImageFolder
from pixel_env.tasks.files.row import Row
from pixel_env.tasks.formats.recognition import FORMATS


@pytest.mark.parametrize("told", ["True", "true", 1, 1.0, 0, "", []])
def test_a_released_row_says_by_true_or_false_whether_it_is_a_video(make, tmp_path, told):
    make.picture(tmp_path / "good.png")
    row = {"question": "q", "answer": "x", "image": ["good.png"] * 2, "qid": "star-1"}
    path = make.as_json(tmp_path / "eval.json", [row, row | {"is_video": None}, row | {"is_video": told}])
    with pytest.warns(BadRowsWarning, match=rf"row 3: 'is_video' must be true or false, got {re.escape(repr(told))}"):
        assert [task.media for task in load_tasks(path).tasks] == ["image", "image"]


@pytest.mark.parametrize(("told", "media"), [(np.True_, "video"), (np.False_, "image"), (True, "video")])
def test_numpys_true_and_false_are_read_as_pythons(make, tmp_path, told, media):
    make.picture(tmp_path / "good.png")
    values = {"question": "q", "answer": "x", "image": ["good.png"] * 2, "is_video": told}
    row = Row(tmp_path / "eval.parquet", 1, "row 1", values)
    assert FORMATS["pixelreasoner"].task_of(row, ImageFolder(tmp_path)).media == media


@pytest.mark.parametrize("answer", ["abc", "3 to 5", ["3", "at least 4"]])
def test_a_reference_that_its_own_grader_never_counts_is_a_bad_row_that_says_how_to_fix_it(make, tmp_path, answer):
    rows = [{"question": "How many?", "answer": given, "grader": "number"} for given in ("three", answer, "no dogs")]
    rows += [{"question": "How many dogs?", "answer": "no dogs", "grader": "number"}]
    path = make.as_lines(tmp_path / "mine.jsonl", rows)
    with pytest.warns(BadRowsWarning, match=r"line 2: the answer .* exactly one number.*'exact'") as caught:
        assert len(load_tasks(path)) == 2
    assert "line 3: the answer 'no dogs'" in str(caught[0].message)


def test_a_published_row_is_kept_as_long_as_one_of_its_references_can_be_right(make, tmp_path):
    make.picture(tmp_path / "good.png")
    beyond = "9" * 400
    rows = [
        {"index": i, "image_path": "good.png", "question": "How many?", "answer": answer}
        for i, answer in enumerate([beyond, f"['{beyond}', '3']"])
    ]
    with pytest.warns(BadRowsWarning, match="row 1: .* exactly one number"):
        [task] = load_tasks(make.as_tsv(tmp_path / "counts.tsv", rows)).tasks
    assert task.answers == (beyond, "3") and task.grader == "number"


@pytest.mark.parametrize("column", ["question", "answer"])
@pytest.mark.parametrize("told", ["caf\udce9", "\ud83d", "\udc00\ud800"])
def test_a_text_with_half_of_a_character_is_a_bad_row_and_the_rest_is_read(make, tmp_path, told, column):
    make.picture(tmp_path / "good.png")
    row = {"question": "q", "answer": "x", "image": ["good.png"], "qid": "a"}
    path = make.as_json(tmp_path / "eval.json", [row, row | {column: told}, row | {column: "\U0001f600"}])
    with pytest.warns(BadRowsWarning, match=rf"row 2: '{column}' holds a lone surrogate") as caught:
        first, last = load_tasks(path).tasks
    assert first.question == "q" and "\U0001f600" in (last.question, *last.answers)
    assert str(caught[0].message).isascii()


def test_each_text_of_a_list_can_be_written(tmp_path):
    row = Row(tmp_path / "eval.json", 1, "row 1", {"options": ["a", 2, "caf\udce9"]})
    with pytest.raises(TaskError, match=r"'options' holds a lone surrogate, .* got 'caf\\udce9'; write"):
        row.texts("options")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"question": "caf\udce9"}, "'question' holds a lone surrogate"),
        ({"answer": ["x", "\ud83d"]}, "'answer' holds a lone surrogate"),
        ({"evidence": [{"image": 0, "box": [0, 0, 1, 10**400]}]}, "must be a list of 4 fractions"),
        ({"evidence": [{"image": 0, "box": [0, 0, True, 1]}]}, "must be a list of 4 fractions"),
    ],
)
def test_a_row_of_ones_own_with_what_nothing_can_hold_is_named_by_its_line(make, tmp_path, changed, said):
    make.picture(tmp_path / "good.png")
    row = {"question": "q", "answer": "x", "image": "good.png"}
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps(row) + "\n" + json.dumps(row | changed) + "\n")
    with pytest.raises(TaskError, match=f"line 2: .*{said}"):
        load_tasks(path, strict=True)
