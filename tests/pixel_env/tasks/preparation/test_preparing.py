"""`pixel-env data`: what was downloaded becomes a folder to load from, with distrust, and twice is once."""

import json
import os
import signal
import subprocess
import sys
import zipfile

import pytest
from PIL import Image

from pixel_env import cli
from pixel_env.errors import TaskError
from pixel_env.tasks import BadRowsWarning, load_tasks
from pixel_env.tasks.preparation.index import INDEX_NAME, index_of
from pixel_env.tasks.preparation.preparing import prepare
from tests.written_files import zipped

NAMES = {
    "rl-data": "rl-data",
    "evaluation": "vstar",
    "vstar": "vstar-original",
    "vstar-files": "vstar",
    "tallyqa": "tallyqa",
    "infographicvqa": "infographicsvqa",
    "mvbench": "mvbench",
    "mvbench-table": "mvbench-original",
    "vlmevalkit": "vstar",
    "vlmevalkit-paths": "tallyqa",
    "tasks": "tasks",
}


SLOWLY = """
import pathlib, sys, time
from pixel_env.tasks.files import archives
from pixel_env.tasks.preparation.preparing import prepare
written = archives._write
def slowly(*arguments):
    written(*arguments)
    print("one", flush=True)
    time.sleep(float(sys.argv[2]))
archives._write = slowly
prepare(pathlib.Path(sys.argv[1]), tell=lambda line: print(line, flush=True))
"""


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


# -------------------------------------------------------------------------------------------------------- prepare


@pytest.mark.parametrize("form", NAMES)
def test_every_published_form_is_prepared_and_checked_by_the_command(form, published, tmp_path, capsys):
    published[form](tmp_path)
    assert cli.main(["data", "prepare", NAMES[form], "--from", str(tmp_path)]) == 0
    assert f"use it with: --tasks {tmp_path}" in capsys.readouterr().out
    assert cli.main(["data", "check", str(tmp_path)]) == 0
    assert "no problem found" in capsys.readouterr().out
    assert len(load_tasks(str(tmp_path), strict=True)) >= 1


def test_archives_are_unpacked_every_image_is_checked_and_an_index_is_written(downloaded, capsys):
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


def test_what_is_wrong_is_named_kept_in_the_index_and_checked_again_when_it_is_repaired(downloaded, capsys):
    prepare(downloaded)
    for name in ("images.zip", "videos.zip", INDEX_NAME):
        (downloaded / name).unlink()
    broken = downloaded / "images/dogs.png"
    Image.frombytes("RGB", (200, 200), os.urandom(120_000)).save(broken)
    whole = broken.read_bytes()
    # The end is right and the middle is not: only decoding finds it.
    broken.write_bytes(whole[:9_000] + bytes(2_000) + whole[11_000:])
    assert cli.main(["data", "prepare", "rl-data", "--from", str(downloaded)]) == 1
    assert "row 2: the image 'images/dogs.png' cannot be used" in capsys.readouterr().out
    with pytest.warns(BadRowsWarning, match="dogs"):
        assert len(load_tasks(downloaded)) == 2, "the index remembers what only decoding finds"
    broken.write_bytes(whole)
    assert prepare(downloaded).index.problems == 0 and len(load_tasks(downloaded, strict=True)) == 3


def test_with_an_index_no_image_is_opened_until_it_is_shown(downloaded, monkeypatch):
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


@pytest.mark.parametrize(
    ("name", "value"),
    [("faults", []), ("faults", {"a.png": 7}), ("tasks", "3"), ("files", {"a": [10**400, 1]}), ("format_name", None)],
)
def test_an_index_whose_values_are_of_another_kind_counts_as_none(downloaded, name, value):
    prepare(downloaded)
    path = downloaded / INDEX_NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | {name: value}))
    assert len(load_tasks(downloaded, strict=True)) == 3


def test_another_set_than_the_one_that_is_named_is_refused(published, tmp_path):
    published["tallyqa"](tmp_path)
    with pytest.raises(TaskError, match=r"holds TallyQA's JSON.*not one of the formats pixelreasoner, vstar"):
        prepare(tmp_path, ("pixelreasoner", "vstar", "vlmevalkit"))
    assert not (tmp_path / INDEX_NAME).exists()


def test_both_splits_of_a_folder_are_prepared(make, published, tmp_path):
    published["tallyqa"](tmp_path)
    make.as_json(tmp_path / "train.json", [make.TALLY_ROW])
    assert set(prepare(tmp_path).index.files) == {"test.json", "train.json"}


def test_a_process_that_is_killed_leaves_no_index_and_the_next_one_finishes(downloaded):
    process = subprocess.Popen([sys.executable, "-c", SLOWLY, str(downloaded), "60"], stdout=subprocess.PIPE)
    while process.stdout.readline() != b"one\n":
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (downloaded / INDEX_NAME).exists() and list(downloaded.rglob("*.png"))
    assert prepare(downloaded).index.tasks == 3 and not list(downloaded.rglob("*.part"))


def test_two_processes_that_prepare_the_same_folder_work_one_after_the_other(downloaded):
    command = [sys.executable, "-c", SLOWLY, str(downloaded), "0.05"]
    first, second = (subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2))
    told = [process.communicate()[0] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0)
    worked, waited = sorted(told, key=len, reverse=True)
    assert worked.count("one\n") == 22 and "unpacking" in worked
    assert "one\n" not in waited and waited.startswith("waiting for another process that prepares")
    assert len(load_tasks(downloaded, strict=True)) == 3 and not list(downloaded.rglob("*.part"))


def test_a_folder_that_cannot_be_written_says_so_and_is_still_checked(downloaded, capsys, monkeypatch):
    opened = type(downloaded).open

    def refuse(path, mode="r", *arguments, **options):
        if set(mode) & set("wxa"):
            raise PermissionError(13, "Permission denied")
        return opened(path, mode, *arguments, **options)

    prepare(downloaded)
    (downloaded / INDEX_NAME).unlink()
    monkeypatch.setattr(type(downloaded), "open", refuse)
    assert cli.main(["data", "prepare", "rl-data", "--from", str(downloaded)]) == cli.USER_ERROR
    assert f"cannot write into {downloaded}: Permission denied" in capsys.readouterr().err
    assert cli.main(["data", "check", str(downloaded)]) == 0


def test_a_folder_in_the_data_folder_that_is_a_link_is_not_unpacked_into(downloaded, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    zipped(outside / "more.zip", ("a.png", b"x"))
    os.symlink(outside, downloaded / "more")
    prepare(downloaded)
    assert [file.name for file in outside.iterdir()] == ["more.zip"]


def test_links_that_lead_in_a_circle_and_folders_named_like_files_do_not_matter(downloaded):
    for name in ("loop.json", "loop.zip"):
        os.symlink(name, downloaded / name)
    (downloaded / "folder.parquet").mkdir()
    (downloaded / "folder.zip").mkdir()
    assert prepare(downloaded).index.tasks == 3


def test_a_set_whose_index_lies_above_its_files_is_not_prepared_twice(published, tmp_path):
    published["mvbench"](tmp_path)
    assert prepare(tmp_path / "json").root == tmp_path
    said = []
    assert prepare(tmp_path / "json", tell=said.append).index.tasks == 3 and said == []


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
def test_a_mistake_in_the_command_says_how_to_fix_it(arguments, said, capsys):
    assert cli.main(["data", *arguments]) == cli.USER_ERROR
    assert said in capsys.readouterr().err


def test_the_list_names_every_set_and_format(capsys):
    assert cli.main(["data", "list"]) == 0
    said = capsys.readouterr().out
    assert "TIGER-Lab/PixelReasoner-RL-Data" in said and "tallyqa-complex" in said and "unverified" in said
