from dataclasses import dataclass, field

import pytest

from benchmarks.arguments import parse
from benchmarks.preset import QUICK, Preset, preset
from pixel_env.errors import ConfigError


@dataclass(frozen=True)
class Config:
    """A configuration."""

    name: str = field(default="one", metadata={"help": "a name"})
    task_count: int | None = field(default=None, metadata={"help": "a number", "aliases": ("--limit",)})
    rate: float = field(default=1.0, metadata={"help": "a rate in %"})
    quick: bool = field(default=False, metadata={"help": "a switch"})
    kinds: tuple[str, ...] = field(default=("a", "b"), metadata={"help": "several"})


def test_flags_come_before_the_file_and_the_file_before_the_defaults(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("name: two\nrate: 3e-4\nkinds: [c]\n")
    config = parse(["--config", str(file), "--name", "three", "--task-count", "5", "--quick"], Config, "test")
    assert config == Config("three", 5, 3e-4, True, ("c",))


def test_a_field_may_have_a_second_flag():
    assert parse(["--limit", "5"], Config, "test").task_count == 5


def test_a_list_may_be_empty_and_a_switch_may_be_turned_off():
    assert parse(["--kinds", "--no-quick"], Config, "test") == Config(kinds=())


def test_a_misspelt_key_of_a_file_is_refused_with_the_closest_one(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("task_cuont: 5\n")
    with pytest.raises(ConfigError, match=r"task_cuont.*task_count"):
        parse(["--config", str(file)], Config, "test")


def test_a_value_of_the_wrong_type_is_refused_naming_the_key(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("quick: 1\n")
    with pytest.raises(ConfigError, match="quick"):
        parse(["--config", str(file)], Config, "test")


def test_help_shows_every_field_with_its_default(capsys):
    with pytest.raises(SystemExit):
        parse(["--help"], Config, "test")
    shown = capsys.readouterr().out
    assert "a rate in % (default: 1.0)" in shown and "--task-count" in shown


def test_a_preset_file_changes_what_it_names(tmp_path):
    file = tmp_path / "preset.yaml"
    file.write_text("rl_steps: 100\n")
    assert preset(str(file), quick=False) == Preset(rl_steps=100)
    assert preset(None, quick=True) == QUICK
