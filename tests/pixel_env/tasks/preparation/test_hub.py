"""Data sets of the hub: fetched once, read as a folder; the hub itself is replaced by a function."""

import sys
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch

import pytest

from pixel_env import cli
from pixel_env.errors import MissingExtraError, TaskError
from pixel_env.tasks import load_tasks
from pixel_env.tasks.preparation.hub import data_home, is_hub_id
from tests.pixel_env.tasks import forms

hub = pytest.importorskip("huggingface_hub")
ID = "JasperHaozhe/VStar-EvalData-PixelReasoner"


@pytest.fixture
def downloads(published, tmp_path, monkeypatch):
    """A hub whose cache holds one set as the real one does: links to blobs. Returns the ids that were asked for."""
    monkeypatch.setenv("PIXEL_ENV_DATA", str(tmp_path / "home"))
    asked = []

    def download(repo_id, **options):
        asked.append(repo_id)
        assert options["repo_type"] == "dataset"
        if repo_id != ID:
            raise OSError("the host cannot be reached")
        blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshot"
        published["evaluation"](blobs)
        for file in [file for file in blobs.rglob("*") if file.is_file()]:
            link = snapshot / file.relative_to(blobs)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(file)
        return str(snapshot)

    monkeypatch.setattr(hub, "snapshot_download", download)
    return asked


def test_a_hub_id_is_fetched_once_and_prepared(downloads):
    assert len(load_tasks(ID, strict=True)) == len(load_tasks(f"pixelreasoner:{ID}", strict=True)) == 2
    assert downloads == [ID]
    folder = data_home() / ID.replace("/", "--")
    assert not any(file.is_symlink() for file in folder.rglob("*"))


def test_the_command_fetches_by_name_and_by_id(downloads, capsys):
    assert cli.main(["data", "prepare", "vstar"]) == 0
    assert f"fetching {ID}" in capsys.readouterr().out
    assert cli.main(["data", "prepare", ID]) == 0
    assert "2 tasks, 1 images and videos" in capsys.readouterr().out and downloads == [ID]


def test_a_fetched_set_with_bad_rows_is_checked_once_and_names_them(downloads, published, make, monkeypatch, capsys):
    def with_a_bad_row(folder):
        path = make.PUBLISHED["rl-data"](folder)
        (folder / "images/dogs.png").write_bytes(b"no picture")
        return path

    monkeypatch.setitem(published, "evaluation", with_a_bad_row)
    assert cli.main(["data", "prepare", ID]) == 1
    told = capsys.readouterr().out
    assert told.count("checking") == 1 and told.count("wrong: ") == 1


def test_processes_that_ask_at_the_same_time_fetch_once(downloads):
    with ThreadPoolExecutor(4) as threads:
        assert [len(task_set) for task_set in threads.map(load_tasks, [ID] * 4)] == [2] * 4
    assert downloads == [ID]


def test_a_home_that_cannot_be_written_names_the_setting(downloads, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PIXEL_ENV_DATA", str(tmp_path / "file/home"))
    with pytest.raises(TaskError, match="PIXEL_ENV_DATA"):
        load_tasks(ID)


def test_a_set_that_cannot_be_fetched_says_why_and_how_to_fix_it(downloads):
    with pytest.raises(TaskError, match=r"no path 'data/mistyped'.*cannot be reached.*--from FOLDER"):
        load_tasks("data/mistyped")


def test_a_path_is_never_taken_for_an_id(downloads, published, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    published["tallyqa"](tmp_path / "owner/name")
    assert len(load_tasks("owner/name")) == 2
    with pytest.raises(TaskError):
        load_tasks("owner/gone.jsonl")
    assert downloads == [] and not is_hub_id("a/b/c") and not is_hub_id("../b") and not is_hub_id("a/b.tsv")


def test_without_the_extra_the_command_that_installs_it_is_named(downloads, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match=r"pixel-env\[data\]"):
        load_tasks("owner/name")


def test_offline_the_hubs_own_cache_is_read(published, tmp_path, monkeypatch):
    constants = hub.constants
    cache = tmp_path / "cache"
    monkeypatch.setenv("PIXEL_ENV_DATA", str(tmp_path / "home"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    repository = cache / f"datasets--{ID.replace('/', '--')}"
    published["evaluation"](repository / "snapshots/abc")
    (repository / "refs").mkdir()
    (repository / "refs/main").write_text("abc")
    assert len(load_tasks(ID, strict=True)) == 2
    with pytest.raises(TaskError, match="owner/absent"):
        load_tasks("owner/absent")


def test_a_part_of_a_set_is_fetched_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXEL_ENV_DATA", str(tmp_path / "home"))
    snapshot, asked = tmp_path / "snapshot", []

    def download(repo_id, **options):
        asked.append((repo_id, options["allow_patterns"]))
        for config in ("4k", "8k"):
            for number in range(2):
                name = f"data/hrbench_{config}-{number:05}-of-00002.parquet"
                if fnmatch(name, options["allow_patterns"][0]):
                    forms.as_parquet(snapshot / name, forms.choice_rows(1))
        return str(snapshot)

    monkeypatch.setattr(hub, "snapshot_download", download)
    assert len(load_tasks("DreamMr/HR-Bench:data/hrbench_4k-*.parquet")) == 2
    assert len(load_tasks("table:DreamMr/HR-Bench:data/hrbench_8k-00001-of-00002.parquet")) == 1
    assert [patterns for _, patterns in asked] == [
        ["data/hrbench_4k-*.parquet"],
        ["data/hrbench_8k-00001-of-00002.parquet"],
    ]
    with pytest.raises(TaskError, match=r"has no file or folder 'data/none\.parquet'"):
        load_tasks("DreamMr/HR-Bench:data/none.parquet")


def test_a_split_of_a_set_is_fetched_alone_wherever_it_is(tmp_path, monkeypatch):
    snapshot, asked = tmp_path / "snapshot", []
    layouts = {
        "shards": ["data/test-00000-of-00002.parquet", "data/test-00001-of-00002.parquet", "data/train-0.parquet"],
        "folder": ["test/0000.parquet", "train/0000.parquet"],
        "file": ["test.parquet", "test_images.parquet"],
        "several": ["4k/test-00000-of-00001.parquet", "8k/test-00000-of-00001.parquet"],
    }

    def download(repo_id, **options):
        asked.append(options["allow_patterns"])
        for name in layouts[repo_id.partition("/")[2]]:
            forms.as_parquet(snapshot / repo_id / name, forms.choice_rows(1))
        return str(snapshot / repo_id)

    monkeypatch.setattr(hub, "snapshot_download", download)
    assert len(load_tasks("owner/shards:test")) == 2
    assert len(load_tasks("owner/folder:test")) == 1
    assert len(load_tasks("owner/file:test")) == 1
    assert any(fnmatch("data/test-00000-of-00002.parquet", pattern) for pattern in asked[0])
    assert not any(fnmatch("data/train-0.parquet", pattern) for pattern in asked[0])
    with pytest.raises(TaskError, match="several times; give one:") as caught:
        load_tasks("owner/several:test")
    way_out = str(caught.value).splitlines()[1].strip()
    assert way_out == "owner/several:4k/test-*"
    assert len(load_tasks(way_out)) == 1
    with pytest.raises(TaskError, match="has no files of a split 'validation'"):
        load_tasks("owner/shards:validation")


def test_preparing_a_part_of_a_data_set_says_what_to_do_instead(capsys):
    assert cli.main(["data", "prepare", "owner/several:small.csv"]) == 2
    assert "pixel-env data check owner/several:small.csv" in capsys.readouterr().err


def test_images_whose_names_end_in_capitals_are_fetched_too(downloads, tmp_path, monkeypatch):
    wanted = []

    def download(repo_id, **options):
        wanted.extend(options["allow_patterns"])
        return str(tmp_path / "nothing")

    monkeypatch.setattr(hub, "snapshot_download", download)
    with pytest.raises(TaskError):
        load_tasks("owner/photos")
    assert {"*.jpg", "*.JPG", "*.zip", "*.ZIP"} <= set(wanted)
