"""`pixel-env data`: what was downloaded becomes a folder to load from, with distrust, and twice is once."""

import os
import signal
import stat
import subprocess
import sys
import time
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixel_env import cli
from pixel_env.errors import PixelEnvError, TaskError
from pixel_env.tasks import BadRowsWarning, archives, load_tasks
from pixel_env.tasks.archives import unpack
from pixel_env.tasks.index import INDEX_NAME, index_of
from pixel_env.tasks.preparing import prepare

CASES = int(os.environ.get("PIXEL_ENV_FUZZ_CASES", "100"))
NAMES = {
    "rl-data": "rl-data",
    "evaluation": "vstar",
    "vstar": "vstar-original",
    "vstar-files": "vstar",
    "tallyqa": "tallyqa",
    "infographicvqa": "infographicsvqa",
    "mvbench": "mvbench",
    "vlmevalkit": "vstar",
}


@pytest.fixture
def downloaded(published, tmp_path):
    """The released training data as it is downloaded: a parquet file and two archives."""
    published["rl-data"](tmp_path)
    for name in ("images", "videos"):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for file in sorted((tmp_path / name).rglob("*.png")):
                archive.write(file, file.relative_to(tmp_path))
                file.unlink()
    return tmp_path


def zipped(path, *entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


# -------------------------------------------------------------------------------------------------------- prepare


@pytest.mark.parametrize("form", NAMES)
def test_every_published_form_is_prepared_and_checked_by_the_command(form, published, tmp_path, capsys):
    published[form](tmp_path)
    assert cli.main(["data", "prepare", NAMES[form], "--from", str(tmp_path)]) == 0
    assert f"give it to --tasks: {tmp_path}" in capsys.readouterr().out
    assert cli.main(["data", "check", str(tmp_path)]) == 0
    assert "nothing is wrong" in capsys.readouterr().out
    assert len(load_tasks(str(tmp_path), strict=True)) >= 1


def test_archives_are_unpacked_every_picture_is_looked_at_and_an_index_is_written(downloaded, capsys):
    assert cli.main(["data", "prepare", "rl-data", "--from", str(downloaded)]) == 0
    index = index_of(downloaded)
    assert (index.format_name, index.tasks, index.pictures, index.problems) == ("pixelreasoner", 3, 18, 0)
    assert set(index.archives) == {"images.zip", "videos.zip"} and set(index.files) == {"release.parquet"}
    assert "unpacking" in capsys.readouterr().out and len(load_tasks(downloaded, strict=True)) == 3


def test_preparing_again_does_nothing(downloaded):
    prepare(downloaded)
    before = {file: file.stat().st_mtime_ns for file in downloaded.rglob("*")}
    said = []
    again = prepare(downloaded, tell=said.append)
    assert said == [] and again.readings == () and again.index.tasks == 3
    assert {file: file.stat().st_mtime_ns for file in downloaded.rglob("*")} == before


def test_a_changed_file_is_prepared_again(downloaded, make):
    prepare(downloaded)
    make.as_parquet(downloaded / "release.parquet", make.RL_ROWS[:2])
    assert prepare(downloaded).index.tasks == 2
    zipped(downloaded / "more.zip", ("images/more.png", b"x"))
    prepare(downloaded)
    assert (downloaded / "images/more.png").is_file()


def test_what_is_wrong_is_named_kept_in_the_index_and_looked_at_again_when_it_is_mended(downloaded, capsys):
    prepare(downloaded)
    for name in ("images.zip", "videos.zip", INDEX_NAME):
        (downloaded / name).unlink()
    broken = downloaded / "images/dogs.png"
    Image.frombytes("RGB", (200, 200), os.urandom(120_000)).save(broken)
    whole = broken.read_bytes()
    # The end is right and the middle is not: only decoding finds it.
    broken.write_bytes(whole[:9_000] + bytes(2_000) + whole[11_000:])
    assert cli.main(["data", "prepare", "rl-data", "--from", str(downloaded)]) == 1
    assert "row 2: the picture 'images/dogs.png' cannot be used" in capsys.readouterr().out
    with pytest.warns(BadRowsWarning, match="dogs"):
        assert len(load_tasks(downloaded)) == 2, "the index remembers what only decoding finds"
    broken.write_bytes(whole)
    assert prepare(downloaded).index.problems == 0 and len(load_tasks(downloaded, strict=True)) == 3


def test_with_an_index_no_picture_is_opened_until_it_is_shown(downloaded, monkeypatch):
    prepare(downloaded)
    monkeypatch.setattr(Image, "open", lambda *arguments: pytest.fail("a picture was opened"))
    assert len(load_tasks(downloaded, strict=True)) == 3


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"version": 1}', '{"version": 99}', "null", '{"version": 1, "x": 2}']
)
def test_a_broken_index_counts_as_none(downloaded, content):
    prepare(downloaded)
    (downloaded / INDEX_NAME).write_text(content)
    assert len(load_tasks(downloaded, strict=True)) == 3
    assert prepare(downloaded).index.tasks == 3


def test_another_set_than_the_one_that_is_named_is_refused(published, tmp_path):
    published["tallyqa"](tmp_path)
    with pytest.raises(TaskError, match=r"holds TallyQA's json.*not one of the formats pixelreasoner, vstar"):
        prepare(tmp_path, ("pixelreasoner", "vstar", "vlmevalkit"))
    assert not (tmp_path / INDEX_NAME).exists()


def test_both_splits_of_a_folder_are_prepared(make, published, tmp_path):
    published["tallyqa"](tmp_path)
    make.as_json(tmp_path / "train.json", [make.TALLY_ROW])
    assert set(prepare(tmp_path).index.files) == {"test.json", "train.json"}


def test_a_process_that_is_killed_leaves_no_index_and_the_next_one_finishes(downloaded):
    code = """
import pathlib, sys, time
from pixel_env.tasks import archives
from pixel_env.tasks.preparing import prepare
written = archives._write
def slowly(*arguments):
    written(*arguments)
    print("one", flush=True)
    time.sleep(0.2)
archives._write = slowly
prepare(pathlib.Path(sys.argv[1]))
"""
    process = subprocess.Popen([sys.executable, "-c", code, str(downloaded)], stdout=subprocess.PIPE)
    process.stdout.readline()
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (downloaded / INDEX_NAME).exists() and list(downloaded.rglob("*.png"))
    assert prepare(downloaded).index.tasks == 3 and not list(downloaded.rglob("*.part"))


# -------------------------------------------------------------------------------------------------------- archives


@pytest.mark.parametrize("name", ["../evil.png", "/tmp/evil.png", "a/../../evil.png", "..\\evil.png", "C:/evil.png"])
def test_a_name_that_leads_out_of_the_folder_is_refused_before_anything_is_written(tmp_path, name):
    folder = tmp_path / "data"
    folder.mkdir()
    archive = zipped(tmp_path / "a.zip", ("good.png", b"x"), (name, b"x"))
    with pytest.raises(TaskError, match="leads out of the folder"):
        unpack(archive, folder)
    assert list(folder.iterdir()) == [] and not (tmp_path / "evil.png").exists()


def test_a_link_in_an_archive_is_refused(tmp_path):
    entry = zipfile.ZipInfo("images")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(TaskError, match="is a link"):
        unpack(zipped(tmp_path / "a.zip", (entry, "/etc"), ("images/passwd", b"x")), tmp_path)


def test_a_link_that_lies_in_the_folder_is_not_written_through(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "outside").mkdir()
    os.symlink(tmp_path / "outside", tmp_path / "data/images")
    with pytest.raises(TaskError, match="by a link"):
        unpack(zipped(tmp_path / "a.zip", ("images/a.png", b"x")), tmp_path / "data")
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_bomb_is_refused_by_what_it_would_become(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "ALWAYS_ALLOWED_BYTES", 1000)
    archive = zipped(tmp_path / "a.zip", ("zeros.png", bytes(10_000_000)))
    with pytest.raises(TaskError, match="10,000,000 bytes"):
        unpack(archive, tmp_path)
    monkeypatch.setattr(archives, "MOST_FILES", 1)
    with pytest.raises(TaskError, match="2 files"):
        unpack(zipped(tmp_path / "b.zip", ("a", b"x"), ("b", b"x")), tmp_path)


@pytest.mark.parametrize("name", [".", "x" * 300, "a.png/b.png"])
def test_a_name_that_cannot_be_written_is_a_reason(tmp_path, name):
    with pytest.raises(TaskError, match=r"a\.zip"):
        unpack(zipped(tmp_path / "a.zip", ("a.png", b"x"), (name, b"x")), tmp_path)


@pytest.mark.parametrize("cut", [0, 10, 0.5, 0.99])
def test_an_archive_that_was_cut_is_named(tmp_path, cut):
    archive = zipped(tmp_path / "a.zip", ("a.png", os.urandom(5000)))
    content = archive.read_bytes()
    archive.write_bytes(content[: int(cut if cut > 1 else cut * len(content))])
    with pytest.raises(TaskError, match=r"a\.zip"):
        unpack(archive, tmp_path)


def test_a_damaged_entry_is_named_and_not_left_behind_as_whole(tmp_path):
    archive = zipped(tmp_path / "a.zip", ("a.png", os.urandom(5000)))
    content = bytearray(archive.read_bytes())
    content[2000:2010] = bytes(10)
    archive.write_bytes(bytes(content))
    with pytest.raises(TaskError, match=r"cannot unpack .*a\.zip"):
        unpack(archive, tmp_path)
    assert not (tmp_path / "a.png").exists()


def test_a_mac_archives_extra_folder_is_left_out(tmp_path):
    assert unpack(zipped(tmp_path / "a.zip", ("__MACOSX/._a.png", b"x"), ("a.png", b"x")), tmp_path) == 1


@settings(max_examples=CASES, deadline=None)
@given(data=st.data())
def test_any_damage_to_an_archive_is_a_reason_and_writes_nothing_outside(data, tmp_path_factory):
    base = tmp_path_factory.mktemp("zip")
    (base / "in/data").mkdir(parents=True)
    content = bytearray(zipped(base / "a.zip", ("images/a.png", b"abc" * 50), ("b.png", b"x")).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.sampled_from([*b"./\\:\0", 1, 9, 255]))
    (base / "a.zip").write_bytes(bytes(content))
    try:
        unpack(base / "a.zip", base / "in/data")
    except PixelEnvError as error:
        assert "a.zip" in str(error)
    assert {entry.name for entry in base.iterdir()} == {"a.zip", "in"}
    assert [entry.name for entry in (base / "in").iterdir()] == ["data"]


# --------------------------------------------------------------------------------------------------------- command


def test_check_says_what_is_wrong_and_exits_with_1(published, tmp_path, capsys):
    path = published["tallyqa"](tmp_path)
    (tmp_path / "VG_100K_2/1.jpg").unlink()
    assert cli.main(["data", "check", str(path)]) == 1
    said = capsys.readouterr().out
    assert "wrong: " in said and "2 of 2 rows cannot be used" in said


def test_of_many_bad_rows_the_first_are_printed_or_all(make, tmp_path, capsys):
    rows = [make.TALLY_ROW | {"question_id": i, "image": f"{i}.jpg"} for i in range(60)]
    path = str(make.as_json(tmp_path / "test.json", rows))
    cli.main(["data", "check", path])
    said = capsys.readouterr().out
    assert said.count("wrong: ") == 50 and "and 10 more" in said
    cli.main(["data", "check", path, "--all"])
    assert capsys.readouterr().out.count("wrong: ") == 60


def test_an_empty_set_is_wrong(make, tmp_path, capsys):
    (tmp_path / "mine.jsonl").write_text("\n")
    assert cli.main(["data", "check", str(tmp_path / "mine.jsonl")]) == 1
    assert "the set is empty" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["prepare", "vstr", "--from", "."], "Did you mean 'vstar'"),
        (["prepare", "vstar", "--from", "nowhere"], "there is no folder nowhere"),
        (["prepare", "tallyqa-original"], "add: --from FOLDER"),
        (["check", "nowhere.json"], "nowhere.json"),
    ],
)
def test_a_mistake_in_the_command_says_the_way_out(arguments, said, capsys):
    assert cli.main(["data", *arguments]) == cli.USER_ERROR
    assert said in capsys.readouterr().err


def test_the_list_names_every_set_and_format(capsys):
    assert cli.main(["data", "list"]) == 0
    said = capsys.readouterr().out
    assert "TIGER-Lab/PixelReasoner-RL-Data" in said and "tallyqa-complex" in said and "unverified" in said
