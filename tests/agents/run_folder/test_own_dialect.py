"""A dialect of a user's own travels with runs, traces and checkpoints: its value is kept beside them."""

from dataclasses import replace

import pytest

from agents.checkpoints.conventions import Convention, convention_in, write_convention
from agents.run_folder.own_dialect import KEPT, is_same, keep_dialect, kept_name
from pixel_env.dialects import dialect_named
from pixel_env.errors import ConfigError

MINE = "base: qwen3-vl\ncalls: {syntax: json, opening: <zoom>, closing: </zoom>}\nignored_keys: [label]\n"


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(MINE)
    return str(path)


def test_a_checkpoint_keeps_the_dialect_of_a_file_that_changes_or_goes_away(mine, tmp_path):
    before = dialect_named(mine)
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    write_convention(folder, Convention(mine))
    (tmp_path / "mine.yaml").unlink()
    found = convention_in(folder)
    assert found.dialect == str(folder / KEPT)
    assert replace(found.value(), name="") == replace(before, name="")


def test_variants_and_operations_of_a_file_are_kept_with_it(mine, tmp_path):
    keep_dialect(tmp_path, f"{mine}:notool+rotate")
    kept = dialect_named(kept_name(tmp_path, f"{mine}:notool+rotate"))
    assert not kept.offers_calls and "rotate" in kept.operations
    assert is_same(f"{mine}:notool+rotate", replace(kept, name="x"))
    assert not is_same(mine, kept)


@pytest.mark.parametrize("name", ["default", "released:vcot:train-pixels", "qwen3-vl+rotate"])
def test_a_row_of_the_table_is_known_by_its_name(name, tmp_path):
    keep_dialect(tmp_path, name)
    assert not (tmp_path / KEPT).exists() and kept_name(tmp_path, name) == name


def test_a_kept_file_that_is_broken_is_named(mine, tmp_path):
    keep_dialect(tmp_path, mine)
    (tmp_path / KEPT).write_text("base: nope")
    with pytest.raises(ConfigError, match="--dialect"):
        Convention(kept_name(tmp_path, mine), file="x").value()
