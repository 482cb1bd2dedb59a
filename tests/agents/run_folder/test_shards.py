import json
import os
from dataclasses import dataclass

import pytest

from agents.run_folder.folder import RunFolder
from agents.run_folder.shards import Shard, shard_named
from pixel_env.errors import ConfigError


def test_the_parts_are_alike_and_together_the_whole():
    parts = [shard_named(f"{number}/3").of(range(10)) for number in (1, 2, 3)]
    assert parts == [(0, 3, 6, 9), (1, 4, 7), (2, 5, 8)]


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/0", "a/b", "1/3/4", "-1/3", ""])
def test_what_is_no_part_is_refused(text):
    with pytest.raises(ConfigError, match="1/8 to 8/8"):
        shard_named(text)


@dataclass
class Settings:
    seed: int
    place: str = ""


def test_files_of_shards_are_found_unless_they_were_made_otherwise(tmp_path):
    folders = [Shard(number, 2).folder_in(tmp_path) for number in (1, 2)]
    for folder in folders:
        keep_configuration(folder, Settings(0, place=folder.name))
        (folder / "rows").write_text("")
    assert shards_in(tmp_path, Settings(0), own={"place"}) == [folder / "rows" for folder in folders]
    with pytest.raises(ConfigError, match="place differ"):
        shards_in(tmp_path, Settings(0))
    (folders[1] / "configuration.json").write_text(json.dumps({"seed": 1, "place": ""}))
    with pytest.raises(ConfigError, match="shard-2-of-2 was made with another configuration: seed differ"):
        shards_in(tmp_path, Settings(0), own={"place"})


def keep_configuration(folder, settings):
    with RunFolder.claimed(folder, [settings], resumes=True) as claimed:
        claimed.keep_configuration()


def shards_in(folder, settings, own=()):
    with RunFolder.claimed(folder, [settings], resumes=True) as claimed:
        return claimed.shards("rows", own)


@dataclass
class Scored(Settings):
    scorer: str = "own"


def two_shards(whole, settings):
    folders = [Shard(number, 2).folder_in(whole) for number in (1, 2)]
    for folder in folders:
        keep_configuration(folder, settings)
        (folder / "rows").write_text("")
    return [folder / "rows" for folder in folders]


def test_what_a_run_may_change_need_not_be_as_in_its_shards(tmp_path):
    rows = two_shards(tmp_path, Scored(0))
    assert shards_in(tmp_path, Scored(0, scorer="released")) == rows


def test_a_whole_that_shards_contradict_keeps_no_configuration(tmp_path):
    two_shards(tmp_path, Scored(0))
    with pytest.raises(ConfigError, match=r"seed differ.*Give the flags that the shards were made with"):
        shards_in(tmp_path, Scored(1))
    assert not (tmp_path / "configuration.json").exists()


def test_the_whole_waits_for_a_shard_that_is_being_played_and_names_it(tmp_path):
    two_shards(tmp_path, Settings(0))
    shard = tmp_path / "shard-2-of-2"
    with RunFolder.claimed(shard, [Settings(0)], resumes=True):
        told = rf"{shard} is in use: process {os.getpid()} on .* shards are merged when"
        with pytest.raises(ConfigError, match=told):
            shards_in(tmp_path, Settings(0))
    assert len(shards_in(tmp_path, Settings(0))) == 2


def test_shards_run_beside_each_other_but_not_beside_the_whole(tmp_path):
    first, second = (Shard(number, 2).folder_in(tmp_path) for number in (1, 2))
    with (
        RunFolder.claimed(first, [Settings(0)], resumes=True, whole=tmp_path),
        RunFolder.claimed(second, [Settings(0)], resumes=True, whole=tmp_path),
    ):
        pass
    with (
        RunFolder.claimed(tmp_path, [Settings(0)], resumes=True),
        pytest.raises(ConfigError, match=f"{tmp_path} is in use: process {os.getpid()} on .* before the whole"),
        RunFolder.claimed(first, [Settings(0)], resumes=True, whole=tmp_path),
    ):
        pytest.fail("a shard was begun")


@pytest.mark.parametrize(("text", "told"), [(None, "has no configuration.json"), ("{", "cannot be read")])
def test_a_shard_without_a_configuration_is_refused_with_the_way_out(tmp_path, text, told):
    rows = two_shards(tmp_path, Settings(0))[1]
    (rows.parent / "configuration.json").unlink()
    if text is not None:
        (rows.parent / "configuration.json").write_text(text)
    with pytest.raises(ConfigError, match=f"shard-2-of-2.*{told}"):
        shards_in(tmp_path, Settings(0))
