"""What is wrong with single rows: named in one summary, while the rest still runs; or all stops."""

import csv
import os
import struct
import sys
import warnings
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixel_env.errors import MissingExtraError, PixelEnvError, TaskError
from pixel_env.tasks import BadRowsWarning, load_tasks
from pixel_env.tasks.files.checking import checked_file
from pixel_env.tasks.files.images import ImageFolder, image_facts
from pixel_env.tasks.files.row import Row
from pixel_env.tasks.files.rows import columns_of, read_rows
from pixel_env.tasks.formats.recognition import FORMATS


@pytest.fixture
def counts(make, tmp_path):
    """Writes a TallyQA file whose rows show these pictures."""
    make.picture(tmp_path / "data/good.png")

    def write(*images, **fields):
        rows = [make.TALLY_ROW | {"image": image, "question_id": i} | fields for i, image in enumerate(images)]
        return make.as_json(tmp_path / "data/test.json", rows)

    return write


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def enlarged(path, side):
    """A small PNG whose header says `side` by `side`."""
    Image.new("L", (8, 8)).save(path)
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", side, side)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)


def noisy(path, form):
    Image.frombytes("RGB", (200, 200), os.urandom(120_000)).save(path, form)
    return path


def test_the_rest_still_runs_and_one_warning_names_each_row_that_does_not(counts, tmp_path):
    path = counts("good.png", "gone.png", "good.png", "../outside.png")
    with pytest.warns(BadRowsWarning) as caught:
        task_set = load_tasks(path)
    assert len(caught) == 1 and [task.task_id for task in task_set.tasks] == ["tallyqa-0", "tallyqa-2"]
    assert task_set.notice == "2 of 4 rows could not be used and are left out."
    said = str(caught[0].message)
    assert f"{path}, row 2: there is no image 'gone.png'" in said
    assert f"{path}, row 4: the path '../outside.png' leaves" in said


def test_strict_stops_at_the_same_rows(counts):
    with pytest.raises(TaskError, match=r"1 bad row\(s\) of 2"):
        load_tasks(counts("good.png", "gone.png"), strict=True)


def test_of_many_bad_rows_all_are_named_and_those_in_a_row_as_a_range(counts, tmp_path):
    path = counts(*["gone.png"] * 25, "good.png", *["gone.png"] * 40, "good.png", "gone.png")
    with pytest.raises(TaskError) as error:
        load_tasks(path, strict=True)
    assert str(error.value).splitlines()[21:] == [
        "... and 46 more; pixel-env data check --all prints their reasons:",
        f"{path}, row 21 to 25, row 27 to 66, row 68",
    ]


def test_a_set_of_which_nothing_is_left_is_an_error(counts):
    with pytest.raises(TaskError, match=r"2 bad row\(s\) of 2"):
        load_tasks(counts("gone.png", "gone.png"))


def test_an_unknown_column_is_named_once_and_stops_only_if_strict(counts):
    path = counts("good.png", "good.png", colour="red")
    with pytest.warns(BadRowsWarning, match="colour are unknown to 'tallyqa'"):
        assert len(load_tasks(path)) == 2
    with pytest.raises(TaskError, match="colour"):
        load_tasks(path, strict=True)


@pytest.mark.parametrize(
    ("form", "share"), [("JPEG", 0.5), ("PNG", 0.5), ("WEBP", 0.5), ("BMP", 0.5), ("JPEG", 0.01), ("PNG", 0.0)]
)
def test_a_truncated_image_is_named_when_the_set_is_loaded(counts, tmp_path, form, share):
    path = counts("good.png", "cut.img")
    cut(noisy(tmp_path / "data/cut.img", form), share)
    with pytest.warns(BadRowsWarning, match=r"row 2: the image 'cut.img' cannot be used"):
        assert len(load_tasks(path)) == 1


def test_a_whole_image_with_more_after_its_end_is_used(counts, tmp_path):
    path = counts("tail.img")
    noisy(tmp_path / "data/tail.img", "JPEG").open("ab").write(b"notes of a camera" * 1000)
    assert len(load_tasks(path, strict=True)) == 1


def test_a_bomb_of_30000_pixels_a_side_is_named_and_not_decoded(counts, tmp_path):
    path = counts("good.png", "bomb.png")
    enlarged(tmp_path / "data/bomb.png", 30_000)
    with pytest.warns(BadRowsWarning, match=r"'bomb.png' cannot be used: .*900000000 pixels"):
        assert len(load_tasks(path)) == 1


@pytest.mark.parametrize("name", ["/etc/hostname", "../x.png", "a/../../x.png", "link.png", "links/x.png", "..", "."])
def test_no_path_leads_out_of_the_data_folder(counts, make, tmp_path, name):
    make.picture(tmp_path / "x.png")
    path = counts(name)
    os.symlink(tmp_path / "x.png", tmp_path / "data/link.png")
    os.symlink(tmp_path, tmp_path / "data/links")
    with pytest.raises(TaskError, match=r"leaves the folder|no image"):
        load_tasks(path)


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", "x" * 5000, "data", 7, None, [["good.png"]]])
def test_what_is_no_path_is_a_bad_row(counts, name):
    with pytest.raises(TaskError, match="row 1"):
        load_tasks(counts(name))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"answer": "four"}, "must be a count"),
        ({"answer": True}, "must be a count"),
        ({"answer": -1}, "must be a count"),
        ({"answer": "9" * 5000}, "must be a count"),
        ({"issimple": "no"}, "true or false"),
        ({"question": " "}, "text that is not empty"),
        ({"question_id": None}, "no 'question_id'"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(counts, fields, said):
    with pytest.raises(TaskError, match=said):
        load_tasks(counts("good.png", **fields))


def test_a_broken_line_of_json_and_a_row_that_is_no_object_are_named(make, published, tmp_path):
    published["vstar"](tmp_path)
    with (tmp_path / "test_questions.jsonl").open("a") as file:
        file.write('{"image": \n[1, 2]\n')
    with pytest.warns(BadRowsWarning) as caught:
        assert len(load_tasks(tmp_path)) == 2
    said = str(caught[0].message)
    assert "line 3: not valid JSON" in said and "line 4: expected an object" in said


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ("1\tq", "it has 2 cells, the header has 4"),
        ('1\tpicture\t"q\tx', "not closed within 1 line"),
        ("1\tpicture\tq\t", "no 'answer'"),
        ("1\tpicture\t<image>\tx", "its question or its answer is empty"),
        ("1\t\tq\tx", "it has no image"),
        ("1\t99\tq\tx", "it has no image"),
        ("1\t" + "QUJD" * 40 + "\tq\tx", "its image cannot be used"),
    ],
)
def test_a_bad_row_of_tab_separated_text_is_named_and_the_others_are_read(make, tmp_path, cells, said):
    good = f"0\t{make.encoded()}\tq\tx\n"
    (tmp_path / "a.tsv").write_text("index\timage\tquestion\tanswer\n" + good + cells + "\n", encoding="utf-8")
    with pytest.warns(BadRowsWarning, match=f"row 2: .*{said}"):
        assert len(load_tasks(tmp_path / "a.tsv")) == 1


def test_a_truncated_image_in_tab_separated_text_is_named(make, tmp_path):
    rows = [{"index": i, "image": make.encoded(), "question": "q", "answer": "x"} for i in range(2)]
    rows[1]["image"] = rows[1]["image"][: len(rows[1]["image"]) // 2 // 4 * 4]
    with pytest.warns(BadRowsWarning, match="row 2: its image cannot be used"):
        assert len(load_tasks(make.as_tsv(tmp_path / "a.tsv", rows))) == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b"{"),
        ("a.json", b"[" * 100_000),
        ("a.json", b"\xff\xfe"),
        ("a.json", b"[]"),
        ("a.json", b"7"),
        ("a.json", b""),
        ("a.jsonl", b""),
        ("a.parquet", b"PAR1"),
        ("a.parquet", b"PARE" + bytes(20) + b"\x04\0\0\0PARE"),
        ("a.parquet", b""),
        ("a.tsv", b""),
        ("a.tsv", b"\xff\tb\n"),
        ("a.tsv", b"index\tindex\n"),
        ("a.tsv", b"index\tquestion\timage\n"),
        ("a.txt", b"\x00\x01"),
        ("a.png", b"\x89PNG"),
    ],
)
def test_a_file_that_holds_no_tasks_is_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TaskError, match=r"a\b|'a'"):
        load_tasks(tmp_path / name)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=6,
)
NEARLY = st.sampled_from(["good.png", ["good.png"], "A", "which? (A) x (B) y", "\\boxed{['a']}", 3, 1.5, [1, 2, 3, 4]])
GOOD = {
    "tasks": {"question": "q", "answer": "A", "image": "good.png", "options": ["x", "y"]},
    "pixelreasoner": {"question": "q (A) x (B) y", "answer": ["A"], "image": ["good.png"], "qid": "vstar-1"},
    "vstar": {"text": "q (A) x (B) y", "label": "A", "image": "good.png", "question_id": 1},
    "tallyqa": {"question": "q", "answer": 3, "image": "good.png", "question_id": 1, "issimple": True},
    "infographicvqa": {"question": "q", "answers": ["a"], "image_local_name": "good.png", "questionId": 1},
    "mvbench": {"question": "q", "answer": "x", "candidates": ["x", "y"], "video": "clip", "start": 1, "end": 2.5},
    "vlmevalkit": {"index": "1", "question": "q", "image_path": "good.png", "answer": "A", "A": "x", "B": "y"},
    "docvqa": {"question": "q", "answers": ["a"], "image": "good.png", "questionId": 1, "ucsf_document_id": "x"},
    "verl": {
        "prompt": [{"role": "user", "content": "q"}],
        "images": ["good.png"],
        "reward_model": {"ground_truth": "a"},
    },
    "conversations": {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}], "id": "1"},
    "table": {"problem": "q", "images": ["good.png"], "choices": ["x", "y"], "solution": "B", "id": 7},
}
GOOD |= {
    "insight-o3": {"question": "q", "answer": "A", "image": "good.png", "options": "A. x\nB. y", "category": "c"},
    "visual-probe": {"problem": "<image>\nq", "solution": "a", "images": ["S/good.png"], "data_source": "s"},
    "zoombench": {"query": "q\nA. x\nB. y", "response": "A", "images": ["../Z/good.png"], "crop_images": ["good.png"]},
    "charxiv-reasoning": {"query": "q", "answer": "1.5", "figure_path": "good.png", "inst_category": 4},
    "longvideobench": {"question": "q", "candidates": ["x", "y"], "correct_choice": 1, "video_path": "good.png"}
    | {"duration_group": 15},
    "videomme": {"question": "q", "options": ["A. x", "B. y"], "answer": "B", "videoID": "good.png"},
    "lvbench": {"question": "q\n(A) x\n(B) y", "answer": "B", "key": "good.png", "uid": "1"},
}
GOOD["tallyqa-complex"] = GOOD["tallyqa"]
GOOD["zoombench-crop"] = GOOD["zoombench-views"] = GOOD["zoombench"]
CASES = int(os.environ.get("PIXEL_ENV_FUZZ_CASES", "100"))


@pytest.mark.parametrize("name", sorted(FORMATS))
@settings(max_examples=CASES, deadline=None)
@given(data=st.data())
def test_any_row_whatsoever_becomes_a_task_or_a_reason(name, data, tmp_path_factory):
    folder = tmp_path_factory.getbasetemp() / "fuzz"
    if not folder.exists():
        (folder / "clip").mkdir(parents=True)
        for file in ("good.png", "clip/1.png"):
            Image.new("RGB", (64, 64)).save(folder / file)
    columns = st.sampled_from(sorted(FORMATS[name].columns))
    values = GOOD[name] | data.draw(st.dictionaries(columns, JSON | NEARLY, max_size=2))
    try:
        row = Row(folder / "episodic_reasoning.json", 1, "row 1", values)
        task = FORMATS[name].task_of(row, ImageFolder(folder))
    except PixelEnvError as error:
        assert str(error)
    else:
        assert task.question and task.answers and all(task.answers)


@settings(max_examples=CASES, deadline=None)
@given(
    form=st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "ICO"]),
    changes=st.lists(st.tuples(st.integers(0, 120), st.integers(0, 255)), max_size=6),
)
def test_any_damage_to_an_image_is_a_reason(form, changes, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "damaged"
    Image.new("RGB", (40, 30), "red").save(path, form)
    content = bytearray(path.read_bytes())
    for place, value in changes:
        content[place % len(content)] = value
    path.write_bytes(bytes(content))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert isinstance(image_facts(path).fault, str) and isinstance(checked_file(path).fault, str)


def test_a_parquet_file_without_the_extra_names_the_command_that_installs_it(published, tmp_path, monkeypatch):
    path = published["rl-data"](tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for spec in (path, tmp_path):
        with pytest.raises(MissingExtraError, match=r"pixel-env\[data\]"):
            load_tasks(spec)


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".tsv", ".parquet"])
@settings(max_examples=CASES, deadline=None)
@given(content=st.binary(max_size=80) | st.text('index\tqusoa"image\n,:{}[]', max_size=80).map(str.encode))
def test_any_file_whatsoever_becomes_rows_or_a_reason(suffix, content, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / f"fuzz{suffix}"
    path.write_bytes(content)
    try:
        columns_of(path)
        rows = list(read_rows(path))
    except PixelEnvError as error:
        assert path.name in str(error)
    else:
        assert all(isinstance(row.values, dict) for row in rows)


CELLS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\0"), max_size=12)


@settings(max_examples=CASES, deadline=None)
@given(table=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=5))
def test_tab_separated_text_is_read_as_pythons_own_reader_does(table, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "same.tsv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerows([["index", "question", "answer"], *table])
    read = [list(row.values.values()) for row in read_rows(path)]
    assert read == [[cell if cell.strip() else None for cell in row] for row in table]
