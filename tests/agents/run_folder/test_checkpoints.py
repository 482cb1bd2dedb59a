"""Which checkpoints a run goes on from."""

import json

import pytest

from agents.run_folder.checkpoints import (
    FILES,
    checked_checkpoint,
    checkpoints_in,
    is_whole,
    mark_whole,
    unmark,
)
from pixel_env.errors import ConfigError


@pytest.fixture
def saved(tmp_path):
    """Makes a whole checkpoint of the step."""

    def make(step):
        folder = tmp_path / f"checkpoint-{step}"
        (folder / "global_step").mkdir(parents=True)
        (folder / "global_step" / "shard.pt").write_bytes(b"shard")
        (folder / "model.safetensors").write_bytes(b"weights")
        (folder / "trainer_state.json").write_text("{}", encoding="utf-8")
        mark_whole(folder)
        return folder

    return make


def test_the_newest_whole_checkpoint_is_resumed_from_and_newer_ones_are_named(saved, tmp_path):
    saved(9), saved(10)
    unmark(saved(11))
    (tmp_path / "checkpoint-best").mkdir()
    (tmp_path / "checkpoint-12").mkdir()
    found = checkpoints_in(tmp_path)
    assert found.newest == tmp_path / "checkpoint-10"
    assert [path.name for path in found.broken] == ["checkpoint-12", "checkpoint-11"]
    assert checkpoints_in(tmp_path / "new").newest is None


@pytest.mark.parametrize("name", ["model.safetensors", "global_step/shard.pt", "trainer_state.json", FILES])
def test_a_checkpoint_with_a_truncated_or_missing_file_is_not_whole(saved, name):
    folder = saved(1)
    assert is_whole(folder)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-2])
    assert not is_whole(folder)
    (folder / name).unlink()
    assert not is_whole(folder)


@pytest.mark.parametrize("text", ["[]", "1", '{"model.safetensors": "7"}', '{"trainer_state.json": null}', "{}"])
def test_a_list_of_files_that_says_something_else_is_not_whole(saved, text):
    folder = saved(1)
    (folder / FILES).write_text(text, encoding="utf-8")
    assert not is_whole(folder)


def test_a_checkpoint_that_is_given_must_be_one_and_not_a_broken_one(saved, tmp_path):
    with pytest.raises(ConfigError, match=r"no whole checkpoint at .*checkpoint-3\. Give"):
        checked_checkpoint(str(tmp_path / "checkpoint-3"))
    assert checked_checkpoint(str(saved(3))) == tmp_path / "checkpoint-3"
    (tmp_path / "checkpoint-3" / "model.safetensors").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"checkpoint-3 is not whole.*another one"):
        checked_checkpoint(str(tmp_path / "checkpoint-3"))
    other = tmp_path / "of plain TRL"
    other.mkdir()
    (other / "trainer_state.json").write_text(json.dumps({}), encoding="utf-8")
    assert checked_checkpoint(str(other)) == other
