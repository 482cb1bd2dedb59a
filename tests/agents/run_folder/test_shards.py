import json
from dataclasses import dataclass

import pytest

from agents.run_folder.configuration import keep_configuration
from agents.run_folder.shards import Shard, refuse_other_shards, shard_named, shards_in
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
    keep_configuration(tmp_path, [Settings(0)], resumes=True)
    folders = [Shard(number, 2).folder_in(tmp_path) for number in (1, 2)]
    for folder in folders:
        keep_configuration(folder, [Settings(0, place=folder.name)], resumes=True)
        (folder / "rows").write_text("")
    assert shards_in(tmp_path, "rows", own={"place"}) == [folder / "rows" for folder in folders]
    with pytest.raises(ConfigError, match="place differ"):
        shards_in(tmp_path, "rows")
    (folders[1] / "configuration.json").write_text(json.dumps({"seed": 1, "place": ""}))
    with pytest.raises(ConfigError, match="shard-2-of-2 was made with another configuration: seed differ"):
        shards_in(tmp_path, "rows", own={"place"})


@dataclass
class Scored(Settings):
    scorer: str = "own"


def two_shards(whole, settings):
    folders = [Shard(number, 2).folder_in(whole) for number in (1, 2)]
    for folder in folders:
        keep_configuration(folder, [settings], resumes=True)
        (folder / "rows").write_text("")
    return [folder / "rows" for folder in folders]


def test_what_a_run_may_change_need_not_be_as_in_its_shards(tmp_path):
    keep_configuration(tmp_path, [Scored(0, scorer="released")], resumes=True)
    rows = two_shards(tmp_path, Scored(0))
    assert shards_in(tmp_path, "rows") == rows


def test_shards_are_checked_before_the_whole_has_a_configuration(tmp_path):
    two_shards(tmp_path, Scored(0))
    refuse_other_shards(tmp_path, "rows", [Scored(0, scorer="released")])
    with pytest.raises(ConfigError, match=r"seed differ.*Give the flags that the shards were made with"):
        refuse_other_shards(tmp_path, "rows", [Scored(1)])
    assert not (tmp_path / "configuration.json").exists()


@pytest.mark.parametrize(("text", "told"), [(None, "has no configuration.json"), ("{", "cannot be read")])
def test_a_shard_without_a_configuration_is_refused_with_the_way_out(tmp_path, text, told):
    keep_configuration(tmp_path, [Settings(0)], resumes=True)
    rows = two_shards(tmp_path, Settings(0))[1]
    (rows.parent / "configuration.json").unlink()
    if text is not None:
        (rows.parent / "configuration.json").write_text(text)
    with pytest.raises(ConfigError, match=f"shard-2-of-2.*{told}"):
        shards_in(tmp_path, "rows")
