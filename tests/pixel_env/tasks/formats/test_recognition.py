"""Which format a file or folder holds, and what is said where nobody can tell."""

import sys

import pytest

from pixel_env.errors import TaskError
from pixel_env.tasks import BadRowsWarning, load_tasks
from pixel_env.tasks.formats.recognition import FORMATS


def test_a_file_of_no_known_format_gets_its_columns_and_all_formats_named(make, tmp_path):
    path = make.as_json(tmp_path / "odd.json", [{"prompt": "q", "reply": "a"}])
    with pytest.raises(TaskError, match=r"no known format fits; its columns are prompt, reply") as error:
        load_tasks(path)
    assert all(f"  {name}:{path}" in str(error.value) for name in FORMATS)


def test_a_file_that_could_be_two_formats_is_refused_until_one_is_named(make, tmp_path):
    make.picture(tmp_path / "direct_attributes/sa_1.jpg")
    row = make.VSTAR_LINE | {"question": "What?", "answer": "green", "qid": "a-1"}
    path = make.as_json(tmp_path / "both.json", [row])
    with pytest.raises(TaskError, match="several formats") as error:
        load_tasks(path)
    offered = [line.split(":")[0].strip() for line in str(error.value).splitlines()[2:]]
    assert offered == ["pixelreasoner", "vstar"]
    with pytest.warns(UserWarning, match="unknown to 'vstar'"):
        assert load_tasks(f"vstar:{path}").tasks[0].grader == "choice"
    with pytest.warns(UserWarning, match="unknown to 'pixelreasoner'"):
        assert load_tasks(f"pixelreasoner:{path}").tasks[0].answers == ("green",)


def test_a_folder_with_sets_of_two_formats_asks_for_one(published, tmp_path):
    published["tallyqa"](tmp_path)
    published["rl-data"](tmp_path)
    with pytest.raises(TaskError, match="several formats; give one of them") as error:
        load_tasks(tmp_path)
    assert f"  tallyqa:{tmp_path / 'test.json'}" in str(error.value)
    assert len(load_tasks(f"tallyqa:{tmp_path}")) == 2 and len(load_tasks(tmp_path / "release.parquet")) == 3


def test_the_split_chooses_between_the_files_of_a_folder(make, published, tmp_path):
    published["tallyqa"](tmp_path)
    make.as_json(tmp_path / "train.json", [make.TALLY_ROW])
    assert [len(load_tasks(tmp_path, split=split)) for split in ("test", "train")] == [2, 1]
    make.as_json(tmp_path / "test2.json", [make.TALLY_ROW])
    with pytest.raises(TaskError, match=r"several files of the format 'tallyqa'") as error:
        load_tasks(tmp_path)
    assert str(tmp_path / "test2.json") in str(error.value)


def test_files_beside_a_set_that_are_none_do_not_matter_and_hidden_ones_are_not_opened(make, published, tmp_path):
    published["tallyqa"](tmp_path)
    make.as_json(tmp_path / "dataset_infos.json", {"version": 1})
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / ".hidden.json").write_text("{")
    assert len(load_tasks(tmp_path)) == 2


def test_a_part_of_a_set_that_cannot_be_read_is_said_and_stops_strictly(published, tmp_path):
    first = published["mvbench"](tmp_path) / "json" / "action_sequence.json"
    whole = len(load_tasks(tmp_path))
    first.write_text(first.read_text()[:-9])
    with pytest.warns(BadRowsWarning, match=rf"left out: cannot read .*{first.name}"):
        assert 0 < len(load_tasks(tmp_path)) < whole
    with pytest.raises(TaskError, match=rf"left out: cannot read .*{first.name}"):
        load_tasks(tmp_path, strict=True)


def test_a_mistyped_key_in_ones_own_file_is_named_in_a_folder_too(make, tmp_path):
    make.as_lines(tmp_path / "mine.jsonl", [{"question": "q", "answer": "a", "opitons": ["a", "b"]}])
    for spec in (tmp_path, f"tasks:{tmp_path}"):
        with pytest.raises(TaskError, match=r"line 1: unknown key\(s\) opitons"):
            load_tasks(spec)


def test_a_folder_without_a_set_says_what_is_in_it(make, tmp_path):
    (tmp_path / "broken.json").write_text("{")
    make.as_json(tmp_path / "odd.json", [{"prompt": "q"}])
    with pytest.raises(TaskError) as error:
        load_tasks(tmp_path)
    assert "broken.json" in str(error.value) and "columns prompt" in str(error.value)
    with pytest.raises(TaskError, match="no file of the format 'vstar'"):
        load_tasks(f"vstar:{tmp_path}")


def test_a_path_with_a_colon_is_a_path(published, tmp_path):
    folder = tmp_path / "vstar:mine"
    assert len(load_tasks(str(published["tallyqa"](folder).parent))) == 2


def test_the_users_home_is_understood(published, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    published["tallyqa"](tmp_path / "data")
    assert len(load_tasks("~/data/test.json")) == len(load_tasks("tallyqa:~/data")) == 2


def test_a_reader_whose_schema_the_publisher_does_not_state_is_marked():
    for known in FORMATS.values():
        page = sys.modules[known.task_of.__module__].__doc__
        assert known.is_verified or "unverified" in page, known.name
    assert not FORMATS["vlmevalkit"].is_verified and FORMATS["tallyqa"].is_verified
